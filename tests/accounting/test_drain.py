"""From the journal to the ledger, whatever dies in between."""

import logging
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.accounting.drain import Drainer, Intake, adopt
from gateway.accounting.journal import Journal
from gateway.accounting.sqlite_ledger import SqliteLedger
from tests.accounting.receipts import a_receipt

PATIENCE = 60.0  # seconds that a test waits for the thread before it fails


class House:
    """A journal, a ledger and the drainer between them, in one folder."""

    def __init__(self, folder: Path, segment_bytes: int = 1 << 20, busy_seconds: float = 5.0) -> None:
        self.journal = Journal(folder / "journal", segment_bytes=segment_bytes)
        self.ledger = SqliteLedger(folder / "ledger.db", busy_seconds)
        self.drainer = Drainer(self.journal, self.ledger)

    def stored(self) -> list[str]:
        return sorted(receipt.id for receipt in self.ledger.recent(100_000))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    house.drainer.start()
    yield house
    assert house.drainer.stop(PATIENCE)


def leave_behind(folder: Path, writer: str, data: bytes) -> None:
    """What a process that died has left in the journal's folder."""
    (folder / "journal" / writer).mkdir(parents=True)
    (folder / "journal" / writer / "00000001.jsonl").write_bytes(data)


def line(decision: str) -> bytes:
    return msgspec.json.encode(a_receipt(decision)) + b"\n"


def test_appended_receipts_reach_the_ledger(house: House) -> None:
    for number in range(1_000):
        house.journal.append(a_receipt(f"d{number:04d}"))
    assert house.drainer.flush(PATIENCE)
    assert house.stored() == [f"d{number:04d}" for number in range(1_000)]


def test_after_a_stop_everything_is_in_the_ledger_and_the_journal_is_empty(tmp_path: Path) -> None:
    house = House(tmp_path, segment_bytes=10_000)
    house.drainer.start()
    for number in range(300):
        house.journal.append(a_receipt(f"d{number:04d}"))
    assert house.drainer.stop(PATIENCE)
    assert len(house.stored()) == 300
    assert list((tmp_path / "journal").iterdir()) == []
    assert SqliteLedger(tmp_path / "ledger.db").offsets() == {}


def test_finished_segments_go_once_the_ledger_has_them(tmp_path: Path) -> None:
    house = House(tmp_path, segment_bytes=2_000)
    house.drainer.start()
    for number in range(20):
        house.journal.append(a_receipt(f"d{number:04d}"))
    assert house.drainer.flush(PATIENCE)
    assert list(tmp_path.glob("journal/*/*.jsonl")) == [house.journal.current]
    assert house.drainer.stop(PATIENCE)


def test_a_receipt_after_the_stop_waits_for_the_next_start(tmp_path: Path) -> None:
    first = House(tmp_path)
    first.drainer.start()
    assert first.drainer.stop(PATIENCE)
    first.journal.append(a_receipt("late"))
    first.journal.close()
    second = House(tmp_path)
    second.drainer.start()
    assert second.drainer.stop(PATIENCE)
    assert second.stored() == ["late"]


def test_a_locked_ledger_delays_the_drain_and_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "steelyard")
    house = House(tmp_path, busy_seconds=0.0)
    house.ledger.write([a_receipt("first")])
    house.ledger.close()
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    house.drainer.start()
    house.journal.append(a_receipt("second"))
    assert not house.drainer.flush(0.2)
    assert not house.drainer.flush(0.2)
    assert house.stored() == ["first"], "readers are not locked out"
    other.execute("COMMIT")
    other.close()
    assert house.drainer.flush(PATIENCE)
    assert house.stored() == ["first", "second"]
    assert house.drainer.stop(PATIENCE)
    assert [record.getMessage().split("; ")[-1] for record in caplog.records] == [
        "receipts are kept and brought over later",
        f"what stood in the way: the ledger {tmp_path}/ledger.db is not available: database is locked",
    ]


