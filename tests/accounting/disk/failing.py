"""A process on a disk that fails at its k-th call, for k = 1, 2, …: run as a program, with failing.so preloaded.

python -m tests.accounting.disk.failing FOLDER WAY prints how many calls there were to fail, or what went wrong.
"""

import ctypes
import enum
import itertools
import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tests.accounting.receipts import a_receipt
from tests.accounting.test_drain import House

SEGMENT_BYTES = 2_000  # two receipts
TRIES = 10_000
ROUND_SECONDS = 0.004  # that a drain of two receipts may take; when it takes longer, it is waited for once more
MOST_CALLS = 1_000


class Way(enum.IntEnum):
    """How the disk fails; the numbers are those of failing.c."""

    ONCE = 0
    FROM_THEN_ON = 1  # until somebody makes room
    IN_HALF = 2  # of a write only the first half is done
    BY_DEATH = 3  # the process is gone before the call is made
    NO_MORE_FILES = 4  # may be opened, from then on; everything else works


class Disk:
    """The preloaded library. folder: only calls for files below it count."""

    def __init__(self, folder: Path) -> None:
        self._library = ctypes.CDLL(None)
        self._library.disk_calls.restype = ctypes.c_long
        self._library.disk_fails.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_int]
        self._folder = str(folder).encode()  # kept: the library has only its address

    def fail(self, call: int, way: Way) -> None:
        """From now on count, and fail at this call."""
        self._library.disk_fails(self._folder, call, way)

    def work(self) -> int:
        """Never fail from now on. How many calls there were."""
        calls: int = self._library.disk_calls()
        self._library.disk_fails(self._folder, 0, Way.ONCE)
        return calls


def drained(house: House) -> None:
    """Wait until everything is in the ledger."""
    assert any(house.drainer.flush(ROUND_SECONDS) for _ in range(TRIES)), "the drainer does not recover"


def used(folder: Path, acknowledge: Callable[[str], object], recover: Callable[[], object]) -> None:
    """A process that keeps receipts, whose disk recovers before the last of them."""
    house = House(folder, SEGMENT_BYTES)
    house.drainer.start()
    for number in range(5):
        house.journal.append(a_receipt(f"r{number}"))
        acknowledge(f"r{number}")
        if number % 3 == 1:
            house.drainer.flush(ROUND_SECONDS)
    house.drainer.flush(ROUND_SECONDS)
    recover()
    for name in ("last", "next"):
        was_well = house.journal.spilled == 0
        house.journal.append(a_receipt(name))
        acknowledge(name)
    assert house.journal.spilled == 0 or was_well, "the request after the failure is not as good as any"
    drained(house)
    assert (house.journal.lost, house.drainer.set_aside) == (0, 0)
    assert house.drainer.stop(60.0)


def check(folder: Path, acknowledged: list[str], is_dead: bool) -> None:
    """What the next process finds: every receipt once, and no litter."""
    house = House(folder, SEGMENT_BYTES)
    house.drainer.start()
    drained(house)
    stored = house.stored()
    assert len(set(stored)) == len(stored), f"doubled: {stored}"
    assert set(acknowledged) <= set(stored), f"lost: {sorted(set(acknowledged) - set(stored))}"
    assert is_dead or stored == sorted(acknowledged), stored
    assert house.drainer.stop(60.0)
    litter = [path.name for path in folder.glob("journal/*")]
    assert litter == [], f"left behind: {litter}"
    assert house.ledger.offsets() == {}, "segments that are gone are remembered"
    house.ledger.close()


def survived(disk: Disk, folder: Path, way: Way, call: int) -> int:
    """One life on a disk that fails at this call. How many calls there were."""
    acknowledged: list[str] = []
    calls = 0

    def recover() -> None:
        nonlocal calls
        if way in (Way.FROM_THEN_ON, Way.NO_MORE_FILES):
            calls = disk.work()

    disk.fail(call, way)
    used(folder, acknowledged.append, recover)
    calls = calls or disk.work()
    check(folder, acknowledged, is_dead=False)
    return calls


def died(disk: Disk, folder: Path, call: int) -> int:
    """One life that ends at this call, in a process of its own; the call, or less when it came to its natural end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        disk.fail(call, Way.BY_DEATH)
        used(folder, lambda name: os.write(writing, name.encode() + b"\n"), lambda: None)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        acknowledged = told.read().split()
    _, status = os.waitpid(child, 0)
    ending = os.waitstatus_to_exitcode(status)
    assert ending in (0, 9), f"it ended with {ending}"
    check(folder, acknowledged, is_dead=ending != 0)
    return call if ending else call - 1


def main(folder: Path, way: Way) -> int:
    """Every call in turn, until one life has seen none fail."""
    logging.getLogger("steelyard").addHandler(logging.NullHandler())
    logging.getLogger("steelyard").propagate = False
    threading.excepthook = lambda died: os.abort()  # a thread that dies takes its work with it: that is a failure too
    disk, life = Disk(folder), folder / "life"
    used(life, str, int)  # everything is imported before the disk fails
    shutil.rmtree(life)
    for call in itertools.count(1):
        try:
            calls = died(disk, life, call) if way is Way.BY_DEATH else survived(disk, life, way, call)
        except BaseException:
            disk.work()
            print(f"at call {call}:", file=sys.stderr)
            raise
        shutil.rmtree(life)
        if calls < call:
            return calls
        assert call < MOST_CALLS
    raise AssertionError


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), Way[sys.argv[2]]))
