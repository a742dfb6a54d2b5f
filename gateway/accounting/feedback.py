"""What was said of answers, kept in the ledger's file. Texts are never part of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from gateway.accounting.sqlite_ledger import migrate, unavailable
from gateway.settings.names import SHADOW

if TYPE_CHECKING:
    from sqlite3 import Connection

NO_SCORE = -1.0  # in the table, whose column takes no NULL
CALLER = "caller"  # who said it: whoever had asked
OF_SHADOW = "-shadow"  # behind a decision's id: that of another model's answer to the same request

INSERT = """
    INSERT INTO feedback (decision, origin, time, score, task) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (decision, origin) DO UPDATE SET time = excluded.time,
        score = CASE WHEN excluded.score < 0 THEN score ELSE excluded.score END,
        task = CASE excluded.task WHEN '' THEN task ELSE excluded.task END
"""
JUDGED = """
    SELECT receipt.time, model, CASE feedback.task WHEN '' THEN receipt.task ELSE feedback.task END, origin, score, key,
        decision
    FROM feedback JOIN receipt ON receipt.id = decision
    WHERE receipt.time >= ? AND model != '' AND score >= 0 ORDER BY receipt.time
"""
LABELLED = """
    SELECT receipt.time, key, origin, feedback.task, json
    FROM feedback JOIN receipt ON receipt.id = decision JOIN detail USING (number)
    WHERE receipt.time >= ? AND feedback.task != '' ORDER BY receipt.time DESC LIMIT ?
"""
ANSWERED = """
    SELECT time, model, task, key, session, json FROM receipt JOIN detail USING (number)
    WHERE time >= ? AND outcome = 'ok' AND key != ? ORDER BY time DESC LIMIT ?
"""


class Feedback(Struct, frozen=True):
    """What somebody says of one answer. A later word of the same origin takes the place of an earlier one.

    What is left out of the later one stays.
    """

    decision: str
    time: float  # Unix seconds
    score: float | None  # 0-1: how good the answer was; None: nothing is said of that
    origin: str = CALLER
    task: str = ""  # what was really asked for; "": what was taken for it


class Judged(Struct, frozen=True, array_like=True):
    """An answer that somebody has judged."""

    time: float
    model: str
    task: str
    origin: str
    score: float
    key: str  # of whoever had asked
    decision: str


class AnswerDetail(Struct, frozen=True):
    """What only the receipt's document says."""

    finish: str = ""
    input_tokens_estimate: int = 0
    wording: bytes = b""
    malformed_call: bool = False


class Labelled(Struct, frozen=True):
    """A request of which somebody has said what it was about."""

    time: float
    key: str  # of whoever had asked
    origin: str
    task: str
    wording: bytes  # `core.representation`; b"" where nothing was kept of it


class Answered(Struct, frozen=True):
    """An answer as the conversation went on from it."""

    time: float
    model: str
    task: str
    key: str
    session: str
    finish: str
    input_tokens: int  # as estimated; the same turn asked again has as many
    malformed_call: bool = False  # it called a tool with what is no JSON object


DETAIL = msgspec.json.Decoder(AnswerDetail).decode


class FeedbackBook:
    """Beside the receipts in the SQLite file. Every method raises LedgerUnavailable when it cannot be had."""

    def __init__(self, path: Path, busy_seconds: float = 5.0) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._has_tables = False

    def add(self, feedback: Feedback) -> None:
        """Keep it; on the disk when this returns."""
        with self._open() as connection:
            score = NO_SCORE if feedback.score is None else feedback.score
            connection.execute(INSERT, (feedback.decision, feedback.origin, feedback.time, score, feedback.task))

    def judged(self, since: float) -> list[Judged]:
        """Every judgement of an answer that was asked for since then, in the order of the requests. Unix seconds."""
        with self._open() as connection:
            return [Judged(*row) for row in connection.execute(JUDGED, (since,))]

    def labelled(self, since: float, limit: int) -> list[Labelled]:
        """The latest requests since then whose task somebody has told, newest first."""
        with self._open() as connection:
            rows = connection.execute(LABELLED, (since, limit))
            return [
                Labelled(time, key, origin, task, detail_of(document).wording)
                for time, key, origin, task, document in rows
            ]

    def answered(self, since: float, limit: int) -> list[Answered]:
        """The latest good answers since then that somebody has asked for, newest first."""
        with self._open() as connection:
            return [answered_of(row) for row in connection.execute(ANSWERED, (since, SHADOW, limit))]

    @contextmanager
    def _open(self) -> Iterator["Connection"]:
        import sqlite3

        with unavailable(self._path):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=self._busy_seconds, isolation_level=None)
            try:
                if not self._has_tables:
                    self._path.chmod(0o600)
                    connection.execute("PRAGMA journal_mode = WAL")
                    migrate(connection)
                    self._has_tables = True
                yield connection
            finally:
                connection.close()


def answered_of(row: tuple[float, str, str, str, str, bytes]) -> Answered:
    time, model, task, key, session, document = row
    detail = detail_of(document)
    return Answered(time, model, task, key, session, detail.finish, detail.input_tokens_estimate, detail.malformed_call)


def detail_of(document: bytes) -> AnswerDetail:
    try:
        return DETAIL(document)
    except msgspec.MsgspecError:
        return AnswerDetail()
