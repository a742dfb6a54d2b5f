"""What a caller may rely on when a stream has broken off: how much came, and whether it can be gone on from."""

from collections.abc import Iterator
from time import monotonic

from gateway.accounting.cost import usd_number
from gateway.dialects.continuing import NotedStream
from gateway.execution.attempt import Begun
from gateway.execution.errand import Errand
from gateway.execution.lines import Line
from gateway.execution.spending import Spent
from gateway.providers.faults import RULES, Fault, FaultKind, Verdict
from gateway.routing.plan import replan
from gateway.wire.ability import Ability
from gateway.wire.partial import Partial

STRUCTURED = int(Ability.JSON_MODE | Ability.JSON_SCHEMA)
REFUSED = (FaultKind.CONTENT_FILTER, FaultKind.INVALID_REQUEST)
OURS = (FaultKind.STOPPED,)  # no provider's fault: nobody else here would be asked


def partial_of(errand: Errand, begun: Begun, spent: Spent, fault: Fault) -> Partial:
    """The contract of this stream. spent: on all of it so far."""
    why_not = why_not_resumable(errand, begun, fault)
    following = None if fault.kind in OURS else next(successors(errand, begun, fault), None)
    cost = spent.cost_nano_usd
    return Partial(
        output_tokens=spent.usage.output_tokens,
        estimated=spent.usage.estimated,
        cost_usd=None if cost is None else usd_number(cost),
        fault=fault.kind.value,
        resumable=why_not is None,
        why_not=why_not,
        next_target=None if following is None else following.target,
    )


def why_not_resumable(errand: Errand, begun: Begun, fault: Fault) -> str | None:
    """What stands in the way of going on from the text that came; None when nothing does."""
    prompt = errand.prompt
    if fault.kind in REFUSED:
        return "the provider refused to go on"
    if prompt.choices > 1:
        return "several answers were asked for"
    if int(prompt.needs) & STRUCTURED:
        return "the answer is structured"
    if begun.has_called:
        return "a tool call had begun"
    if isinstance(begun.relay, NotedStream) and not begun.relay.told.is_plain:
        return "the answer is more than text"
    if begun.guard is not None and begun.guard.has_found:
        return "the provider repeated a key of ours"
    if begun.relay.finish:
        return "the answer had come to its end"
    return None


def successors(errand: Errand, begun: Begun, fault: Fault) -> Iterator[Line]:
    """Who would be asked next, best first: other providers before those that have failed this request."""
    tried = {begun.call.target, *(target for target, _ in errand.failures)}
    failed = {*errand.failed_providers, begun.call.provider}
    too_small = errand.too_small
    if RULES[fault.kind].verdict is Verdict.LARGER_WINDOW:
        too_small = max(too_small, errand.lines[begun.call.column].window)
    for one in replan(errand.decision, failed, too_small):
        if one.target not in tried and errand.health.cooldown(one.column, monotonic()) is None:
            yield errand.lines[one.column]
