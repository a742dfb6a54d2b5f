"""One refresh as a process of its own: `CatalogSettings` as JSON on standard input, the `Report` on standard output."""

import asyncio
import os
import random
import sys
from pathlib import Path

import msgspec

from gateway.catalog import snapshot
from gateway.catalog.card import Catalog
from gateway.catalog.refresh import Refresher
from gateway.child import NICENESS
from gateway.settings.schema import CatalogSettings


def last_good(path: Path) -> Catalog:
    """The catalog that was kept, or the bundled one where that is missing, broken or older."""
    ours = snapshot.bundled()
    try:
        kept = snapshot.load(path)
    except (OSError, snapshot.CatalogFileError):
        return ours
    return kept if kept.date >= ours.date else ours


def main() -> None:
    """Refresh once."""
    os.nice(NICENESS)
    settings = msgspec.json.decode(sys.stdin.buffer.read(), type=CatalogSettings)
    report = asyncio.run(Refresher(settings, last_good(Path(settings.path)), random.random).refresh_once())
    sys.stdout.buffer.write(msgspec.json.encode(report))


if __name__ == "__main__":
    main()
