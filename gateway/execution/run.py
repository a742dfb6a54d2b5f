"""Carry a request along its plan: one target after the other, until one answers or nobody can."""

import asyncio
from collections import deque
from time import monotonic

from msgspec import Struct
from msgspec.structs import replace

from gateway.accounting.receipt import AttemptRecord
from gateway.dialects.codec import Asked
from gateway.dialects.codecs import codec_of
from gateway.dialects.contract import TargetManner
from gateway.errors import ProviderRefused
from gateway.execution.attempt import Begun, Call, Timing, Whole, begin, fetch, record_of
from gateway.execution.exhaustion import exhausted
from gateway.execution.health import Cooldown, Health
from gateway.execution.lines import Line
from gateway.execution.retry_budget import RetryBudget
from gateway.providers.faults import RULES, Fault, FaultKind, Scope, Verdict
from gateway.routing.plan import Candidate, Decision, replan
from gateway.routing.session import NOTHING, Recollection
from gateway.settings.schema import Fallback
from gateway.transport.send import Transport
from gateway.wire.conversation import Loss
from gateway.wire.prompt import Prompt
from gateway.wire.wishes import Wishes

SLOWEST_CREDIBLE_SECONDS_PER_TOKEN = 0.2  # 5 tokens/s: a whole answer slower than this has stalled
SLOWEST_CREDIBLE_SECONDS_PER_INPUT_TOKEN = 0.0005  # 2,000 tokens/s, for a model that only reads
MOST_PASSED_OVER = 16  # targets that would lose something, before the request is refused
MOST_LOSSES = 5  # named in an error
SLOWEST_CREDIBLE_READING_SECONDS_PER_TOKEN = 0.0002  # of a prompt, before the first token: 5,000 tokens/s
FLOOR_SECONDS = 5.0  # no target is given less time to begin, however fast it has been
REASONING_FLOOR_SECONDS = 60.0  # of what thinks before it speaks; how long depends on the question
FREE_TRIES = 2
PANIC_TRIES = 1  # of targets that are kept out: each has failed of late, so that more would only take time
OF_ONE_KEY = (Scope.ALLOWANCE, Scope.KEY)
CANCELLED = Fault(FaultKind.CANCELLED, None, None, "given up: nobody waits for it any more", b"", "")


class Arrival(Struct, frozen=True, gc=False):
    """When and from whom a request came."""

    id: str  # the decision's id
    unix: float  # seconds
    started: float  # monotonic seconds, at its first byte
    received: float  # monotonic seconds, at its last byte
    key: str  # name of the caller's key, "" when none is configured


class Errand(Struct):
    """One request on its way: what it needs, and what has happened to it so far."""

    arrival: Arrival
    asked: Asked
    decision: Decision
    lines: tuple[Line, ...]
    health: Health
    transport: Transport
    fallback: Fallback
    caller_headers: list[tuple[bytes, bytes]]
    catalog_version: str
    standings: int  # how many candidates the receipt tells of
    retries: RetryBudget
    recollection: Recollection = NOTHING  # of the conversation that the request continues
    attempts: list[AttemptRecord] = []
    failures: list[tuple[str, Fault]] = []  # target, and why
    failed_providers: set[str] = set()
    too_small: float = 0.0  # tokens: the largest window that was found too small
    sent_at: float = 0.0  # monotonic second of the send that is not known to have failed; 0 when there is none
    waited_seconds: float = 0.0  # spent on attempts that failed
    answered_at: float = 0.0  # monotonic second at which a whole answer had come; 0 for a stream

    @property
    def prompt(self) -> Prompt:
        """What routing knows of the request."""
        return self.asked.prompt

    @property
    def over_at(self) -> float:
        """Monotonic second after which nobody else is asked, and no answer awaited."""
        return self.arrival.received + self.fallback.total_seconds

    def may_go_on(self) -> bool:
        """Whether another target may be asked. To pass one over costs a translation, so that has its limit too."""
        passed_over = len(self.failures) - len(self.attempts)
        return len(self.attempts) < self.fallback.max_attempts and passed_over < MOST_PASSED_OVER

    def may_try_on(self) -> bool:
        """Whether the process can spare one more try; the first fallback is always to be had."""
        return len(self.attempts) < FREE_TRIES or self.retries.allows(monotonic())

    def overhead_seconds(self) -> float:
        """Our own share: from the request's last byte to the last send (to now, when that failed), and from a whole
        answer to now; less the time spent on attempts that failed.
        """
        now = monotonic()
        before = (self.sent_at or now) - self.arrival.received - self.waited_seconds
        return before + (now - self.answered_at if self.answered_at else 0.0)


