"""The journal's folder: one folder per writing process, locked while that process lives, numbered segments inside.

    journal/41266-9f3c2a7b/00000001.jsonl

The lock is an flock on the writer's folder, which the kernel drops with the process, however it ended. Whoever gets the
lock of a folder later knows that its writer is dead, and owns what it left.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

SUFFIX = ".jsonl"
READ_BYTES = 1 << 20


class Claim(Struct, frozen=True):
    """A writer's folder that is ours: the one we write to, or one whose writer died."""

    path: Path
    lock: int  # file descriptor of the folder, under flock

    def segments(self) -> list[Path]:
        """The segments inside, in the order in which they were written."""
        return sorted(self.path.glob(f"*{SUFFIX}"))

    def release(self) -> None:
        """Give the folder up; it goes when it is empty, and waits for its next owner when it is not."""
        with contextlib.suppress(OSError):  # not empty, or gone
            self.path.rmdir()
        with contextlib.suppress(OSError):  # closed it is all the same. Source: close(2)
            os.close(self.lock)


class Chunk(Struct, frozen=True):
    """Whole lines of a segment, without their newlines."""

    lines: list[bytes]
    end: int  # offset behind the last of them
    tail: bytes  # an unfinished line behind `end`, when there is no whole one


def segment_name(number: int) -> str:
    """Names sort as their numbers do."""
    return f"{number:08d}{SUFFIX}"


def claim_own(root: Path) -> Claim:
    """A new folder below `root` for this process, mode 0700. Raises OSError."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        path = root / f"{os.getpid()}-{secrets.token_hex(4)}"
        path.mkdir(mode=0o700)
        try:
            return locked(path, fcntl.LOCK_EX)
        except FileNotFoundError:  # between mkdir and flock another process took it for abandoned: make another
            continue
        except OSError:  # no file descriptor left, no lock to be had: another folder would fare no better
            with contextlib.suppress(OSError):
                path.rmdir()
            raise


def claim_abandoned(root: Path) -> Iterator[Claim]:
    """The folders below `root` whose writers are dead. The caller releases each."""
    if root.is_dir():
        for path in sorted(root.iterdir()):
            if path.is_dir() and (claim := claim_folder(path)) is not None:
                yield claim


def claim_folder(path: Path) -> Claim | None:
    """Lock a folder; None when somebody else has it or it is gone."""
    try:
        return locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return None


def locked(path: Path, how: int) -> Claim:
    """Raises FileNotFoundError when the folder was removed meanwhile, any other OSError when it cannot be locked."""
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, how)
        if not os.path.samestat(os.fstat(lock), os.stat(path)):
            raise FileNotFoundError(path)
    except OSError:
        os.close(lock)
        raise
    return Claim(path, lock)


def read_lines(segment: Path, offset: int, limit: int) -> Chunk:
    """At most `limit` whole lines from `offset` on. A line may be of any length."""
    with segment.open("rb") as file:
        file.seek(offset)
        data = file.read(READ_BYTES)
        while b"\n" not in data and (more := file.read(READ_BYTES)):
            data += more
    lines = data.split(b"\n", limit)
    rest = lines.pop()
    end = offset + len(data) - len(rest)
    return Chunk(lines, end, b"" if lines else rest)
