"""What is kept of each feed between refreshes: its last body, and the validators to ask whether it has changed."""

import gzip
import zlib
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.catalog.snapshot import write_atomically


class Kept(Struct, frozen=True):
    """A feed as it was last read."""

    url: str
    etag: str = ""
    last_modified: str = ""
    date: str = ""  # ISO date on which it was fetched


class FeedCache:
    """A folder with one gzipped body per feed and `validators.json`. Files that are broken count as missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._validators = folder / "validators.json"

    def kept(self) -> dict[str, Kept]:
        """What is known of each feed whose body is still there, by name."""
        try:
            kept = msgspec.json.decode(self._validators.read_bytes(), type=dict[str, Kept])
        except (OSError, msgspec.DecodeError):
            return {}
        return {name: state for name, state in kept.items() if self._file(name).exists()}

    def body(self, name: str) -> bytes | None:
        """The feed as it was last read, or None."""
        try:
            return gzip.decompress(self._file(name).read_bytes())
        except (OSError, EOFError, zlib.error):
            return None

    def keep(self, bodies: dict[str, bytes], kept: dict[str, Kept]) -> None:
        """Store new bodies first, then all validators: a validator never promises a body that is not there."""
        for name, body in bodies.items():
            write_atomically(self._file(name), gzip.compress(body, mtime=0))
        write_atomically(self._validators, msgspec.json.encode(kept))

    def _file(self, name: str) -> Path:
        return self._folder / f"{name.replace('/', '.')}.gz"