def test_a_stop_without_a_ledger_keeps_the_receipts_in_the_journal(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").mkdir()
    house = House(tmp_path)
    house.drainer.start()
    house.journal.append(a_receipt("a"))
    assert house.drainer.stop(PATIENCE)
    (tmp_path / "ledger.db").rmdir()
    again = House(tmp_path)
    again.drainer.start()
    assert again.drainer.stop(PATIENCE)
    assert again.stored() == ["a"]


def test_old_receipts_are_pruned(tmp_path: Path) -> None:
    day = 86_400.0
    journal, ledger = Journal(tmp_path / "journal"), SqliteLedger(tmp_path / "ledger.db")
    ledger.write([a_receipt("old", time=9 * day), a_receipt("new", time=11 * day)])
    ledger.close()
    drainer = Drainer(journal, ledger, retention_days=90, now=lambda: 100 * day)
    drainer.start()
    assert drainer.flush(PATIENCE)
    assert drainer.stop(PATIENCE)
    assert [receipt.id for receipt in ledger.recent(9)] == ["new"]


def test_a_tail_torn_at_any_byte_costs_no_whole_receipt(tmp_path: Path) -> None:
    whole = len(line("torn_0000"))
    for cut in range(whole + 1):
        leave_behind(tmp_path, f"cut-{cut:04d}", line(f"kept_{cut:04d}") + line(f"torn_{cut:04d}")[:cut])
    ledger = SqliteLedger(tmp_path / "ledger.db")
    intake = Intake(tmp_path / "journal", ledger)
    adopt(intake)
    stored = {receipt.id for receipt in ledger.recent(10_000)}
    # Whole are the line that was not cut, and the one that lost nothing but its newline.
    assert stored == {f"kept_{cut:04d}" for cut in range(whole + 1)} | {f"torn_{whole - 1:04d}", f"torn_{whole:04d}"}
    assert intake.set_aside == whole - 2, "one for every cut inside a line"
    assert list((tmp_path / "journal").iterdir()) == []
    ledger.close()


@pytest.mark.parametrize(
    "garbage", [b"\x00" * 4_096, b"\xff\xfe{]\n\n\x00\n", b'{"id":"x"}\n', b'{"id":', b"\n"], ids=repr
)
def test_garbage_is_set_aside_and_what_follows_is_read(tmp_path: Path, garbage: bytes) -> None:
    leave_behind(tmp_path, "7-dead", line("a") + garbage + b"\n" + line("b"))
    ledger = SqliteLedger(tmp_path / "ledger.db")
    intake = Intake(tmp_path / "journal", ledger)
    adopt(intake)
    assert sorted(receipt.id for receipt in ledger.recent(9)) == ["a", "b"]
    assert (tmp_path / "journal" / "unreadable.jsonl").read_bytes() == garbage + b"\n"
    assert intake.set_aside == (garbage + b"\n").count(b"\n")
    ledger.close()


def test_a_folder_that_cannot_be_drained_stops_nobody_and_is_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    leave_behind(tmp_path, "1-dead", line("a"))
    leave_behind(tmp_path, "3-dead", line("b"))
    (tmp_path / "journal" / "2-dead" / "00000001.jsonl").mkdir(parents=True)  # no file, as after a repaired disk
    house = House(tmp_path)
    house.journal.append(a_receipt("own"))
    house.drainer.start()
    assert house.drainer.flush(PATIENCE)
    assert house.stored() == ["a", "b", "own"]
    assert house.drainer.stop(PATIENCE)
    intake = Intake(tmp_path / "journal", house.ledger)
    adopt(intake)
    adopt(intake)
    told = [record.threadName for record in caplog.records if "2-dead" in record.getMessage()]
    assert told == ["drainer", "MainThread"]
    house.ledger.close()


def test_what_was_drained_before_a_crash_is_neither_read_nor_stored_again(tmp_path: Path) -> None:
    leave_behind(tmp_path, "7-dead", line("a") + line("b"))
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.write_lines([line("a").strip()], {"7-dead/00000001.jsonl": len(line("a"))})
    (tmp_path / "journal" / "7-dead" / "00000001.jsonl").write_bytes(b"?" * (len(line("a")) - 1) + b"\n" + line("b"))
    intake = Intake(tmp_path / "journal", ledger)
    adopt(intake)
    assert sorted(receipt.id for receipt in ledger.recent(9)) == ["a", "b"]
    assert intake.set_aside == 0
    ledger.close()


def append_for_ever(folder: Path) -> None:
    """Append and drain until killed; the id of every receipt whose append returned goes to stdout."""
    house = House(folder, segment_bytes=20_000)
    house.drainer.start()
    number = 0
    while True:
        decision = f"{os.getpid()}-{number}"
        house.journal.append(a_receipt(decision))
        os.write(1, decision.encode() + b"\n")
        number += 1
        if number % 100 == 0:
            house.drainer.flush(PATIENCE)  # so that the kill also finds the drainer at work


def test_processes_killed_while_they_append_lose_and_double_nothing(tmp_path: Path) -> None:
    script = f"import pathlib, {__name__} as here; here.append_for_ever(pathlib.Path({str(tmp_path)!r}))"
    promised: list[str] = []
    for patience in (1, 150, 333, 700):
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            promised += [process.stdout.readline().decode().strip() for _ in range(patience)]
            process.send_signal(signal.SIGKILL)
            promised += [rest.decode().strip() for rest in process.stdout if rest.endswith(b"\n")]
    house = House(tmp_path)
    house.drainer.start()
    assert house.drainer.flush(PATIENCE)
    stored = house.stored()
    assert set(promised) <= set(stored)
    assert len(stored) == len(set(stored)) <= len(promised) + 4, "at most one append of each was under way"
    assert house.drainer.set_aside == 0
    assert house.drainer.stop(PATIENCE)
    assert list((tmp_path / "journal").iterdir()) == []


def test_a_round_in_the_middle_of_opening_a_segment_does_not_take_it_for_finished(tmp_path: Path) -> None:
    """The clock is asked while a segment is opened: here it lets the drainer pass before it answers."""
    house = House(tmp_path)
    rounds: list[bool] = []

    def clock() -> float:
        rounds.append(house.drainer.flush(PATIENCE))
        return 0.0

    house.journal = Journal(tmp_path / "journal", clock)
    house.drainer = Drainer(house.journal, house.ledger)
    house.drainer.start()
    house.journal.append(a_receipt("first"))
    house.journal.append(a_receipt("second"))
    assert house.drainer.stop(PATIENCE)
    assert house.stored() == ["first", "second"]
    assert all(rounds)
