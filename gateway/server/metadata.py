"""The `steelyard` object and headers of an answer: a projection of its receipt."""

import msgspec
from msgspec import Raw, Struct

from gateway.accounting.carbon import Carbon
from gateway.accounting.cost import format_usd, usd_number
from gateway.accounting.receipt import AttemptRecord, Receipt
from gateway.wire.conversation import Loss
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
    score: float | None  # of who answered; null when nobody did
    margin: float | None  # first choice's score minus the runner-up's, at the decision; null after a fallback
    fallback: bool
    candidates: tuple[Standing, ...]  # who answered first, then the best others
    attempts: tuple[AttemptRecord, ...]
    losses: tuple[Loss, ...]  # what could not be said in the format of who answered
    usage: Usage
    cost_usd: Raw | None  # a JSON number, exact to the nano-dollar
    cost_estimated: bool
    carbon_g: float | None
    carbon: Carbon | None  # the same with its band and what it rests on
    latency: Latency


ENCODE = msgspec.json.Encoder().encode
MOST_LOSSES = 20  # fields named in the header
LONGEST_HEADER = 2_000  # bytes


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
            score=receipt.standings[0].score if receipt.target else None,
            margin=receipt.margin,
            fallback=receipt.fallback,
            candidates=receipt.standings,
            attempts=receipt.attempts,
            losses=receipt.losses,
            usage=receipt.usage,
            cost_usd=None if cost is None else usd_number(cost),
            cost_estimated=receipt.cost_estimated,
            carbon_g=receipt.carbon_g,
            carbon=receipt.carbon,
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
    """The headers that every answer carries, errors included; router, model and provider only once they are known.

    All values come from us or from the catalog.
    """
    headers = [
        *request_ids(decision),
        (b"x-steelyard-decision", decision.encode()),
        (b"x-steelyard-attempts", b"%d" % attempts),
        (b"x-steelyard-fallback", b"true" if fallback else b"false"),
        (b"x-steelyard-overhead-ms", b"%.3f" % (overhead_seconds * 1e3)),
    ]
    if router:
        headers.append((b"x-steelyard-router", header_value(router)))
    if model:
        headers.append((b"x-steelyard-model", header_value(model)))
        headers.append((b"x-steelyard-provider", header_value(provider)))
    return headers


def request_ids(identity: str) -> tuple[tuple[bytes, bytes], ...]:
    """The headers by which a request is found in the log; OpenAI's SDKs show the one, Anthropic's the other."""
    value = identity.encode()
    return (b"x-request-id", value), (b"request-id", value)


def cost_header(cost_nano_usd: int | None) -> list[tuple[bytes, bytes]]:
    """The cost, absent when no price is known: unknown is not zero."""
    return [] if cost_nano_usd is None else [(b"x-steelyard-cost-usd", format_usd(cost_nano_usd).encode())]


def loss_header(losses: tuple[Loss, ...]) -> list[tuple[bytes, bytes]]:
    """The fields that were lost on the way to the provider; why stands in the `steelyard` object."""
    if not losses:
        return []
    fields = dict.fromkeys(loss.field for loss in losses)
    named = [field for field in fields if field.isascii() and field.isprintable()][:MOST_LOSSES]
    more = len(fields) - len(named)
    return [(b"x-steelyard-loss", (", ".join(named) + (f" and {more} more" if more else "")).encode()[:LONGEST_HEADER])]


def header_value(text: str) -> bytes:
    """Names go into headers only if they are plain printable ASCII of sane length."""
    return text.encode() if text.isascii() and text.isprintable() and len(text) <= 200 else b"?"
