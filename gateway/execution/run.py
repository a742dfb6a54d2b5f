"""Carry a request along its plan: one target after the other, until one answers or nobody can."""

from time import monotonic

from gateway.execution.asking import ask, prepare
from gateway.execution.attempt import Begun, Whole
from gateway.execution.errand import Errand
from gateway.execution.hedge import may_hedge, race
from gateway.execution.lines import Line
from gateway.execution.walk import Walk, verdict_on
from gateway.providers.faults import Fault


async def carry(errand: Errand) -> Whole | Begun:
    """The first good answer. Raises what the caller must be told when there is none."""
    errand.retries.request(monotonic())
    walk = Walk(errand)
    while (line := walk.next()) is not None:
        result = await attempt(errand, line, walk)
        if not isinstance(result, Fault):
            return result
        walk.failed(line, result)
    for line in walk.desperate():
        result = await attempt(errand, line, walk)
        if not isinstance(result, Fault):
            return result
        verdict_on(errand, result)
    raise walk.exhausted()


async def attempt(errand: Errand, line: Line, walk: Walk) -> Whole | Begun | Fault:
    """Try one target, and another beside it when the router hedges and this one is late."""
    call = prepare(errand, line, is_first=not errand.attempts)
    if isinstance(call, Fault):
        return call
    errand.sent_at = monotonic()
    result = await (race(errand, call, walk) if may_hedge(errand) else ask(errand, call))
    if isinstance(result, Fault):
        errand.waited_seconds += monotonic() - errand.sent_at
        errand.sent_at = 0.0
    return result
