"""Carry a request along its plan: one target after the other, until one answers or nobody can."""

import asyncio
from collections import deque
from collections.abc import Sequence
from time import monotonic

from msgspec import Struct

from gateway.accounting.receipt import AttemptRecord
from gateway.dialects.splice import upstream_body
from gateway.errors import ContextTooLong, GatewayError, Overloaded, PayloadTooLarge, ProviderRefused, UpstreamExhausted
from gateway.execution.attempt import Begun, Call, Timing, Whole, begin, fetch, record_of
from gateway.execution.health import Cooldown, Health
from gateway.execution.lines import Line
from gateway.providers.faults import RULES, Fault, FaultKind, Verdict
from gateway.routing.plan import Candidate, Decision, with_larger_window
from gateway.settings.schema import Fallback
from gateway.transport.send import Transport
from gateway.wire.prompt import Prompt

SLOWEST_CREDIBLE_SECONDS_PER_TOKEN = 0.2  # 5 tokens/s: a whole answer slower than this has stalled
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
    prompt: Prompt
    decision: Decision
    lines: tuple[Line, ...]
    health: Health
    transport: Transport
    fallback: Fallback
    caller_headers: list[tuple[bytes, bytes]]
    catalog_version: str
    standings: int  # how many candidates the receipt tells of
    attempts: list[AttemptRecord] = []
    faults: list[Fault] = []
    sent_at: float = 0.0  # monotonic second of the last send
    waited_seconds: float = 0.0  # spent on attempts that failed
    answered_at: float = 0.0  # monotonic second at which a whole answer had come; 0 for a stream

    @property
    def over_at(self) -> float:
        """Monotonic second after which nobody else is asked, and no answer awaited."""
        return self.arrival.received + self.fallback.total_seconds

    def overhead_seconds(self) -> float:
        """Our own share: from the request's last byte to the last send, and from a whole answer to now."""
        now = monotonic()
        before = (self.sent_at or now) - self.arrival.received - self.waited_seconds
        return before + (now - self.answered_at if self.answered_at else 0.0)


async def carry(errand: Errand) -> Whole | Begun:
    """The first good answer. Raises what the caller must be told when there is none."""
    queue = deque(errand.decision.plan.candidates)
    kept_out: list[Candidate] = []
    cooling: list[Cooldown] = []
    while queue and len(errand.attempts) < errand.fallback.max_attempts and (now := monotonic()) < errand.over_at:
        candidate = queue.popleft()
        cooldown = errand.health.cooldown(candidate.column, now)
        if cooldown is not None:
            cooling.append(cooldown)
        elif not errand.health.admits(candidate.column, now):
            kept_out.append(candidate)
        else:
            result = await attempt(errand, errand.lines[candidate.column])
            if not isinstance(result, Fault):
                return result
            if verdict_on(errand, result) is Verdict.LARGER_WINDOW:
                queue = larger_than(errand, candidate)
    # Panic mode: every breaker is open, and a call that may fail beats one that surely does.
    if kept_out and not errand.attempts:
        result = await attempt(errand, errand.lines[kept_out[0].column])
        if not isinstance(result, Fault):
            return result
        verdict_on(errand, result)
    raise exhausted(errand.faults, cooling, monotonic())


def larger_than(errand: Errand, candidate: Candidate) -> deque[Candidate]:
    """Who is left to ask when this one's context window was too small."""
    tried = {attempt.target for attempt in errand.attempts}
    larger = with_larger_window(errand.decision, errand.lines[candidate.column].window)
    return deque(one for one in larger if one.target not in tried)


