"""Tells when a settings file has changed, however editors and orchestrators replace it."""

import asyncio
from collections.abc import Callable
from pathlib import Path


async def watch(path: Path, changed: Callable[[], None], stop: asyncio.Event) -> None:
    """Call `changed` after each change of the file's content, until `stop` is set.

    The folder is watched, not the file: editors rename a new file over the old one, and Kubernetes swaps a symlink.
    """
    from watchfiles import awatch

    last = content(path)
    async for _ in awatch(path.resolve().parent, path.parent, stop_event=stop, recursive=False, debounce=200, step=50):
        now = content(path)
        if now is not None and now != last:
            last = now
            changed()


def content(path: Path) -> bytes | None:
    """The file's bytes; None while it is being replaced."""
    try:
        return path.read_bytes()
    except OSError:
        return None
