"""What is particular to the ledger in SQLite."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.accounting.sqlite_ledger import SqliteLedger
from gateway.accounting.sqlite_schema import MIGRATIONS
from gateway.errors import LedgerUnavailable
from tests.accounting.receipts import TYPICAL, a_receipt


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.write([TYPICAL])
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == dict.fromkeys(
        ["ledger.db", "ledger.db-wal", "ledger.db-shm"], 0o600
    )
    ledger.close()


def test_a_file_that_is_no_database_is_reported_as_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(LedgerUnavailable, match=r"ledger\.db is not available: file is not a database"):
        SqliteLedger(path).write([TYPICAL])
    with pytest.raises(LedgerUnavailable):
        SqliteLedger(path).find("dec_1")


def test_a_folder_that_cannot_be_made_is_reported_as_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerUnavailable):
        SqliteLedger(tmp_path / "file" / "ledger.db").write([TYPICAL])


def test_a_reopened_ledger_goes_on_where_it_was(tmp_path: Path) -> None:
    for number in (1, 2):
        ledger = SqliteLedger(tmp_path / "ledger.db")
        ledger.write([a_receipt(f"dec_{number}")])
        ledger.close()
    assert len(SqliteLedger(tmp_path / "ledger.db").recent(9)) == 2


def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = SqliteLedger(path)
    ledger.write([TYPICAL])
    ledger.close()
    database = sqlite3.connect(path)
    with database:
        database.execute("ALTER TABLE receipt ADD COLUMN colour TEXT")
        database.execute("INSERT INTO migration VALUES (?, 0)", (len(MIGRATIONS) + 1,))
    database.close()
    ledger.write([a_receipt("dec_2")])
    ledger.close()
    assert len(ledger.recent(9)) == 2


def test_readers_see_what_is_committed_while_a_writer_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = SqliteLedger(path)
    ledger.write([TYPICAL])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    other.execute("DELETE FROM receipt")
    assert ledger.find("dec_1") == TYPICAL
    other.execute("ROLLBACK")
    other.close()
    ledger.close()


def test_a_checkpoint_that_readers_delay_is_not_called_done(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = SqliteLedger(path)
    ledger.write([TYPICAL])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM receipt").fetchone()
    ledger.write([a_receipt("dec_2")])
    assert not ledger.sync()
    reader.execute("COMMIT")
    reader.close()
    assert ledger.sync()
    ledger.close()


def test_sqlite_is_not_loaded_before_the_ledger_is_opened() -> None:
    script = "import sys, gateway.accounting.sqlite_ledger as l; l.SqliteLedger('x'); print('sqlite3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == b"False\n"
