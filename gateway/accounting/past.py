"""Past requests as the ledger has them, with what it takes to decide them again."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from msgspec import Struct

from gateway.accounting.sqlite_ledger import has_schema, unavailable
from gateway.settings.names import SHADOW

if TYPE_CHECKING:
    from sqlite3 import Connection

PAST = """
    SELECT json FROM detail JOIN receipt USING (number)
    WHERE time >= :since AND time < :until AND router = :router AND (:key IS NULL OR key = :key)
    ORDER BY time DESC LIMIT :limit
"""
ROUTERS = "SELECT DISTINCT router FROM receipt WHERE time >= :since AND router != '' AND key != :nobody"


class PastUsage(Struct, frozen=True, gc=False):
    """What was used, as billed."""

    input_tokens: int = 0
    output_tokens: int = 0


class Past(Struct, frozen=True, gc=False):
    """The part of a receipt that a replay looks at."""

    id: str
    time: float
    router: str
    requested: str
    target: str  # who answered; "" when nobody did
    outcome: str
    task: str
    fallback: bool
    cost_nano_usd: int | None
    carbon_g: float | None
    seconds: float
    session: str
    catalog_version: str
    usage: PastUsage
    decided: bytes = b""


DECODE = msgspec.json.Decoder(Past).decode


def past_requests(
    path: Path, since: float, until: float, router: str, limit: int, key: str | None = None
) -> Iterator[Past]:
    """The latest requests that a router decided, newest first. Times in Unix seconds; key: None for all.

    Raises LedgerUnavailable.
    """
    asked = {"since": since, "until": until, "router": router, "limit": limit, "key": key}
    for connection in reading(path):
        for (document,) in connection.execute(PAST, asked):
            try:
                yield DECODE(document)
            except msgspec.MsgspecError:  # an old receipt, or one that holds what is no figure
                continue


def routers_of(path: Path, since: float) -> list[str]:
    """Routers that have decided anything since then."""
    asked = {"since": since, "nobody": SHADOW}
    return sorted(name for connection in reading(path) for (name,) in connection.execute(ROUTERS, asked))


def reading(path: Path) -> Iterator["Connection"]:
    """A connection that can only read; none when nothing was ever written."""
    import sqlite3

    if not path.exists():
        return
    with unavailable(path):
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
        try:
            if has_schema(connection):
                yield connection
        finally:
            connection.close()
