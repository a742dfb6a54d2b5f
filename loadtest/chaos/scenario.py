"""A scenario: what is done to a gateway under load, at which size, and the figures that it has to reach."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct


class Size(Struct, frozen=True):
    """How much of it. What a scenario has no use for is 0."""

    requests: int = 0
    per_second: float = 0.0
    seconds: float = 0.0
    at_once: int = 0
    rounds: int = 0

    def __str__(self) -> str:
        said = [
            f"{self.requests:,} requests" if self.requests else "",
            f"{self.at_once:,} at once" if self.at_once else "",
            f"{self.per_second:g}/s" if self.per_second else "",
            f"{self.seconds:g} s" if self.seconds else "",
            f"{self.rounds:,} times" if self.rounds else "",
        ]
        return ", ".join(word for word in said if word)


class Stage(Struct, frozen=True):
    """Where and how a scenario is played."""

    folder: Path  # its own
    seed: int
    full: bool
    size: Size


class Figure(Struct, frozen=True):
    """One thing that was measured, and what it has to be."""

    name: str  # "answered"
    due: str  # ">= 99.99 %"
    measured: str
    passed: bool
    is_known: bool = False  # missed, and known to be: no reason to fail a run


class Scenario(Struct, frozen=True):
    """One row of a part's table."""

    id: str  # "F80", or the name of a load
    title: str  # what is done
    scaled: Size
    full: Size
    play: Callable[[Stage], list[Figure]]
    in_short: bool = False  # whether CI plays it
    known_misses: tuple[str, ...] = ()  # figures that are not reached yet; the note says why
    note: str = ""  # what a reader of its figures should know

    def size(self, full: bool) -> Size:
        """The real one, or the one for a laptop."""
        return self.full if full else self.scaled


class Played(Struct, frozen=True):
    """A scenario that has ended."""

    part: str
    id: str
    title: str
    size: str
    figures: list[Figure]
    seconds: float
    note: str = ""
    broken: str = ""  # why it could not be played to its end
    skipped: str = ""  # what this machine lacks for it

    @property
    def passed(self) -> bool:
        """Every figure was reached that is not known to be out of reach."""
        return not self.broken and all(figure.passed or figure.is_known for figure in self.figures)


class NotHere(Exception):
    """This machine cannot play the scenario; says what is missing."""


def at_least(name: str, least: float, measured: float, unit: str = "") -> Figure:
    return Figure(name, f"≥ {least:,g}{unit}", shown(measured) + unit, measured >= least)


def at_most(name: str, most: float, measured: float, unit: str = "") -> Figure:
    return Figure(name, f"≤ {most:,g}{unit}", shown(measured) + unit, measured <= most)


def exactly(name: str, due: int, measured: int) -> Figure:
    return Figure(name, f"{due:,}", f"{measured:,}", measured == due)


def shown(value: float) -> str:
    """As people write it: integers whole, others to four places that mean something."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.6g}" if 99 < value < 100 else f"{value:.4g}"


def share(part: float, whole: float) -> float:
    """Per cent; 0 of nothing."""
    return 100 * part / whole if whole else 0.0


def quantile(values: list[float], q: float) -> float:
    """Nearest rank; 0 of nothing. q: in [0, 1]."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else 0.0
