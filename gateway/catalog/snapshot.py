"""The catalog as a file: JSON with the offers of each provider apart, so that only those asked for are decoded.

The bundled file is gzipped. A refreshed one is gzipped when its name ends in ".gz", else plain.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Collection
from importlib import resources
from pathlib import Path

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from gateway.catalog.card import Catalog, Figure, ModelCard, Offer, Source


class CatalogFileError(Exception):
    """A catalog file that cannot be read; the message names the file and what is wrong with it."""


class File(Struct, frozen=True, forbid_unknown_fields=True):
    """`Catalog` on disk; only the offers are arranged differently."""

    version: str
    date: str
    sources: dict[str, Source]
    models: dict[str, ModelCard]
    offers: dict[str, Raw]  # provider -> its offers
    grid_g_per_kwh: dict[str, Figure] = {}
    pue: dict[str, Figure] = {}
    equating: dict[str, Figure] = {}


GZIP_MAGIC = b"\x1f\x8b"
FILE = msgspec.json.Decoder(File)
OFFERS = msgspec.json.Decoder(list[Offer])


def bundled(providers: Collection[str] | None = None) -> Catalog:
    """The catalog that comes with the package. `providers`: whose offers to decode; None means all."""
    packed = resources.files("gateway.catalog").joinpath("data/catalog.json.gz").read_bytes()
    return decode(packed, "the bundled catalog", providers)


def load(path: Path, providers: Collection[str] | None = None) -> Catalog:
    """The catalog in a file. `providers`: whose offers to decode; None means all."""
    return decode(path.read_bytes(), str(path), providers)


def decode(packed: bytes, name: str, providers: Collection[str] | None = None) -> Catalog:
    """The catalog in a file's bytes; `name` is what an error calls them."""
    try:
        file = FILE.decode(gzip.decompress(packed) if packed.startswith(GZIP_MAGIC) else packed)
        live = [provider for provider in file.offers if providers is None or provider in providers]
        offers = tuple(offer for provider in live for offer in OFFERS.decode(file.offers[provider]))
    except (OSError, EOFError, zlib.error, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CatalogFileError(f"{name} is not a catalog: {error}") from error
    return Catalog(
        version=file.version,
        date=file.date,
        sources=file.sources,
        models=file.models,
        offers=offers,
        grid_g_per_kwh=file.grid_g_per_kwh,
        pue=file.pue,
        equating=file.equating,
    )


def encode(catalog: Catalog) -> bytes:
    """Plain JSON; the same catalog always gives the same bytes."""
    by_provider: dict[str, list[Offer]] = {}
    for offer in catalog.offers:
        by_provider.setdefault(offer.provider, []).append(offer)
    file = File(
        version=catalog.version,
        date=catalog.date,
        sources=catalog.sources,
        models=catalog.models,
        offers={provider: Raw(msgspec.json.encode(offers)) for provider, offers in sorted(by_provider.items())},
        grid_g_per_kwh=catalog.grid_g_per_kwh,
        pue=catalog.pue,
        equating=catalog.equating,
    )
    return msgspec.json.encode(file)


def versioned(catalog: Catalog) -> Catalog:
    """The catalog with its version: the date and twelve hex digits of a hash over everything in it."""
    content = msgspec.json.encode(replace(catalog, version=""))
    return replace(catalog, version=f"{catalog.date}.{hashlib.sha256(content).hexdigest()[:12]}")


def save(catalog: Catalog, path: Path) -> None:
    """Write the catalog so that a reader sees the old file or the new one, never a part."""
    content = encode(catalog)
    write_atomically(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def write_atomically(path: Path, content: bytes) -> None:
    """Temporary file beside the target, flushed to disk, readable by its owner only, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
