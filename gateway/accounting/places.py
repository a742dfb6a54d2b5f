"""Whether receipts have somewhere to go. Asked once, at the start: later on they wait for a place that comes back."""

import os
from collections.abc import Iterator
from pathlib import Path

from gateway.errors import SettingsError
from gateway.settings.schema import LedgerSettings

SQLITE_HEADER = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html#the_database_header
WAY_OUT = "name a place that this user may write to"


def make_places(settings: LedgerSettings) -> None:
    """Make the folders of the ledger and the journal. Raises SettingsError with each place that cannot be used."""
    findings = [
        *(f"ledger.path is {settings.path}, {trouble}" for trouble in ledger_troubles(Path(settings.path))),
        *(f"ledger.journal is {settings.journal}, {trouble}" for trouble in folder_troubles(Path(settings.journal))),
    ]
    if findings:
        raise SettingsError(findings)


def ledger_troubles(path: Path) -> Iterator[str]:
    troubles = list(folder_troubles(path.parent))
    yield from troubles
    if troubles or not path.exists():
        return
    if not path.is_file():
        yield "which is not a file; name a file"
    elif not os.access(path, os.R_OK | os.W_OK):
        yield f"which this user may not write; {WAY_OUT}"
    elif beginning(path) not in (SQLITE_HEADER, b""):
        yield "which is not a SQLite database; move it away, or name another file"


def beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(SQLITE_HEADER))


def folder_troubles(folder: Path) -> Iterator[str]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        yield f"but the folder {folder} cannot be made: {error.strerror}; {WAY_OUT}"
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield f"but this user may not write to the folder {folder}; {WAY_OUT}"
