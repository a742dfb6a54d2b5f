"""How much of the machine other processes used during a measurement: above some percent its figures say little."""

import os
from pathlib import Path
from time import monotonic

from loadtest.procstat import TICKS_PER_SECOND, usage_of

STAT = Path("/proc/stat")
IDLE, IO_WAIT, GUEST = 3, 4, 8  # positions after "cpu"; guest time is part of user time. See proc(5).


class Watch:
    """Counts from its making on, for this process and all that it has started."""

    def __init__(self) -> None:
        self._time = monotonic()
        self._busy = busy_seconds()
        self._own = usage_of(os.getpid()).cpu_seconds

    def others_share(self) -> float:
        """Share of the machine's CPU time that went to processes which are not ours, 0-1."""
        capacity = (monotonic() - self._time) * (os.cpu_count() or 1)
        busy = busy_seconds() - self._busy
        own = usage_of(os.getpid()).cpu_seconds - self._own
        return min(max((busy - own) / capacity, 0.0), 1.0)


def busy_seconds() -> float:
    """CPU time that the machine has spent on anything since it was started, steal by its host included."""
    ticks = [int(field) for field in STAT.read_text().split("\n", 1)[0].split()[1:]]
    return (sum(ticks[:GUEST]) - ticks[IDLE] - ticks[IO_WAIT]) / TICKS_PER_SECOND