async def carry(errand: Errand) -> Whole | Begun:
    """The first good answer. Raises what the caller must be told when there is none."""
    errand.retries.request(monotonic())
    queue = deque(errand.decision.plan.candidates)
    kept_out: list[Candidate] = []
    cooling: dict[str, Cooldown] = {}
    is_cut_short = False
    deferred: set[str] = set()  # targets that had no room when it was their turn: asked when nobody else is left
    while queue and errand.may_go_on() and (now := monotonic()) < errand.over_at:
        candidate = queue.popleft()
        cooldown = errand.health.cooldown(candidate.column, now)
        if cooldown is not None:
            cooling[candidate.target] = cooldown
            if cooldown.kind is FaultKind.MODEL_GONE:
                kept_out.append(candidate)
        elif queue and candidate.target not in deferred and not errand.health.has_room(candidate.column, now):
            deferred.add(candidate.target)
            queue.append(candidate)
        elif not errand.health.admits(candidate.column, now):
            kept_out.append(candidate)
        elif not errand.may_try_on():
            errand.health.released(candidate.column)
            is_cut_short = True
            break
        else:
            result = await attempt(errand, errand.lines[candidate.column])
            if not isinstance(result, Fault):
                return result
            verdict = verdict_on(errand, result)
            left = whoever_is_left(errand, errand.lines[candidate.column], verdict, RULES[result.kind].scope)
            queue = deque(sorted(left, key=lambda one: one.target in deferred))
    # Panic mode: nobody else is left, and a call that may fail beats no answer. Not so where a provider has stated a
    # wait, or has refused our key: a call would make that worse.
    for candidate in kept_out[:PANIC_TRIES]:
        if is_cut_short or not errand.may_go_on() or not errand.may_try_on() or monotonic() >= errand.over_at:
            break
        cooling.pop(candidate.target, None)
        result = await attempt(errand, errand.lines[candidate.column])
        if not isinstance(result, Fault):
            return result
        verdict_on(errand, result)
    is_pinned = all(leg.columns is not None for leg in errand.decision.selection.legs)
    raise exhausted(errand.failures, cooling, monotonic(), is_pinned, is_cut_short)


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


async def attempt(errand: Errand, line: Line) -> Whole | Begun | Fault:
    """Try one target, and let health learn of a failure at once."""
    prompt = errand.prompt
    codec = codec_of(errand.asked.inbound, line.dialect)
    outgoing = codec.request(errand.asked, manner_for(errand, line))
    losses = outgoing.losses if prompt.wishes is None else (*outgoing.losses, *unheeded(prompt.wishes))
    if losses and refuses_losses(errand):
        errand.health.released(line.column)
        return passed_over(errand, line, losses)
    key = errand.health.take_key(line.column, monotonic(), errand.recollection.key_for(line.target))
    call = Call(
        column=line.column,
        target=line.target,
        provider=line.provider.name,
        model=line.manner.model,
        url=line.stream_url if prompt.stream else line.url,
        proxy=line.proxy,
        headers=line.headers_for(errand.caller_headers, outgoing.headers, key),
        codec=codec,
        asked=errand.asked,
        body=outgoing.body,
        losses=losses,
        connect_seconds=errand.fallback.connect_seconds,
        patience_seconds=patience_seconds(errand, line),
        over_at=errand.over_at,
        is_first=not errand.attempts,
        secrets=() if line.login is None else errand.transport.wallet.secrets(line.login),
        fixed_secrets=line.secrets,
        guarded=line.guarded,
        max_answer_bytes=line.max_answer_bytes,
        key=key,
        key_count=len(line.headers),
        login=line.login,
    )
    errand.sent_at = started = monotonic()
    try:
        if prompt.stream:
            result: Whole | Begun | Fault = await begin(call, errand.transport)
        else:
            result = await fetch(call, errand.transport)
    except asyncio.CancelledError:
        errand.attempts.append(record_of(call, Timing(started), "cancelled", CANCELLED))
        errand.health.given_up(line.column, key)
        raise
    if isinstance(result, Fault):
        ended = monotonic()
        errand.waited_seconds += ended - started
        errand.sent_at = 0.0
        errand.failures.append((line.target, result))
        errand.attempts.append(record_of(call, Timing(started, ended=ended), "failed", result))
        errand.health.failed(line.column, ended, result, key)
    return result


