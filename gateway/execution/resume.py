"""Go on with an answer that broke off, at the next target that takes the beginning of one."""

from collections.abc import Iterator
from time import monotonic

from gateway.dialects.codecs import codec_of
from gateway.dialects.continuing import Continuation, NotedStream, Told
from gateway.dialects.formats import OUTBOUND
from gateway.execution.asking import ask, prepare
from gateway.execution.attempt import Begun, Call, record_of
from gateway.execution.errand import Errand
from gateway.execution.lines import Line
from gateway.execution.partial import successors, why_not_resumable
from gateway.execution.spending import Spent
from gateway.providers.faults import Fault


async def resume(errand: Errand, begun: Begun, spent: Spent, fault: Fault) -> Begun | None:
    """The stream that goes on where this one broke; None when it must not, or nobody can.

    The broken part becomes an attempt of its own, with what it cost, as soon as somebody goes on.
    """
    told = begun.relay.told if isinstance(begun.relay, NotedStream) else None
    if told is None or not told.is_plain or not told.text.strip() or why_not_resumable(errand, begun, fault):
        return None
    cut = record_of(begun.call, begun.timing, "cut", fault, spent.cost_nano_usd or 0)
    errand.failures.append((begun.call.target, fault))
    errand.failed_providers.add(begun.call.provider)
    errand.attempts.append(cut)
    for line in able(errand, begun):
        call = continuing(errand, told, line, spent)
        if isinstance(call, Fault):
            continue
        result = await ask(errand, call)
        if isinstance(result, Begun):
            errand.earlier.append(spent)
            return result
    errand.failures.pop(next(place for place, one in enumerate(errand.failures) if one[1] is fault))
    errand.attempts.remove(cut)
    return None


def able(errand: Errand, begun: Begun) -> Iterator[Line]:
    """The targets that take the beginning of an answer, while there are time and tries left."""
    for line in successors(errand, begun):
        if not line.prefix_style or not errand.health.has_room(line.column, monotonic()):
            continue
        if not errand.may_go_on() or monotonic() >= errand.over_at:
            return
        if errand.health.admits(line.column, monotonic()):
            if not errand.may_try_on():
                errand.health.released(line.column)
                return
            yield line


def continuing(errand: Errand, told: Told, line: Line, spent: Spent) -> Call | Fault:
    """The call for the rest of the answer."""
    usual, outbound = codec_of(errand.asked.inbound, line.dialect), OUTBOUND[line.dialect]
    written = spent.usage.output_tokens + sum(part.usage.output_tokens for part in errand.earlier)
    codec = Continuation(usual, outbound, told, written, line.prefix_style)
    return prepare(errand, line, is_first=False, codec=codec)
