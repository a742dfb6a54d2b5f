"""The `steelyard` object and headers of an answer: a projection of its receipt."""

import msgspec
from msgspec import Struct

from gateway.accounting.cost import format_usd
from gateway.accounting.receipt import AttemptRecord, Receipt
from gateway.wire.decision import Standing
from gateway.wire.delta import Usage


class Latency(Struct, frozen=True):
    total_seconds: float
    first_token_seconds: float | None
    overhead_ms: float


class Metadata(Struct, frozen=True):
    """What happened, in the answer itself. `GET /v1/decisions/{decision}` has every candidate and exclusion."""

    decision: str
    router: str
    task: str
    target: str
    model: str
    provider: str
    score: float | None
    margin: float | None  # winner's score minus the runner-up's, at the decision
    fallback: bool
    candidates: tuple[Standing, ...]  # who answered first, then the runners-up
    attempts: tuple[AttemptRecord, ...]
    usage: Usage
    cost_usd: float | None
    cost_estimated: bool
    carbon_g: float | None
    latency: Latency


ENCODE = msgspec.json.Encoder().encode


def metadata_of(receipt: Receipt) -> bytes:
    """The `steelyard` object as JSON."""
    cost = receipt.cost_nano_usd
    return ENCODE(
        Metadata(
            decision=receipt.id,
            router=receipt.router,
            task=receipt.task,
            target=receipt.target,
            model=receipt.model,
            provider=receipt.provider,
            score=receipt.standings[0].score if receipt.standings else None,
            margin=receipt.margin,
            fallback=receipt.fallback,
            candidates=receipt.standings,
            attempts=receipt.attempts,
            usage=receipt.usage,
            cost_usd=None if cost is None else cost * 1e-9,
            cost_estimated=receipt.cost_estimated,
            carbon_g=receipt.carbon_g,
            latency=Latency(
                total_seconds=receipt.seconds,
                first_token_seconds=receipt.first_token_seconds,
                overhead_ms=receipt.overhead_seconds * 1e3,
            ),
        )
    )


def headers_of(
    decision: str, router: str, model: str, provider: str, attempts: int, fallback: bool, overhead_seconds: float
) -> list[tuple[bytes, bytes]]:
    """The headers that every answer carries, errors included. All values come from us or from the catalog."""
    return [
        (b"x-request-id", decision.encode()),
        (b"x-steelyard-decision", decision.encode()),
        (b"x-steelyard-router", header_value(router)),
        (b"x-steelyard-model", header_value(model)),
        (b"x-steelyard-provider", header_value(provider)),
        (b"x-steelyard-attempts", b"%d" % attempts),
        (b"x-steelyard-fallback", b"true" if fallback else b"false"),
        (b"x-steelyard-overhead-ms", b"%.3f" % (overhead_seconds * 1e3)),
    ]


def cost_header(cost_nano_usd: int | None) -> list[tuple[bytes, bytes]]:
    """The cost, absent when no price is known: unknown is not zero."""
    return [] if cost_nano_usd is None else [(b"x-steelyard-cost-usd", format_usd(cost_nano_usd).encode())]


def header_value(text: str) -> bytes:
    """Names go into headers only if they are plain printable ASCII of sane length."""
    return text.encode() if text.isascii() and text.isprintable() and len(text) <= 200 else b"?"