def refuses_losses(errand: Errand) -> bool:
    """Whether the router, or the caller in OpenRouter's words, wants nobody who would lose something."""
    wishes = errand.prompt.wishes
    return errand.decision.policy.settings.loss == "refuse" or (wishes is not None and wishes.require_parameters)


def unheeded(wishes: Wishes) -> tuple[Loss, ...]:
    """What a caller wishes of his provider, and nothing here knows of any provider."""
    return tuple(Loss(f"provider.{name}", "no provider is known by that here") for name in wishes.unheeded)


def manner_for(errand: Errand, line: Line) -> TargetManner:
    """The line's manner, with the experimental features that the caller asks Anthropic for."""
    if line.manner.family != "anthropic":
        return line.manner
    beta = next((value for name, value in errand.caller_headers if name == b"anthropic-beta"), b"")
    return replace(line.manner, beta=beta.decode("latin-1")) if beta else line.manner


def passed_over(errand: Errand, line: Line, losses: tuple[Loss, ...]) -> Fault:
    """A target that is not asked, because the router wants nothing lost. It takes no attempt from the others."""
    told = "; ".join(f"{loss.field}: {loss.reason}" for loss in losses[:MOST_LOSSES])
    fault = Fault(FaultKind.LOSS, None, None, f"would lose {told}", b"", "")
    errand.failures.append((line.target, fault))
    return fault


def patience_seconds(errand: Errand, line: Line) -> float:
    """How long to wait for a stream's first content, or for a whole answer: as long as a slow but live one takes."""
    rules, left = errand.fallback, errand.over_at - monotonic()
    first = rules.reasoning_first_token_seconds if line.reasoning else rules.first_token_seconds
    figures = errand.decision.profile.figures
    if errand.prompt.stream:
        if rules.learned:
            first = min(first, learned_seconds(errand, line))
        return min(first, left)
    if figures.output_tokens == 0:
        return min(first + figures.input_tokens * SLOWEST_CREDIBLE_SECONDS_PER_INPUT_TOKEN, left)
    expected_tokens = errand.prompt.max_output_tokens or 4.0 * figures.output_tokens
    return min(first + expected_tokens * SLOWEST_CREDIBLE_SECONDS_PER_TOKEN, left)


def learned_seconds(errand: Errand, line: Line) -> float:
    """Twice what the target's slowest answers take until their first token, and a long prompt's reading on top."""
    slowest = errand.health.slowest_first_token_seconds(line.column, monotonic())
    floor = REASONING_FLOOR_SECONDS if line.reasoning else FLOOR_SECONDS
    reading = errand.decision.profile.figures.input_tokens * SLOWEST_CREDIBLE_READING_SECONDS_PER_TOKEN
    return max(floor, 2.0 * slowest) + reading


def verdict_on(errand: Errand, fault: Fault) -> Verdict:
    """What to do about a fault under this router's rules. Raises when it is the caller's."""
    verdict = RULES[fault.kind].verdict
    if fault.kind is FaultKind.CONTENT_FILTER and errand.fallback.on_content_filter:
        return Verdict.NEXT
    if verdict is Verdict.CALLER:
        raise ProviderRefused(fault.message, status=fault.status or 400, code=fault.code or None, body=fault.body)
    return verdict
