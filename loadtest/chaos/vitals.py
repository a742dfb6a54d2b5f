"""What a process holds on to, read from /proc. Linux only."""

from collections.abc import Sequence

from msgspec import Struct

from loadtest.procstat import PROC, usage_of


class Vitals(Struct, frozen=True):
    """At one moment."""

    resident_bytes: int
    descriptors: int  # open files and sockets
    threads: int


def vitals_of(pid: int) -> Vitals:
    """Of a process that lives. Raises ProcessLookupError or FileNotFoundError when it does not."""
    place = PROC / str(pid)
    return Vitals(
        resident_bytes=usage_of(pid).resident_bytes,
        descriptors=sum(1 for _ in (place / "fd").iterdir()),
        threads=sum(1 for _ in (place / "task").iterdir()),
    )


def slope_per_hour(points: Sequence[tuple[float, float]]) -> float:
    """By least squares. points: (seconds, value); 0 for fewer than two."""
    count = len(points)
    if count < 2:
        return 0.0
    mean_at = sum(at for at, _ in points) / count
    mean = sum(value for _, value in points) / count
    spread = sum((at - mean_at) ** 2 for at, _ in points)
    return 3600 * sum((at - mean_at) * (value - mean) for at, value in points) / spread if spread else 0.0
