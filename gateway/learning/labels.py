"""From labels to a correction of the tasks' odds, or to the finding that it is no better than the one in use.

A label is what a caller says that a request was really about. Only requests whose task was told by their wording
count: tools, images, schemas and very long prompts tell theirs by themselves.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from core.representation import SIZE
from core.tasks import TEXT_TASKS
from core.teaching import NOTHING_TAUGHT, Labels, chances, losses, noise_of_sources, teach
from core.wording import MODEL
from gateway.accounting.feedback import FeedbackBook
from gateway.catalog.learned import TaskWeights, weights_of
from gateway.learning.held_out import Gain, first_held_out, gain_of, too_few

MOST_LABELS = 10_000  # the latest ones


class Label(Struct, frozen=True, gc=False):
    """What one request was really about."""

    time: float  # Unix seconds
    source: str
    task: str
    representation: bytes  # `core.representation`


class SourceOfLabels(Struct, frozen=True):
    labels: int
    noise: float  # 0-1, the share that seems to come from nowhere, by what the others have taught


class TaskLesson(Struct, frozen=True):
    """What came of an attempt to learn tasks."""

    labels: int
    by_source: dict[str, SourceOfLabels]
    held_out: int
    right_before: float | None  # share of the held-out labels that the likeliest task is; None: too few labels
    right_after: float | None
    gain: Gain | None
    is_better: bool  # beyond the error bar
    verdict: str
    weights: TaskWeights | None  # made from all labels


def labels_of(book: FeedbackBook, since: float) -> list[Label]:
    """All since then (Unix seconds) that can be learned from, oldest first. Raises LedgerUnavailable."""
    return [
        Label(one.time, f"{one.origin}:{one.key}", one.task, one.wording)
        for one in book.labelled(since, MOST_LABELS)
        if one.task in TEXT_TASKS and len(one.wording) == SIZE and one.wording[0] == MODEL.version
    ]


def learn_tasks(labels: Sequence[Label], in_use: TaskWeights | None, seed: int = 1) -> TaskLesson:
    """Fit on all days but the latest, compare on those, and fit again on all."""
    ordered = sorted(labels, key=lambda one: one.time)
    sources = list(dict.fromkeys(one.source for one in ordered))
    cut = first_held_out(ordered)
    counts = {name: sum(one.source == name for one in ordered) for name in sources}
    if told := too_few(len(ordered), len(ordered) - cut, "labels of tasks"):
        unknown = {name: SourceOfLabels(count, 0.0) for name, count in counts.items()}
        return TaskLesson(len(ordered), unknown, len(ordered) - cut, None, None, None, False, told, None)
    earlier, later = arrays(ordered[:cut], sources), arrays(ordered[cut:], sources)
    current = NOTHING_TAUGHT if in_use is None else weights_of(in_use)
    noise = noise_of_sources(earlier)
    learned = teach(earlier, noise)
    gain = gain_of(losses(later, current, noise), losses(later, learned, noise), seed)
    whole = arrays(ordered, sources)
    noise_of_all = noise_of_sources(whole)
    weights = TaskWeights(
        wording=MODEL.version,
        labels=len(ordered),
        gain=round(gain.gain, 6),
        gain_low=round(gain.low, 6),
        gain_high=round(gain.high, 6),
        weights=teach(whole, noise_of_all).tolist(),
    )
    by_source = {
        name: SourceOfLabels(counts[name], round(share, 4))
        for name, share in zip(sources, noise_of_all.tolist(), strict=True)
    }
    rights = (right(later, current), right(later, learned))
    return TaskLesson(len(ordered), by_source, len(later.tasks), *rights, gain, gain.is_certain, gain.verdict, weights)


def arrays(labels: Sequence[Label], sources: Sequence[str]) -> Labels:
    """No source weighs more than all others together, so that one key's flood does not drown the rest."""
    source = np.array([sources.index(one.source) for one in labels], np.intp)
    count = np.bincount(source, minlength=len(sources))
    others = len(labels) - count
    share = np.where((others > 0) & (count > others), others / np.maximum(count, 1), 1.0)
    return Labels(
        np.frombuffer(b"".join(one.representation for one in labels), np.int8).reshape(len(labels), SIZE),
        np.array([TEXT_TASKS.index(one.task) for one in labels], np.intp),
        source,
        share[source],
    )


def right(labels: Labels, weights: np.ndarray[tuple[int, int], np.dtype[np.int32]]) -> float:
    """The share of labels, by their weights, that name the likeliest task."""
    chosen = chances(labels.representations, weights).argmax(axis=1)
    return float(np.average(chosen == labels.tasks, weights=labels.weights))
