"""Whether something learned is better on days that it was not made from."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

LEAST = 100  # outcomes, or labels, below which nothing is learned from them
LEAST_HELD_OUT = 30
HELD_OUT_SHARE = 0.25  # the latest ones, by whole days
RESAMPLES = 2_000
SECONDS_PER_DAY = 86_400

F64 = NDArray[np.float64]


class Dated(Protocol):
    @property
    def time(self) -> float:
        """Unix seconds."""
        ...


class Gain(Struct, frozen=True):
    """Mean log loss on the held-out days, with the weights in use and with what was learned."""

    loss_before: float
    loss_after: float
    gain: float
    low: float  # the ends of its 95 % interval
    high: float

    @property
    def is_certain(self) -> bool:
        """Better beyond the error bar."""
        return self.low > 0

    @property
    def verdict(self) -> str:
        return "better beyond the error bar" if self.is_certain else "not better beyond the error bar"


def gain_of(before: F64, after: F64, seed: int) -> Gain:
    """before, after: [n] log losses of the same."""
    saved = before - after
    return Gain(float(before.mean()), float(after.mean()), float(saved.mean()), *interval(saved, seed))


def too_few(count: int, held_out: int, what: str) -> str:
    """Why nothing can be learned of so many; "" when it can. what: "outcomes" """
    if count >= LEAST and LEAST_HELD_OUT <= held_out < count:
        return ""
    return f"{count} {what} are too few ({LEAST}), or the {held_out} to judge by ({LEAST_HELD_OUT})"


def first_held_out(ordered: Sequence[Dated]) -> int:
    """Where the latest days begin that hold HELD_OUT_SHARE of them or more; within the day if it is one."""
    if not ordered:
        return 0
    place = int(len(ordered) * (1 - HELD_OUT_SHARE))
    day = ordered[place].time // SECONDS_PER_DAY
    begin = next(number for number, one in enumerate(ordered) if one.time // SECONDS_PER_DAY == day)
    return begin or place


def interval(values: F64, seed: int) -> tuple[float, float]:
    """The middle 95 % of the means of resamples."""
    rng = np.random.default_rng(seed)
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
