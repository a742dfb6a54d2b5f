"""Tells when a settings file has changed, however editors and orchestrators replace it."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from gateway.settings.load import MAX_BYTES

LOOKS = 2  # in a row at which something new must be there, so that no half-written file counts
BARE_LOOKS = 4  # at which the file must be empty or gone: two seconds, no editor takes that long


async def watch(
    path: Path, known: bytes | None, changed: Callable[[], None], stop: asyncio.Event, every_seconds: float = 0.5
) -> None:
    """Call `changed` after each change of the file's content, until `stop` is set; also when it stays empty or gone.

    known: its content when it was last read, for it may have changed since.

    It looks at the content, a few µs each time: that works for files written in place, renamed over, behind symlinks
    that are swapped (Kubernetes), in folders that are replaced and on network disks, where change notices do not.
    """
    last = content(path)
    looks = 0  # in a row with the same result
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_seconds)
            return
        now = content(path)
        looks = looks + 1 if now == last else 1
        if now != known and looks >= (LOOKS if now else BARE_LOOKS):
            known = now
            changed()
        last = now


def content(path: Path) -> bytes | None:
    """The file's bytes; None while there is none, or when it is a pipe, which can be read only once."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError:
        return None
