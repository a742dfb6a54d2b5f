"""The ledger in one SQLite file. The drainer's thread owns the writing connection; every reader opens its own."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct

from gateway.accounting.ledger import Grouping, UsageRow
from gateway.accounting.receipt import Receipt
from gateway.accounting.sqlite_schema import (
    FIND,
    INSERT_DETAIL,
    INSERT_RECEIPT,
    MIGRATIONS,
    PRUNE_DETAIL,
    PRUNE_FEEDBACK,
    PRUNE_RECEIPT,
    RECENT,
    SET_OFFSET,
    USAGE_BY,
)
from gateway.errors import LedgerUnavailable

if TYPE_CHECKING:
    from sqlite3 import Connection

Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]  # what SQLite can hold


class UsageColumns(Struct, frozen=True, gc=False):
    """The part of `Usage` that has columns."""

    input_tokens: Integer
    cached_tokens: Integer
    cache_write_tokens: Integer
    output_tokens: Integer
    reasoning_tokens: Integer
    estimated: bool


class CarbonColumns(Struct, frozen=True, gc=False):
    """The part of `Carbon` that has columns."""

    low_g: float
    high_g: float


class ReceiptColumns(Struct, frozen=True, gc=False):
    """The part of a Receipt that has columns; all else of its line is skipped, not decoded."""

    id: str
    time: float
    key: str
    router: str
    model: str
    provider: str
    target: str
    status: Integer
    outcome: str
    stream: bool
    fallback: bool
    usage: UsageColumns
    cost_nano_usd: Integer | None
    carbon_g: float | None
    seconds: float
    first_token_seconds: float | None
    task: str
    session: str
    carbon: CarbonColumns | None = None


DECODE_COLUMNS = msgspec.json.Decoder(ReceiptColumns).decode
DECODE_RECEIPT = msgspec.json.Decoder(Receipt).decode
ENCODE_RECEIPT = msgspec.json.Encoder().encode


class SqliteLedger:
    """A `Ledger` in a SQLite file, which is made at the first write. sqlite3 is imported no earlier.

    busy_seconds: how long a statement waits for another process's lock before the ledger counts as unavailable.
    """

    def __init__(self, path: Path, busy_seconds: float = 5.0) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._writer: Connection | None = None

    def write(self, receipts: Sequence[Receipt]) -> None:
        self.write_lines([ENCODE_RECEIPT(receipt) for receipt in receipts], {})

    def write_lines(self, lines: Sequence[bytes], offsets: Mapping[str, int]) -> list[bytes]:
        rows, details, refused = [], [], []
        for line in lines:
            try:
                row = row_of(line)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                refused.append(line)
            else:
                rows.append(row)
                details.append((line, row[0]))
        with self._writing() as connection:
            connection.executemany(INSERT_RECEIPT, rows)
            connection.executemany(INSERT_DETAIL, details)
            connection.executemany(SET_OFFSET, offsets.items())
        return refused

    def offsets(self) -> dict[str, int]:
        with self._writing() as connection:
            return dict(connection.execute("SELECT name, drained FROM segment"))

    def forget(self, segments: Sequence[str]) -> None:
        with self._writing() as connection:
            connection.executemany("DELETE FROM segment WHERE name = ?", [(name,) for name in segments])

    def sync(self) -> bool:
        # With synchronous=NORMAL a commit is safe from a killed process, not yet from a power cut. A checkpoint syncs.
        with unavailable(self._path):
            _, logged, checkpointed = self._connect().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            return bool(logged == checkpointed)

    def find(self, decision: str) -> Receipt | None:
        with self._reading() as connection:
            row = connection and connection.execute(FIND, (decision,)).fetchone()
            return receipt_of(row[0]) if row else None

    def recent(
        self, limit: int, key: str | None = None, router: str | None = None, before: float | None = None
    ) -> list[Receipt]:
        asked = {"limit": limit, "key": key, "router": router, "before": float("inf") if before is None else before}
        with self._reading() as connection:
            return [receipt_of(row[0]) for row in connection.execute(RECENT, asked)] if connection else []

    def usage(
        self, since: float, until: float, by: Grouping, key: str | None = None, router: str | None = None
    ) -> list[UsageRow]:
        asked = {"since": since, "until": until, "key": key, "router": router}
        with self._reading() as connection:
            return [UsageRow(*row) for row in connection.execute(USAGE_BY[by], asked)] if connection else []

    def prune(self, before: float, limit: int) -> int:
        asked = {"before": before, "limit": limit}
        with self._writing() as connection:
            connection.execute(PRUNE_FEEDBACK, {"before": before})
            connection.execute(PRUNE_DETAIL, asked)
            return connection.execute(PRUNE_RECEIPT, asked).rowcount

    def close(self) -> None:
        connection, self._writer = self._writer, None
        if connection is not None:
            with unavailable(self._path):
                connection.close()

    @contextmanager
    def _writing(self) -> Iterator["Connection"]:
        """The writer's connection inside a transaction, which is undone when anything goes wrong."""
        with unavailable(self._path):
            connection = self._connect()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _connect(self) -> "Connection":
        if self._writer is None:
            import sqlite3

            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite would make it readable for all
            connection = sqlite3.connect(self._path, timeout=self._busy_seconds, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                migrate(connection)
            except BaseException:
                connection.close()
                raise
            self._writer = connection
        return self._writer

    @contextmanager
    def _reading(self) -> Iterator["Connection | None"]:
        """A connection that can only read; None when nothing was ever written."""
        import sqlite3

        if not self._path.exists():
            yield None
            return
        with unavailable(self._path):
            uri = f"file:{quote(str(self._path))}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, timeout=self._busy_seconds, isolation_level=None)
            try:
                yield connection if has_schema(connection) else None
            finally:
                connection.close()


def row_of(line: bytes) -> tuple[object, ...]:
    """The columns of a receipt's line, in the order of INSERT_RECEIPT. Raises msgspec's errors when it is none."""
    r = DECODE_COLUMNS(line)
    band = (None, None) if r.carbon is None else (r.carbon.low_g, r.carbon.high_g)
    return (
        *(r.id, r.time, r.key, r.router, r.model, r.provider, r.target, r.status, r.outcome, r.stream, r.fallback),
        *msgspec.structs.astuple(r.usage),
        *(r.cost_nano_usd, r.carbon_g, r.seconds, r.first_token_seconds, r.task, r.session, *band),
    )


def receipt_of(detail: bytes) -> Receipt:
    """The receipt as it was; without its attempts and standings if they hold what is no figure, such as an infinity."""
    try:
        return DECODE_RECEIPT(detail)
    except msgspec.ValidationError:
        fields = msgspec.json.decode(detail)
        return msgspec.convert({**fields, "attempts": (), "standings": (), "excluded": {}}, Receipt)


def has_schema(connection: "Connection") -> bool:
    return bool(connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'receipt'").fetchone())


def migrate(connection: "Connection") -> None:
    """Bring the schema to our version. One that is newer already is left alone: migrations only add."""
    connection.execute("CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, applied REAL NOT NULL)")
    for version, statements in enumerate(MIGRATIONS, start=1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if not connection.execute("SELECT 1 FROM migration WHERE version = ?", (version,)).fetchone():
                for statement in statements:
                    connection.execute(statement)
                connection.execute("INSERT INTO migration VALUES (?, ?)", (version, time()))
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


@contextmanager
def unavailable(path: Path) -> Iterator[None]:
    """Map what SQLite and the disk may raise to our own error."""
    import sqlite3

    try:
        yield
    except (sqlite3.Error, msgspec.MsgspecError, OSError) as error:
        raise LedgerUnavailable(f"the ledger {path} is not available: {error}") from error
