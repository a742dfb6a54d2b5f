"""Rebuild the bundled snapshot: `python -m gateway.catalog.build [FEEDS_DIR]`.

FEEDS_DIR holds the raw feeds under the names in `feeds.py`, plain or gzipped. Without it the public URLs are pulled;
the sources that have none (genai-prices, EcoLogits) then keep the figures of the snapshot that is there.
The report goes to standard output: what could not be joined or read, and where two sources differ by more than 10 %.
"""

import asyncio
import gzip
import random
import sys
from pathlib import Path

from msgspec.structs import replace

from gateway.catalog import aliases, snapshot
from gateway.catalog.card import Catalog
from gateway.catalog.feeds import FEEDS
from gateway.catalog.join import Joined, join
from gateway.catalog.records import Reading
from gateway.catalog.refresh import Refresher
from gateway.catalog.validate import Quarantined, validate
from gateway.settings.schema import CatalogSettings

SNAPSHOT = Path(__file__).parent / "data" / "catalog.json.gz"


def read_folder(folder: Path) -> list[Reading]:
    """Every feed of the folder; all must be there and readable."""
    return [feed.read(_content(folder / feed.file), feed.source) for feed in FEEDS]


def build(readings: list[Reading]) -> tuple[Joined, list[Quarantined]]:
    """The joined catalog with every impossible figure taken out."""
    joined = join(readings, aliases.bundled())
    catalog, quarantined = validate(None, joined.catalog)
    return replace(joined, catalog=snapshot.versioned(catalog)), quarantined


def _content(path: Path) -> bytes:
    packed = path.with_name(path.name + ".gz")
    return gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()


def report(joined: Joined, quarantined: list[Quarantined]) -> str:
    """What a person should look at before the snapshot is committed."""
    lines = [quarantine_line(found) for found in quarantined]
    lines += [f"unreadable: {problem}" for problem in joined.problems]
    lines += [f"unjoined: {spelling}" for spelling in joined.unjoined]
    lines += [
        f"sources differ: {found.target} {found.field}: "
        + ", ".join(f"{source} {value:g}" for source, value in found.values.items())
        for found in joined.disagreements
    ]
    return "\n".join([*lines, summary(joined.catalog)])


def quarantine_line(found: Quarantined) -> str:
    """One refused figure."""
    return f"quarantined: {found.target} {found.field}: {found.old} -> {found.new}: {found.reason}"


def summary(catalog: Catalog) -> str:
    """One line: what the catalog holds."""
    providers = {offer.provider for offer in catalog.offers}
    return (
        f"catalog {catalog.version}: {len(catalog.models)} models, {len(catalog.offers)} offers, "
        f"{len(providers)} providers, {len(catalog.sources)} sources"
    )


def main(arguments: list[str]) -> int:
    """Build, write `data/catalog.json.gz`, print the report."""
    if len(arguments) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    if arguments:
        joined, quarantined = build(read_folder(Path(arguments[0])))
        print(report(joined, quarantined))
        snapshot.save(joined.catalog, SNAPSHOT)
        SNAPSHOT.chmod(0o644)  # part of the package, not a state file
        return 0
    return asyncio.run(_pull())


async def _pull() -> int:
    """Lay the public feeds over the snapshot that is there."""
    settings = CatalogSettings(path=str(SNAPSHOT))
    refreshed = await Refresher(settings, snapshot.bundled(), random.random).refresh_once()
    for feed in refreshed.feeds:
        print(f"{feed.name}: {feed.outcome} {feed.detail}".rstrip())
    for found in refreshed.quarantined:
        print(quarantine_line(found))
    print(refreshed.version)
    return 0 if refreshed.adopted else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
