"""From outcomes to new weights, or to the finding that they are no better than those in use."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from msgspec import Struct

from gateway.catalog.learned import LearnedWeights
from gateway.learning.fit import Outcome, fit, losses

LEAST = 100  # outcomes below which nothing is learned
LEAST_HELD_OUT = 30
HELD_OUT_SHARE = 0.25  # the latest outcomes, by whole days
RESAMPLES = 2_000
SECONDS_PER_DAY = 86_400


class Lesson(Struct, frozen=True):
    """What came of an attempt to learn."""

    outcomes: int
    by_source: dict[str, int]
    held_out: int
    loss_before: float | None  # mean log loss on the held-out days, with the weights in use; None: too few outcomes
    loss_after: float | None
    gain: float | None
    gain_low: float | None  # the ends of its 95 % interval
    gain_high: float | None
    is_better: bool  # beyond the error bar
    verdict: str
    weights: LearnedWeights | None  # made from all outcomes; None without enough of them


def learn(outcomes: Sequence[Outcome], in_use: LearnedWeights | None, now: datetime, seed: int = 1) -> Lesson:
    """Fit on all days but the latest, compare on those, and fit again on all.

    The interval is a bootstrap over the held-out outcomes. Whether the new weights are taken into use is the caller's
    to decide; `is_better` says whether they should be.
    """
    ordered = sorted(outcomes, key=lambda one: one.time)
    counts: dict[str, int] = {}
    for one in ordered:
        counts[one.source] = counts.get(one.source, 0) + 1
    cut = first_held_out(ordered)
    earlier, later = ordered[:cut], ordered[cut:]
    if len(ordered) < LEAST or len(later) < LEAST_HELD_OUT or not earlier:
        told = f"{len(ordered)} outcomes are too few ({LEAST}), or the {len(later)} to judge by ({LEAST_HELD_OUT})"
        return Lesson(len(ordered), counts, len(later), None, None, None, None, None, False, told, None)
    before = losses(later, fit(earlier, {} if in_use is None else in_use.offsets))
    after = losses(later, fit(earlier))
    saved = before - after
    low, high = interval(saved, seed)
    gain = float(saved.mean())
    weights = LearnedWeights(
        name=now.strftime("%Y%m%d-%H%M%S"),
        made=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        based_on="" if in_use is None else in_use.name,
        since=day_of(ordered[0].time),
        until=day_of(ordered[-1].time),
        outcomes=len(ordered),
        gain=round(gain, 6),
        gain_low=round(low, 6),
        gain_high=round(high, 6),
        offsets=fit(ordered).offsets,
    )
    told = "better beyond the error bar" if low > 0 else "not better beyond the error bar"
    means = float(before.mean()), float(after.mean())
    return Lesson(len(ordered), counts, len(later), *means, gain, low, high, low > 0, told, weights)


def first_held_out(ordered: Sequence[Outcome]) -> int:
    """Where the latest days begin that hold HELD_OUT_SHARE of the outcomes or more; within the day if it is one."""
    if not ordered:
        return 0
    place = int(len(ordered) * (1 - HELD_OUT_SHARE))
    day = ordered[place].time // SECONDS_PER_DAY
    begin = next(number for number, one in enumerate(ordered) if one.time // SECONDS_PER_DAY == day)
    return begin or place


def interval(values: np.ndarray[tuple[int], np.dtype[np.float64]], seed: int) -> tuple[float, float]:
    """The middle 95 % of the means of resamples."""
    rng = np.random.default_rng(seed)
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def day_of(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d")
