"""A call that no caller waits for: carried as any other is, paid for, and told apart in the ledger."""

import asyncio
from collections.abc import Callable
from time import monotonic, time

from msgspec.structs import replace

from gateway.accounting.receipt import Receipt
from gateway.dialects.codec import Asked, Identity
from gateway.errors import GatewayError
from gateway.execution.attempt import Begun, Whole
from gateway.execution.errand import Arrival, Errand
from gateway.execution.hedge_budget import HedgeBudget
from gateway.execution.outcome import learn, receipt_of_answer, receipt_of_failure, spent_by
from gateway.execution.retry_budget import RetryBudget
from gateway.execution.run import carry
from gateway.execution.stream import pump
from gateway.routing.plan import Decision
from gateway.settings.names import SHADOW

Record = Callable[[Receipt], None]


async def carry_aside(errand: Errand, most_bytes: int, record: Record) -> bytes:
    """The whole answer in the format that it was asked for in; b"" when there is none, or a longer one.

    record: takes the receipt, however it ends; also when this task is cancelled.
    """
    begun: Begun | None = None
    try:
        answer = await carry(errand)
        if isinstance(answer, Whole):
            ended_well(errand, answer, record)
            return answer.body if len(answer.body) <= most_bytes else b""
        begun = answer
        return await read_stream(errand, begun, most_bytes, record)
    except GatewayError as error:
        record(receipt_of_failure(errand, error.status, "failed"))
        return b""
    except asyncio.CancelledError:
        if begun is None:
            record(receipt_of_failure(errand, 499, "disconnected"))
        elif not begun.is_settled:
            errand.health.given_up(begun.call.column, begun.call.key)
            record(receipt_of_answer(errand, begun, spent_by(errand, begun), "disconnected"))
        raise
    finally:
        if begun is not None:
            begun.close()


async def read_stream(errand: Errand, begun: Begun, most_bytes: int, record: Record) -> bytes:
    """All that a caller would have been sent; b"" when it broke off."""
    kept = bytearray()

    async def keep(piece: bytes) -> None:
        kept.extend(piece[: max(0, most_bytes + 1 - len(kept))])

    fault = await pump(begun, errand.fallback, keep)
    begun.is_settled = True
    if fault is not None:
        errand.health.failed(begun.call.column, monotonic(), fault, begun.call.key)
        record(receipt_of_answer(errand, begun, spent_by(errand, begun), "cut", fault))
        return b""
    ended_well(errand, begun, record)
    await keep(begun.closing(None, spent_by(errand, begun).usage))
    await begun.read_rest()
    return bytes(kept) if len(kept) <= most_bytes else b""


def ended_well(errand: Errand, answer: Whole | Begun, record: Record) -> None:
    """The target's figures learn of it as of any other answer."""
    spent = spent_by(errand, answer)
    learn(errand, answer, spent)
    record(receipt_of_answer(errand, answer, spent, "ok"))


def of_nobody(receipt: Receipt, router: str) -> Receipt:
    """The receipt told apart: no router has decided this call, and it is no past request to be decided again."""
    return replace(receipt, router=router, decided=b"", wording=b"")


def aside_of(
    like: Errand,
    decision_id: str,
    asked: Asked,
    decision: Decision,
    retries: RetryBudget,
    max_attempts: int,
    headers: list[tuple[bytes, bytes]],
) -> Errand:
    """A new errand with the means of a caller's, but none of the tries and second calls that are for callers.

    retries: one for such errands alone. headers: of the caller's that may travel on.
    """
    now, unix = monotonic(), time()
    identity = Identity(decision_id, int(unix))
    prompt = replace(asked.prompt, session="", wishes=None)  # with a session a turn would seem to be asked again
    rules = replace(decision.policy.settings.fallback, max_attempts=max_attempts, hedge=False, midstream="error")
    return Errand(
        arrival=Arrival(decision_id, unix, now, now, SHADOW),
        asked=Asked(prompt, asked.inbound, identity),
        decision=decision,
        lines=like.lines,
        health=like.health,
        transport=like.transport,
        fallback=rules,
        caller_headers=headers,
        catalog_version=like.catalog_version,
        standings=like.standings,
        retries=retries,
        hedges=HedgeBudget(),
        packer=like.packer,
    )
