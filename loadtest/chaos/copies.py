"""What a power cut leaves of ledger and journal: copies at random moments, less what may not be on the disk yet."""

import shutil
import signal
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct

from gateway.accounting.segments import SUFFIX
from loadtest.chaos.flood import Sent
from loadtest.chaos.ground import Ground

PROMISED_SECONDS = 1.0  # the journal is on the disk so long after it was written, at the latest
SLACK_SECONDS = 0.5  # of the moment at which a caller had the end of an answer, on a busy machine
LONGEST_PAUSE_SECONDS = 0.1
Sizes = dict[str, int]  # of the journal's segments, by their place below it


class Named(Struct):
    """A receipt, of which only the id is asked."""

    id: str


LINE = msgspec.json.Decoder(Named)


class Copy(Struct, frozen=True):
    """One of them, as it can be read afterwards."""

    taken: float  # seconds since the epoch
    integrity: str  # "ok", or what SQLite says
    known: set[str]  # ids of the receipts in either place

    def missing(self, sent: Iterable[Sent]) -> set[str]:
        """Answers that were over for longer than what may be lost."""
        until = self.taken - PROMISED_SECONDS - SLACK_SECONDS
        return {one.decision for one in sent if one.is_answered and one.ended < until} - self.known


def copied_under_load(ground: Ground, count: int, chance: Random) -> list[Copy]:
    """So many copies, some 0.05 s apart. The process stands still meanwhile, as it does when the power goes."""
    history: list[tuple[float, Sizes]] = []
    found = []
    for number in range(count):
        time.sleep(chance.random() * LONGEST_PAUSE_SECONDS)
        ground.send(signal.SIGSTOP)
        taken = time.time()
        try:
            history.append((taken, sizes(ground.books.journal)))
            place = ground.folder / f"copy-{number}"
            shutil.copytree(ground.folder / ".steelyard", place, ignore=shutil.ignore_patterns("*.sock"))
        finally:
            ground.send(signal.SIGCONT)
        synced = next((old for at, old in reversed(history) if at < taken - PROMISED_SECONDS), {})
        tear(place / "journal", synced, chance)
        found.append(read(place, taken))
        shutil.rmtree(place)
    return found


def sizes(journal: Path) -> Sizes:
    return {str(path.relative_to(journal)): path.stat().st_size for path in journal.rglob(f"*{SUFFIX}")}


def tear(journal: Path, synced: Sizes, chance: Random) -> None:
    """Cut off a random part of what was written within the last second."""
    for name, size in sizes(journal).items():
        with (journal / name).open("r+b") as segment:
            segment.truncate(chance.randint(synced.get(name, 0), size))


def read(place: Path, taken: float) -> Copy:
    """What is in a copy, and whether its ledger is well."""
    connection = sqlite3.connect(place / "ledger.db", isolation_level=None)
    try:
        integrity = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
        known = {name for (name,) in connection.execute("SELECT id FROM receipt")}
    except sqlite3.DatabaseError as error:
        return Copy(taken, str(error), set())
    finally:
        connection.close()
    for segment in (place / "journal").rglob(f"*{SUFFIX}"):
        *whole, _ = segment.read_bytes().split(b"\n")
        known.update(LINE.decode(line).id for line in whole)
    return Copy(taken, integrity, known)
