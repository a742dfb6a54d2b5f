"""What became of an errand, as a Receipt."""

from time import monotonic

from gateway.accounting.receipt import AttemptRecord, Receipt
from gateway.accounting.usage import settle
from gateway.errors import GatewayError
from gateway.execution.attempt import Begun, Whole, record_of
from gateway.execution.errand import Arrival, Errand
from gateway.execution.spending import NOTHING_SPENT, Spent, priced, total
from gateway.providers.faults import Fault
from gateway.routing.explain import summary
from gateway.wire.conversation import Loss
from gateway.wire.delta import Usage
from gateway.wire.prompt import Prompt

NOTHING = Usage()
MOST_CALLER_SHARE = 0.2  # of a stream's time, spent on writing to the caller, for its speed to be the provider's


def spent_by(errand: Errand, answer: Whole | Begun) -> Spent:
    """Settle the provider's count against ours, and price it."""
    column = answer.call.column
    read = answer.facts if isinstance(answer, Whole) else answer.relay
    is_whole = isinstance(answer, Whole) or answer.relay.complete
    ours = counted_by_us(errand, answer)
    usage = settle(read.usage, ours if is_whole else errand.health.counting.corrected(column, ours), is_whole=is_whole)
    return priced(usage, errand.lines[column], errand.prompt.image_count)


def counted_by_us(errand: Errand, answer: Whole | Begun) -> Usage:
    """What was read and written, by our own estimate."""
    read = answer.facts if isinstance(answer, Whole) else answer.relay
    asked = int(errand.decision.profile.figures.input_tokens) + errand.written_tokens
    return Usage(asked, output_tokens=read.output_tokens_estimate, estimated=True)


def learn(errand: Errand, answer: Whole | Begun, spent: Spent) -> None:
    """Tell health that the target answered, how fast, and what it counted.

    A whole answer hides when its first token came, so that time is taken from what is known of the target. A stream
    whose caller was slow hides how fast the provider was: what waits in the buffers comes at once.
    """
    timing, column = answer.timing, answer.call.column
    first_token = timing.first_token - timing.started if timing.first_token else None
    took = timing.ended - timing.started
    writing = took - first_token if first_token is not None else took - first_token_seconds(errand, column, took)
    if errand.decision.profile.figures.output_tokens == 0:
        first_token = took  # nothing is written, so the answer is there with its first byte
    tokens = spent.usage.output_tokens
    is_measured = tokens > 1 and not spent.usage.estimated and timing.caller_seconds <= MOST_CALLER_SHARE * writing
    per_token = writing / tokens if is_measured else None
    input_tokens = errand.decision.profile.figures.input_tokens
    if isinstance(answer, Begun) and not spent.usage.estimated:
        errand.health.counting.heard(column, spent.usage, counted_by_us(errand, answer))
    errand.health.answered(column, timing.ended, first_token, per_token, answer.call.key, input_tokens)


def first_token_seconds(errand: Errand, column: int, took: float) -> float:
    """What is known of the target's time to the first token, but never more than nine tenths of what it took."""
    return min(float(errand.decision.live.first_token_seconds[column]), 0.9 * took)


def receipt_of_answer(
    errand: Errand,
    answer: Whole | Begun,
    spent: Spent,
    outcome: str,
    fault: Fault | None = None,
    malformed_call: bool = False,
) -> Receipt:
    """The receipt of a request that was answered, whole or in part ("ok", "cut", "disconnected")."""
    first_token = errand.first_token or answer.timing.first_token
    attempt = record_of(answer.call, answer.timing, outcome, fault, spent.cost_nano_usd or 0)
    read = answer.facts if isinstance(answer, Whole) else answer.relay
    return receipt(
        errand,
        status=200,
        outcome=outcome,
        column=answer.call.column,
        spent=spent,
        attempts=(*errand.attempts, attempt),
        losses=answer.call.losses,
        finish=read.finish,
        malformed_call=malformed_call,
        first_token_seconds=first_token - errand.arrival.started if first_token else None,
    )


def receipt_of_failure(errand: Errand, status: int, outcome: str) -> Receipt:
    """The receipt of a request that nobody answered ("failed", "refused", "disconnected")."""
    return receipt(
        errand,
        status=status,
        outcome=outcome,
        column=None,
        spent=NOTHING_SPENT,
        attempts=tuple(errand.attempts),
        first_token_seconds=None,
    )


def receipt(
    errand: Errand,
    *,
    status: int,
    outcome: str,
    column: int | None,
    spent: Spent,
    attempts: tuple[AttemptRecord, ...],
    first_token_seconds: float | None,
    losses: tuple[Loss, ...] = (),
    finish: str = "",
    malformed_call: bool = False,
) -> Receipt:
    arrival, prompt, decision = errand.arrival, errand.prompt, errand.decision
    figures = decision.profile.figures
    told = summary(decision, column, errand.standings)
    spent = spent.with_earlier(errand.earlier)
    line = None if column is None else errand.lines[column]
    offer = None if column is None else decision.targets.offers[column]
    return Receipt(
        id=arrival.id,
        time=arrival.unix,
        key=arrival.key,
        router=decision.policy.name,
        dialect=prompt.dialect,
        requested=prompt.model,
        target="" if line is None else line.target,
        model="" if offer is None else offer.model,
        provider="" if offer is None else offer.provider,
        status=status,
        outcome=outcome,
        stream=prompt.stream,
        fallback=errand.is_fallback(column),
        usage=spent.usage,
        cost_nano_usd=total(spent.cost_nano_usd, errand.outpaced_nano_usd),
        cost_estimated=spent.usage.estimated or bool(errand.outpaced_nano_usd),
        carbon_g=0.0 if column is None else None if spent.carbon is None else spent.carbon.g,
        carbon=spent.carbon,
        seconds=monotonic() - arrival.started,
        first_token_seconds=first_token_seconds,
        overhead_seconds=errand.overhead_seconds(),
        task=decision.profile.task,
        session=prompt.session,
        catalog_version=errand.catalog_version,
        attempts=attempts,
        losses=losses,
        standings=told.standings,
        margin=told.margin,
        excluded=told.excluded,
        explored=told.explored,
        input_tokens_estimate=int(figures.input_tokens),
        output_tokens_estimate=int(figures.output_tokens),
        finish=finish,
        malformed_call=malformed_call,
        language=decision.profile.language,
        learned_weights=decision.targets.learned_weights,
        wording=b""
        if decision.profile.prediction.wording is None
        else decision.profile.prediction.wording.representation,
        decided=b"" if prompt.wishes is not None else errand.packer.pack(decision, prompt.chain),
    )


def receipt_of_refusal(arrival: Arrival, error: GatewayError, dialect: str, prompt: Prompt | None) -> Receipt:
    """The receipt of a request that never became an errand: it could not be read, or nothing was eligible."""
    return Receipt(
        id=arrival.id,
        time=arrival.unix,
        key=arrival.key,
        router="",
        dialect=dialect,
        requested="" if prompt is None else prompt.model,
        target="",
        model="",
        provider="",
        status=error.status,
        outcome="refused",
        stream=prompt is not None and prompt.stream,
        fallback=False,
        usage=NOTHING,
        cost_nano_usd=0,
        cost_estimated=False,
        carbon_g=0.0,
        seconds=monotonic() - arrival.started,
        first_token_seconds=None,
        overhead_seconds=monotonic() - arrival.received,
        task="",
        session="" if prompt is None else prompt.session,
        catalog_version="",
    )
