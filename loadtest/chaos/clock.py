"""A gateway whose wall clock is turned: an hour on, an hour back. Nothing that it measures or waits for may care."""

import shutil
import struct
import subprocess
import time
from pathlib import Path

from loadtest.chaos.flood import flooding
from loadtest.chaos.ground import Candidate, Ground
from loadtest.chaos.populations import of
from loadtest.chaos.scenario import Figure, NotHere, Stage, at_least, exactly, share

SOURCE = Path(__file__).with_name("turned_clock.c")
HOUR = 3600
STEPS = (HOUR, 0, -HOUR, 0)  # seconds from the true time


def turned(stage: Stage) -> list[Figure]:
    """The first choice is rate-limited for a second just before each step, and has to be back after it."""
    library, offset = built(stage.folder), stage.folder / "offset"
    turn(offset, 0)
    with Ground(stage, [Candidate("sim-alpha"), Candidate("sim-delta")]) as ground:
        ground.stop()
        ground.environ = {"LD_PRELOAD": str(library), "TURNED_CLOCK": str(offset)}
        ground.start()
        load = ground.load(
            per_second=stage.size.per_second, seconds=stage.size.seconds * (len(STEPS) + 1), text=ground.good_text()
        )
        stuck = 0
        with flooding(load, stage.folder) as under_way:
            for step in STEPS:
                ground.script(provider="sim-alpha", fault="F11;ra=1", times=1)
                time.sleep(stage.size.seconds / 2)
                turn(offset, step)
                time.sleep(stage.size.seconds / 2)
                mark = ground.calls.mark()
                time.sleep(0.5)
                stuck += not of("sim-alpha", ground.calls.settled(mark))
            sent = under_way.sendings().sent
        receipts = ground.books.receipts([one.decision for one in sent])
        mine = [receipts[one.decision] for one in sent if one.decision in receipts]
        off = max((abs(receipt.time - one.due) for receipt, one in zip(mine, sent, strict=False)), default=0.0)
        negative = sum(
            min(receipt.seconds, receipt.overhead_seconds, *(attempt.seconds for attempt in receipt.attempts)) < 0
            for receipt in mine
        )
        long = sum(receipt.seconds > HOUR / 2 for receipt in mine)
        return [
            at_least("requests answered", 100, share(sum(one.is_answered for one in sent), len(sent)), " %"),
            at_least("furthest that a receipt's time was turned", HOUR / 2, off, " s"),
            exactly("cooldowns that did not end", 0, stuck),
            exactly("receipts with a negative or an endless time", 0, negative + long),
            exactly("answers without a receipt", 0, len(sent) - len(mine)),
        ]


def built(folder: Path) -> Path:
    """The library that turns the clock of whoever loads it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NotHere("no C compiler to build turned_clock.c with")
    library = folder / "turned_clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)], check=True)
    return library


def turn(offset: Path, seconds: int) -> None:
    """In place: the other side has the file mapped."""
    with offset.open("r+b" if offset.exists() else "wb") as file:
        file.write(struct.pack("=q", seconds))
