"""The gateway's ledger, read as anybody can: the receipts with which the simulator's log is compared."""

import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import msgspec

from gateway.accounting.receipt import Receipt
from gateway.simulator.log import Entry
from loadtest.chaos.flood import Sent
from loadtest.chaos.scenario import Figure, exactly

RECEIPT = msgspec.json.Decoder(Receipt)
DRAIN_SECONDS = 15.0


class Books:
    """The ledger below a `.steelyard` folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        self.journal = folder / "journal"

    def receipts(self, awaited: Collection[str] = ()) -> dict[str, Receipt]:
        """All receipts by id, once the awaited ones are there, or 15 s later."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while True:
            found = {receipt.id: receipt for receipt in self._read()}
            if found.keys() >= set(awaited) or time.monotonic() > deadline:
                return found
            time.sleep(0.2)

    def _read(self) -> Iterator[Receipt]:
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)
        try:
            for (document,) in connection.execute("SELECT json FROM detail"):
                yield RECEIPT.decode(document)
        finally:
            connection.close()

    def integrity(self) -> str:
        """What SQLite finds wrong; ok when nothing is."""
        connection = sqlite3.connect(self.path, timeout=10)
        try:
            return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
        finally:
            connection.close()


def ledger_figures(books: Books, sent: Iterable[Sent], calls: Iterable[Entry]) -> list[Figure]:
    """Every answer that reached a caller has its one receipt, and what they hold is what the providers billed."""
    answered = {one.decision for one in sent if one.is_answered}
    receipts = books.receipts(answered)
    missing = len(answered - receipts.keys())
    exact = [receipts[name] for name in answered & receipts.keys() if not receipts[name].usage.estimated]
    billed = sum(entry.cost_nano_usd for entry in calls if entry.outcome == "done" and entry.output_tokens)
    booked = sum(receipt.cost_nano_usd or 0 for receipt in exact)
    return [
        exactly("answers without a receipt", 0, missing),
        exactly("nano-dollars booked less those that providers billed for whole answers", 0, booked - billed),
    ]
