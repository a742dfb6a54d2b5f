"""Ask one target on an errand's behalf: what it is sent, and what health and the receipt learn of it."""

import asyncio
from time import monotonic
from typing import cast

from msgspec.structs import replace

from gateway.accounting.receipt import AttemptRecord
from gateway.dialects.codec import Codec
from gateway.dialects.codecs import codec_of
from gateway.dialects.continuing import Noted
from gateway.dialects.contract import Inbound, TargetManner
from gateway.dialects.formats import OUTBOUND
from gateway.errors import GatewayError
from gateway.execution.attempt import Begun, Call, Timing, Whole, begin, fetch, record_of
from gateway.execution.errand import Errand
from gateway.execution.lines import Line
from gateway.execution.patience import patience_seconds
from gateway.providers.faults import Fault, FaultKind
from gateway.wire.conversation import Loss
from gateway.wire.delta import Usage
from gateway.wire.wishes import Wishes

MOST_LOSSES = 5  # named in an error
CANCELLED = Fault(FaultKind.CANCELLED, None, None, "given up: nobody waits for it any more", b"", "")


def prepare(errand: Errand, line: Line, *, is_first: bool, codec: Codec | None = None) -> Call | Fault:
    """The call to a target that health admits; a fault when it is passed over.

    is_first: no other attempt has taken of the request's time. codec: where it is not the usual one.
    Whoever gets a call must `ask`, or `hand_back`.
    """
    prompt = errand.prompt
    codec = codec or usual_codec(errand, line)
    try:
        outgoing = codec.request(errand.asked, manner_for(errand, line))
    except GatewayError:  # what is asked cannot be said in that format
        errand.health.released(line.column)
        raise
    losses = outgoing.losses if prompt.wishes is None else (*outgoing.losses, *unheeded(prompt.wishes))
    if losses and refuses_losses(errand):
        errand.health.released(line.column)
        return passed_over(errand, line, losses)
    key = errand.health.take_key(line.column, monotonic(), errand.recollection.key_for(line.target))
    return Call(
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
        is_first=is_first,
        secrets=() if line.login is None else errand.transport.wallet.secrets(line.login),
        fixed_secrets=line.secrets,
        guarded=line.guarded,
        max_answer_bytes=line.max_answer_bytes,
        headroom=errand.health.headroom,
        key=key,
        key_count=len(line.headers),
        login=line.login,
    )


def usual_codec(errand: Errand, line: Line) -> Codec:
    """That of the two formats; one that remembers what the caller is told, where somebody may have to go on with it."""
    prompt, inbound = errand.prompt, errand.asked.inbound
    codec = codec_of(inbound, line.dialect)
    if errand.fallback.midstream == "continue" and prompt.stream and prompt.choices == 1:
        return Noted(codec, cast("Inbound", inbound), OUTBOUND[line.dialect])
    return codec


async def ask(errand: Errand, call: Call) -> Whole | Begun | Fault:
    """Make the call. Health learns of a failure at once, and of an answer when it has come to its end."""
    started = monotonic()
    try:
        if errand.prompt.stream:
            result: Whole | Begun | Fault = await begin(call, errand.transport)
        else:
            result = await fetch(call, errand.transport)
    except asyncio.CancelledError:
        give_up(errand, call, started)
        raise
    if isinstance(result, Fault):
        ended = monotonic()
        errand.failures.append((call.target, result))
        errand.attempts.append(record_of(call, Timing(started, ended=ended), "failed", result))
        errand.health.failed(call.column, ended, result, call.key)
    return result


def give_up(errand: Errand, call: Call, started: float) -> None:
    """Nobody waits for this attempt any more: another has begun to answer, or the request is over."""
    has_left = call.departure is None or call.departure.has_begun
    if not errand.is_won or not has_left:
        errand.attempts.append(record_of(call, Timing(started), "cancelled", CANCELLED))
        errand.health.given_up(call.column, call.key)
        return
    ended = monotonic()
    # It was at work, and its prompt will be on the bill; what it has written, if anything, nobody has counted.
    read = errand.health.counting.corrected(call.column, Usage(int(errand.decision.profile.figures.input_tokens)))
    cost = errand.lines[call.column].prices.cost_nano_usd(read, errand.prompt.image_count)
    so_far = errand.outpaced_nano_usd
    errand.outpaced_nano_usd = None if cost is None or so_far is None else so_far + cost
    errand.attempts.append(
        AttemptRecord(
            target=call.target,
            outcome="outpaced",
            seconds=ended - started,
            cost_nano_usd=cost or 0,
            key=call.key + 1 if call.key_count > 1 else 0,
        )
    )
    input_tokens = errand.decision.profile.figures.input_tokens
    errand.health.outpaced(call.column, ended, ended - started, call.key, input_tokens)


def hand_back(errand: Errand, call: Call) -> None:
    """The call is not made."""
    errand.health.given_up(call.column, call.key)


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
