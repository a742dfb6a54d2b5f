"""Carry a request along its plan: one target after the other, until one answers or nobody can."""

from time import monotonic

from gateway.execution.asking import ask, prepare
from gateway.execution.attempt import Begun, Whole
from gateway.execution.errand import Errand
from gateway.execution.hedge import may_hedge, race
from gateway.execution.walk import Walk
from gateway.providers.faults import Fault


async def carry(errand: Errand) -> Whole | Begun:
    """The first good answer. Raises what the caller must be told when there is none."""
    errand.retries.request(monotonic())
    walk = Walk(errand)
    for line in walk:
        call = prepare(errand, line, is_first=not errand.attempts)
        if isinstance(call, Fault):
            walk.failed(line, call)
            continue
        errand.sent_at = monotonic()
        result = await (race(errand, call, walk) if may_hedge(errand) else ask(errand, call))
        if not isinstance(result, Fault):
            return result
        errand.waited_seconds += monotonic() - errand.sent_at
        errand.sent_at = 0.0
        walk.failed(line, result)
    raise walk.exhausted()
