"""From outcomes to new weights, or to the finding that they are no better than those in use."""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from gateway.catalog.learned import LearnedWeights
from gateway.learning.fit import Outcome, fit, losses
from gateway.learning.held_out import Gain, first_held_out, gain_of, too_few
from gateway.learning.labels import Label, TaskLesson, learn_tasks


class Lesson(Struct, frozen=True):
    """What came of an attempt to learn."""

    outcomes: int
    by_source: dict[str, int]
    held_out: int
    gain: Gain | None  # of the models' offsets; None: too few outcomes
    verdict: str
    tasks: TaskLesson
    weights: LearnedWeights | None  # None without enough of anything

    @property
    def is_better(self) -> bool:
        """Beyond the error bar, in the offsets or in the tasks: `weights` should be taken into use."""
        return self.is_better_of_models or self.tasks.is_better

    @property
    def is_better_of_models(self) -> bool:
        return self.gain is not None and self.gain.is_certain


def learn(
    outcomes: Sequence[Outcome],
    in_use: LearnedWeights | None,
    now: datetime,
    labels: Sequence[Label] = (),
    seed: int = 1,
) -> Lesson:
    """Fit on all days but the latest, compare on those, and fit again on all: the models' offsets, and the tasks.

    The intervals are bootstraps over what was held out. Whether the new weights are taken into use is the caller's
    to decide; `is_better` says whether they should be. They hold what is better, and of the rest what is in use; when
    nothing is better, all that was learned.
    """
    ordered = sorted(outcomes, key=lambda one: one.time)
    counts: dict[str, int] = {}
    for one in ordered:
        counts[one.source] = counts.get(one.source, 0) + 1
    cut = first_held_out(ordered)
    earlier, later = ordered[:cut], ordered[cut:]
    tasks = learn_tasks(labels, None if in_use is None else in_use.tasks, seed)
    told, gain, offsets = too_few(len(ordered), len(later), "outcomes"), None, None
    if not told:
        before = losses(later, fit(earlier, {} if in_use is None else in_use.offsets))
        gain = gain_of(before, losses(later, fit(earlier)), seed)
        told, offsets = gain.verdict, of_models(ordered, gain)
    lesson = Lesson(len(ordered), counts, len(later), gain, told, tasks, None)
    return replace(lesson, weights=version(lesson, offsets, in_use, now))


def of_models(ordered: Sequence[Outcome], gain: Gain) -> LearnedWeights:
    """The offsets from all outcomes, as a version without a name."""
    return LearnedWeights(
        since=day_of(ordered[0].time),
        until=day_of(ordered[-1].time),
        outcomes=len(ordered),
        gain=round(gain.gain, 6),
        gain_low=round(gain.low, 6),
        gain_high=round(gain.high, 6),
        offsets=fit(ordered).offsets,
    )


def version(
    lesson: Lesson, offsets: LearnedWeights | None, in_use: LearnedWeights | None, now: datetime
) -> LearnedWeights | None:
    """What was learned and is better, or all of it when nothing is; the rest from what is in use."""
    if offsets is None and lesson.tasks.weights is None:
        return None
    current = LearnedWeights() if in_use is None else in_use
    takes_offsets = offsets is not None and (lesson.is_better_of_models or not lesson.is_better)
    takes_tasks = lesson.tasks.weights is not None and (lesson.tasks.is_better or not lesson.is_better)
    return replace(
        offsets if offsets is not None and takes_offsets else current,
        name=now.strftime("%Y%m%d-%H%M%S"),
        made=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        based_on="" if in_use is None else in_use.name,
        tasks=lesson.tasks.weights if takes_tasks else current.tasks,
    )


def day_of(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d")
