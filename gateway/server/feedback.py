"""POST /v1/feedback: how good an answer was, from whoever had asked for it."""

import asyncio
from pathlib import Path
from time import time

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from core.predictor import TASKS
from gateway.accounting.feedback import Feedback, FeedbackBook
from gateway.accounting.ledger import Ledger
from gateway.errors import FeedbackDisabled, InvalidRequest, NotFound
from gateway.server.inquiry import DECISION, FOUND, answer
from gateway.server.limits import read_body
from gateway.server.state import State

MAX_BYTES = 4_096
EXPECTED = '{"decision": "dec_...", "score": 0 to 1} is expected, or "task", what was really asked for, or both'


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    """The body. Nothing else is taken, so that no text gets into the ledger."""

    decision: str
    score: float | None = None
    task: str = ""


SAID = msgspec.json.Decoder(Said).decode


class FeedbackDesk:
    """Takes feedback and keeps it beside the receipts."""

    def __init__(self, state: State, ledger: Ledger) -> None:
        self._state = state
        self._ledger = ledger
        self._book = FeedbackBook(Path(state.live.current.settings.ledger.path))

    async def take(self, request: Request) -> Response:
        """Keep what a caller says of one of his answers; said again it takes the place of what was said before."""
        caller = self._state.callers.identify(request.scope["headers"], request.scope["query_string"])
        if not self._state.live.current.settings.learning.enabled:
            raise FeedbackDisabled
        said = read(await read_body(request.scope, request.receive, MAX_BYTES))
        if await self._asked_by(said.decision) != caller.name:
            raise NotFound(f"There is no decision {said.decision[:64]!r} of yours; its id is in x-steelyard-decision")
        await asyncio.to_thread(self._book.add, Feedback(said.decision, time(), said.score, task=said.task))
        return answer(msgspec.json.encode({"object": "feedback", **msgspec.structs.asdict(said)}))

    async def _asked_by(self, decision_id: str) -> str | None:
        """The name of the key that a decision was made for; None when nobody knows of it."""
        kept = self._state.decisions.find(decision_id)
        if kept is not None:
            return kept.receipt.key
        if elsewhere := await self._state.neighbours.ask(DECISION, decision_id.encode()):
            return FOUND(elsewhere[0]).key
        receipt = await asyncio.to_thread(self._ledger.find, decision_id)
        return None if receipt is None else receipt.key


def read(body: bytes) -> Said:
    """Raises InvalidRequest, which says what is wrong with it."""
    try:
        said = SAID(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"The feedback cannot be read ({error}); {EXPECTED}") from error
    if said.score is None and not said.task:
        raise InvalidRequest(f"There is neither a score nor a task; {EXPECTED}")
    if said.score is not None and not 0 <= said.score <= 1:
        raise InvalidRequest(f"score is {said.score:g}; {EXPECTED}", param="score")
    if said.task and said.task not in TASKS:
        raise InvalidRequest(f"task is {said.task[:40]!r}; one of {', '.join(TASKS)} is expected", param="task")
    return said
