"""The journal, on a real disk that sometimes refuses."""

import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from gateway.accounting.journal import Journal
from gateway.accounting.receipt import Receipt
from gateway.accounting.segments import claim_abandoned, read_lines
from tests.accounting.receipts import TYPICAL, a_receipt


def written(folder: Path) -> list[str]:
    """The ids of all receipts in the segments below `folder`, in order."""
    decode = msgspec.json.Decoder(Receipt).decode
    segments = sorted(folder.glob("*/*.jsonl"))
    return [decode(line).id for segment in segments for line in segment.read_bytes().splitlines()]


def test_an_appended_receipt_is_one_line_of_json(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(TYPICAL)
    assert journal.current is not None
    line = journal.current.read_bytes()
    assert line == msgspec.json.encode(TYPICAL) + b"\n"
    journal.close()


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.append(TYPICAL)
    assert journal.current is not None
    modes = [path.stat().st_mode & 0o777 for path in (journal.folder, journal.current.parent, journal.current)]
    assert modes == [0o700, 0o700, 0o600]
    journal.close()


def test_a_journal_without_receipts_leaves_nothing_behind(tmp_path: Path) -> None:
    Journal(tmp_path / "journal").close()
    assert list(tmp_path.iterdir()) == []


def test_segments_rotate_by_size(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=2_500)
    for number in range(10):
        journal.append(a_receipt(f"d{number}"))
    assert len(list(tmp_path.glob("*/*.jsonl"))) == 4
    assert written(tmp_path) == [f"d{number}" for number in range(10)]
    journal.close()


def test_segments_rotate_by_age(tmp_path: Path) -> None:
    now = [0.0]
    journal = Journal(tmp_path, clock=lambda: now[0], segment_seconds=60.0)
    for now[0] in (0.0, 59.0, 60.0, 61.0, 125.0):
        journal.append(TYPICAL)
    assert [len(path.read_bytes().splitlines()) for path in sorted(tmp_path.glob("*/*.jsonl"))] == [2, 2, 1]
    journal.close()


def test_two_journals_share_a_folder_and_no_file(tmp_path: Path) -> None:
    first, second = Journal(tmp_path), Journal(tmp_path)
    first.append(a_receipt("a"))
    second.append(a_receipt("b"))
    assert first.current != second.current
    assert sorted(written(tmp_path)) == ["a", "b"]
    assert list(claim_abandoned(tmp_path)) == [], "both are alive"
    first.close()
    (claim,) = claim_abandoned(tmp_path)
    assert [path.name for path in claim.segments()] == ["00000001.jsonl"]
    claim.release()
    second.close()


def test_a_lone_surrogate_costs_its_letter_and_not_the_receipt(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(a_receipt("a", requested="gpt\ud800", excluded={"no\udfff": 3}))
    assert journal.current is not None
    read = msgspec.json.decode(journal.current.read_bytes(), type=Receipt)
    assert (read.requested, read.excluded, read.attempts) == ("gpt?", {"no?": 3}, TYPICAL.attempts)
    journal.close()


def test_a_folder_that_cannot_be_made_makes_receipts_wait(tmp_path: Path) -> None:
    (tmp_path / "journal").touch()
    journal = Journal(tmp_path / "journal")
    journal.append(a_receipt("a"))
    assert (journal.spilled, journal.failures, journal.retry()) == (1, 1, False)
    (tmp_path / "journal").unlink()
    journal.append(a_receipt("b"))
    assert journal.spilled == 0
    assert written(tmp_path / "journal") == ["a", "b"]
    journal.close()


def test_the_spill_is_bounded_and_counts_what_it_loses(tmp_path: Path) -> None:
    (tmp_path / "journal").touch()
    journal = Journal(tmp_path / "journal", spill_bytes=2_000)
    for number in range(10):
        journal.append(a_receipt(f"d{number}"))
    assert (journal.is_full, journal.appended, journal.spilled + journal.lost) == (True, 10, 10)
    kept = journal.spilled
    (tmp_path / "journal").unlink()
    assert (journal.retry(), journal.is_full) == (True, False)
    assert written(tmp_path / "journal") == [f"d{number}" for number in range(kept)]
    journal.close()


def in_another_process(act: Callable[[Path], None], folder: Path) -> None:
    """Run one of the functions below where its limits do not touch the test run."""
    module, name = act.__module__, act.__name__
    script = f"import pathlib, {module} as here; here.{name}(pathlib.Path({str(folder)!r}))"
    subprocess.run([sys.executable, "-c", script], check=True)


def fill_files_up(folder: Path) -> None:
    """Files may have 3,000 bytes: every fourth line or so is written in half, and taken back."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, resource.RLIM_INFINITY))
    journal = Journal(folder)
    for number in range(100):
        journal.append(a_receipt(f"d{number:03d}"))
    assert journal.failures > 20
    assert journal.retry()
    journal.close()


def fill_the_disk(folder: Path) -> None:
    """No file may grow for a while, as on a full disk; then there is room again."""
    journal = Journal(folder)
    for number in range(100):
        full = 20 <= number < 60
        resource.setrlimit(resource.RLIMIT_FSIZE, (300 if full else resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        journal.append(a_receipt(f"d{number:03d}"))
        assert journal.spilled == (number - 19 if full else 0)
    assert journal.failures == 40
    journal.close()


@pytest.mark.parametrize("act", [fill_files_up, fill_the_disk])
def test_a_disk_that_refuses_loses_and_doubles_nothing(act: Callable[[Path], None], tmp_path: Path) -> None:
    in_another_process(act, tmp_path)
    assert written(tmp_path) == [f"d{number:03d}" for number in range(100)]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_a_segment_is_read_line_by_line_from_where_one_stopped(tmp_path: Path, limit: int) -> None:
    lines = [b"a", b"", b"x" * 3_000_000, b"b" * 10, b"c"]
    segment = tmp_path / "1.jsonl"
    segment.write_bytes(b"\n".join(lines) + b"\ntorn")
    read, offset = [], 0
    while (chunk := read_lines(segment, offset, limit)).lines:
        assert len(chunk.lines) <= limit
        read += chunk.lines
        offset = chunk.end
    assert read == lines
    assert chunk.tail == b"torn"


def test_a_folder_that_is_cleared_away_is_made_anew(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.append(a_receipt("first"))
    shutil.rmtree(tmp_path / "journal")
    journal.finish_segment()
    journal.append(a_receipt("second"))
    assert (journal.spilled, journal.failures) == (0, 0)
    assert journal.current is not None
    assert b'"second"' in journal.current.read_bytes()
    journal.close()
