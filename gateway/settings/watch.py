"""Tells when a settings file has changed, however editors and orchestrators replace it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

from gateway.settings.load import MAX_BYTES

log = logging.getLogger("steelyard")

BARE_LOOKS = 4  # two seconds: no editor takes that long


async def watch(path: Path, changed: Callable[[], None], stop: asyncio.Event, every_seconds: float = 0.5) -> None:
    """Call `changed` after each change of the file's content, until `stop` is set.

    It looks at the content, a few µs each time: that works for files written in place, renamed over, behind symlinks
    that are swapped (Kubernetes), in folders that are replaced and on network disks, where change notices do not. A new
    content counts when it has been seen twice, so that no half-written file does. A file that is gone or empty changes
    nothing: it is perhaps still being written. When it stays so, the log says it once.
    """
    known = last = content(path)
    bare = 0  # looks in a row at which there was nothing
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_seconds)
            return
        now = content(path)
        bare = 0 if now else bare + 1
        if bare == BARE_LOOKS:
            state = "gone" if now is None else "empty"
            log.warning("%s is %s; the settings that were read from it go on serving", path, state)
        if now and now == last != known:
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
