"""Hedging: while the first target is late a second is asked too; who begins first is the answer, the other given up.

Source of the rule: Dean and Barroso, "The Tail at Scale" (2013): a second request once the first is slower than 95 % of
its kind makes some 5 % more of them, and takes most of the tail away.
"""

import asyncio
from collections.abc import Sequence
from math import isinf

from msgspec.structs import replace

from gateway.errors import GatewayError
from gateway.execution.asking import ask, give_up, hand_back, prepare
from gateway.execution.attempt import Begun, Call, Whole
from gateway.execution.errand import Errand
from gateway.execution.patience import late_seconds
from gateway.execution.walk import Walk, is_callers
from gateway.providers.faults import Fault
from gateway.transport.send import Departure

Result = Whole | Begun | Fault
Runner = asyncio.Task[Result]


def may_hedge(errand: Errand) -> bool:
    """Whether a second target may be asked beside the next one: for a stream, and once in a request.

    How long a whole answer takes depends most of all on its length, so that nobody can tell when one is late.
    """
    return errand.fallback.hedge and errand.prompt.stream and not errand.attempts


async def race(errand: Errand, first: Call, walk: Walk) -> Result:
    """Ask the first target and, when it is late, a second. A fault is the first's; the walk knows of the second's."""
    errand.hedges.earn()
    delay = late_seconds(errand, errand.lines[first.column])
    if isinf(delay):
        return await ask(errand, first)
    first = replace(first, departure=Departure())
    runners: list[Runner] = []
    second: Call | None = None
    taken: Result | None = None
    try:
        async with asyncio.TaskGroup() as group:
            runners.append(group.create_task(ask(errand, first)))
            await asyncio.wait(runners, timeout=delay)
            if not runners[0].done() and (second := rival(errand, first, walk)) is not None:
                runners.append(group.create_task(ask(errand, second)))
            result = await first_to_begin(errand, runners)
            errand.is_won = isinstance(result, Begun)
            for runner in runners:
                runner.cancel()
        taken = result
    finally:
        errand.is_won = isinstance(taken, Begun)  # not so when we are cancelled: nobody gets the answer
        for unwanted in results(runners):
            if isinstance(unwanted, Begun) and unwanted is not taken:
                unwanted.close()
                give_up(errand, unwanted.call, unwanted.timing.started)
        errand.is_won = False  # there is nobody left to outpace
    if isinstance(taken, Fault) and second is not None:
        for other in results(runners[1:]):
            if isinstance(other, Fault):
                walk.failed(errand.lines[second.column], other)
    return taken


def rival(errand: Errand, first: Call, walk: Walk) -> Call | None:
    """The call to a second target, if one can be spared. It loses nothing of the request that the first would not."""
    if not errand.hedges.has_room:
        return None
    for line in walk.rivals(errand.lines[first.column]):
        try:
            call = prepare(errand, line, is_first=False)
        except GatewayError:  # must not end what is under way in another format
            continue
        if isinstance(call, Fault):
            continue
        if call.losses and not first.losses:
            hand_back(errand, call)
            continue
        errand.hedges.pay()
        return replace(call, departure=Departure())
    return None


async def first_to_begin(errand: Errand, runners: Sequence[Runner]) -> Result:
    """The first answer; a fault when nobody is left who could give one, or when it is the caller's."""
    waiting = set(runners)
    while True:
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        ended = results(runners)
        final = [one for one in ended if not isinstance(one, Fault) or is_callers(errand, one)]
        if final or not waiting:
            return (final or ended)[0]


def results(runners: Sequence[Runner]) -> list[Result]:
    """Of those that have come to one."""
    return [one.result() for one in runners if one.done() and not one.cancelled()]
