"""The walk along a plan: whom to ask next, whom not to ask now, and who is left after a fault."""

from collections import deque
from collections.abc import Iterator
from time import monotonic

from gateway.errors import GatewayError, ProviderRefused
from gateway.execution.errand import Errand
from gateway.execution.exhaustion import exhausted
from gateway.execution.health import Cooldown
from gateway.execution.lines import Line
from gateway.providers.faults import RULES, Fault, FaultKind, Scope, Verdict
from gateway.routing.plan import Candidate, replan

PANIC_TRIES = 1  # of targets that are kept out: each has failed of late, so that more would only take time
OF_ONE_KEY = (Scope.ALLOWANCE, Scope.KEY)


class Walk:
    """The candidates of one errand, in the order in which they are to be asked. Each that comes has a place kept.

    In the end, panic mode: nobody else is left, and a call that may fail beats no answer. Not so where a provider has
    stated a wait, or has refused our key: a call would make that worse. And only for some of many requests.
    """

    __slots__ = ("_cooling", "_deferred", "_errand", "_is_cut_short", "_kept_out", "_out_seconds", "_queue")

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._queue = deque(errand.decision.plan.candidates)
        self._kept_out: list[Candidate] = []
        self._cooling: dict[str, Cooldown] = {}
        self._deferred: set[str] = set()  # had no room when it was their turn: asked when nobody else is left
        self._is_cut_short = False
        self._out_seconds: float | None = None  # of those that are spared a call

    def __iter__(self) -> Iterator[Line]:
        errand = self._errand
        while self._queue and errand.may_go_on() and (now := monotonic()) < errand.over_at:
            candidate = self._queue.popleft()
            if not self._is_open(candidate, now):
                continue
            if not errand.may_try_on():
                errand.health.released(candidate.column)
                self._is_cut_short = True
                return
            yield errand.lines[candidate.column]
        for candidate in self._kept_out[:PANIC_TRIES]:
            if not errand.may_go_on() or not errand.may_try_on() or (now := monotonic()) >= errand.over_at:
                return
            if not errand.retries.allows_panic(now):
                self._out_seconds = min(errand.health.out_seconds(one.column, now) for one in self._kept_out)
                return
            self._cooling.pop(candidate.target, None)
            yield errand.lines[candidate.column]

    def _is_open(self, candidate: Candidate, now: float) -> bool:
        """Whether it may be asked now; a note of why not, and whether it may be later."""
        health, column, target = self._errand.health, candidate.column, candidate.target
        cooldown = health.cooldown(column, now)
        if cooldown is not None:
            self._cooling[target] = cooldown
            if cooldown.kind is FaultKind.MODEL_GONE:
                self._kept_out.append(candidate)
            return False
        if self._queue and target not in self._deferred and not health.has_room(column, now):
            self._deferred.add(target)
            self._queue.append(candidate)
            return False
        if not health.admits(column, now):
            self._kept_out.append(candidate)
            return False
        return True

    def failed(self, line: Line, fault: Fault) -> None:
        """Find out who is left. Raises when the fault is the caller's."""
        verdict = verdict_on(self._errand, fault)
        left = whoever_is_left(self._errand, line, verdict, RULES[fault.kind].scope)
        self._queue = deque(sorted(left, key=lambda one: one.target in self._deferred))

    def rivals(self, line: Line) -> Iterator[Line]:
        """Who may be asked as well while this target, the first of the errand, is late; best first.

        Those of other providers come first: what slows a target down is mostly its provider's. A target in a doubtful
        state is no help to anybody's speed.
        """
        errand = self._errand
        if errand.fallback.max_attempts < 2:
            return
        passed_over = {target for target, _ in errand.failures}
        for one in replan(errand.decision, {line.provider.name}, errand.too_small):
            is_able = not errand.decision.preferred or one.column in errand.decision.preferred
            if one.column == line.column or one.last_resort or one.target in passed_over or not is_able:
                continue
            now = monotonic()
            if (
                errand.health.cooldown(one.column, now) is None
                and errand.health.has_room(one.column, now)
                and errand.health.admits(one.column, now)
            ):
                yield errand.lines[one.column]

    def exhausted(self) -> GatewayError:
        """What the caller is told at the end of it."""
        errand = self._errand
        is_pinned = all(leg.columns is not None for leg in errand.decision.selection.legs)
        return exhausted(errand.failures, self._cooling, monotonic(), is_pinned, self._is_cut_short, self._out_seconds)


def whoever_is_left(errand: Errand, line: Line, verdict: Verdict, scope: Scope) -> list[Candidate]:
    """Who to ask now that this one has failed. Other providers go first: most faults are those of a whole provider.

    A fault of one key says nothing of the target while it has another: that is asked with the other.
    """
    tried = {target for target, _ in errand.failures}
    if verdict is Verdict.LARGER_WINDOW:
        errand.too_small = max(errand.too_small, line.window)
    elif scope in OF_ONE_KEY and has_another_key(errand, line):
        tried.discard(line.target)
    else:
        errand.failed_providers.add(line.provider.name)
    left = replan(errand.decision, errand.failed_providers, errand.too_small)
    return [one for one in left if one.target not in tried]


def has_another_key(errand: Errand, line: Line) -> bool:
    """Whether there is a key with which this request has not asked the target, and which may be used now."""
    used = sum(target == line.target for target, _ in errand.failures)
    return used < len(line.headers) and errand.health.cooldown(line.column, monotonic()) is None


def verdict_on(errand: Errand, fault: Fault) -> Verdict:
    """What to do about a fault under this router's rules. Raises when it is the caller's."""
    if is_callers(errand, fault):
        raise ProviderRefused(fault.message, status=fault.status or 400, code=fault.code or None, body=fault.body)
    return Verdict.NEXT if fault.kind is FaultKind.CONTENT_FILTER else RULES[fault.kind].verdict


def is_callers(errand: Errand, fault: Fault) -> bool:
    """Whether the fault is one of the request: nobody else is asked, and the caller is told of it."""
    if fault.kind is FaultKind.CONTENT_FILTER and errand.fallback.on_content_filter:
        return False
    return RULES[fault.kind].verdict is Verdict.CALLER