async def attempt(errand: Errand, line: Line) -> Whole | Begun | Fault:
    """Try one target, and let health learn of a failure at once."""
    prompt = errand.prompt
    call = Call(
        column=line.column,
        target=line.target,
        provider=line.provider.name,
        url=line.url,
        proxy=line.proxy,
        headers=line.headers_for(errand.caller_headers),
        body=upstream_body(
            prompt,
            line.upstream_name,
            stream_usage=line.provider.stream_usage,
            drop_fields=line.provider.drop_fields,
            max_tokens_field=line.provider.max_tokens_field,
        ),
        connect_seconds=errand.fallback.connect_seconds,
        patience_seconds=patience_seconds(errand, line),
        over_at=errand.over_at,
        secrets=line.secrets,
    )
    errand.sent_at = started = monotonic()
    try:
        if prompt.stream:
            result: Whole | Begun | Fault = await begin(call, errand.transport, prompt.wants_usage, prompt.choices)
        else:
            result = await fetch(call, errand.transport)
    except asyncio.CancelledError:
        errand.attempts.append(record_of(call, Timing(started), "cancelled", CANCELLED))
        raise
    if isinstance(result, Fault):
        ended = monotonic()
        errand.waited_seconds += ended - started
        errand.faults.append(result)
        errand.attempts.append(record_of(call, Timing(started, ended=ended), "failed", result))
        errand.health.failed(line.column, ended, result)
    return result


def patience_seconds(errand: Errand, line: Line) -> float:
    """How long to wait for a stream's first content, or for a whole answer: as long as a slow but live one takes."""
    rules, left = errand.fallback, errand.over_at - monotonic()
    first = rules.reasoning_first_token_seconds if line.reasoning else rules.first_token_seconds
    if errand.prompt.stream:
        return min(first, left)
    expected_tokens = errand.prompt.max_output_tokens or 4.0 * errand.decision.profile.figures.output_tokens
    return min(first + expected_tokens * SLOWEST_CREDIBLE_SECONDS_PER_TOKEN, left)


def verdict_on(errand: Errand, fault: Fault) -> Verdict:
    """What to do about a fault under this router's rules. Raises when it is the caller's."""
    verdict = RULES[fault.kind].verdict
    if fault.kind is FaultKind.CONTENT_FILTER and errand.fallback.on_content_filter:
        return Verdict.NEXT
    if verdict is Verdict.CALLER:
        raise ProviderRefused(fault.message, status=fault.status or 400, code=fault.code or None, body=fault.body)
    return verdict


def exhausted(faults: Sequence[Fault], cooling: Sequence[Cooldown], now: float) -> GatewayError:
    """What the caller is told when every candidate failed or must not be asked now."""
    kinds = {fault.kind for fault in faults} | {cooldown.kind for cooldown in cooling}
    said = [f"{fault.kind.value}: {fault.message}" for fault in faults]
    told = "; ".join(dict.fromkeys([*said, *(f"{cooldown.kind.value}: still cooling down" for cooldown in cooling)]))
    waits = [fault.wait_seconds for fault in faults if fault.wait_seconds is not None]
    retry_after = min([*waits, *(cooldown.until - now for cooldown in cooling)], default=None)
    if FaultKind.CONTEXT_TOO_LONG in kinds:
        return ContextTooLong(f"The request is longer than every candidate's context window. {told}")
    if kinds == {FaultKind.TOO_LARGE}:
        return PayloadTooLarge(f"The request is larger than every candidate takes. {told}")
    if not kinds - {FaultKind.RATE_LIMITED}:
        error: GatewayError = UpstreamExhausted(
            f"Rate limit reached at every candidate; try again later. {told}",
            status=429,
            code="rate_limit_exceeded",
            retry_after_seconds=retry_after or 1.0,
        )
        error.type = "rate_limit_error"
        return error
    if not kinds - {FaultKind.CREDENTIALS, FaultKind.PERMISSION, FaultKind.QUOTA_EXHAUSTED}:
        return UpstreamExhausted(f"No candidate accepts our credentials. {told}", code="upstream_credentials_exhausted")
    if kinds & {FaultKind.OVERLOADED, FaultKind.RATE_LIMITED} or retry_after is not None:
        return Overloaded(f"Every candidate failed or is cooling down. {told}", retry_after_seconds=retry_after or 5.0)
    timeouts = {FaultKind.HEADER_TIMEOUT, FaultKind.FIRST_TOKEN_TIMEOUT, FaultKind.TOTAL_TIMEOUT}
    if not kinds - timeouts - {FaultKind.CONNECT_TIMEOUT}:
        return UpstreamExhausted(f"No candidate answered in time. {told}", status=504, code="upstream_timeout")
    return UpstreamExhausted(f"Every candidate failed. {told}")
