"""Fits a correction of the wording model's odds to labels: what callers say that was really asked for.

    p(label) = (1 - noise of the source) softmax(odds by wording + W representation)[label] + noise / tasks

W has a normal prior around 0, so that few labels move little (MAP estimate; Newton's method inside of expectation and
maximisation). Noise is the share of a source's labels, a caller's key's, that come from nowhere. It is fitted to what
all the others together have taught, so that nobody makes the truth that he is judged by, and then left out.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core._representation_np import I32
from core.representation import CONSTANT, MOST_MOVED, MOST_WEIGHT, PER_LOG_ODD, SIZE, STEP, SUMS

SPREAD = 0.5  # of W's prior, for entries in units of CONSTANT; of 0.3, 0.6 and 1.0 the first two are best held out
NOISE_PRIOR = 40.0  # labels' worth of belief that
USUAL_NOISE = 0.05  # of a source's labels come from nowhere: people disagree about one in twenty or more
LEAST_JUDGED = 0.05  # share of all labels below which a source can do little harm, and is not judged
ROUNDS = 15
CLOSE = 1e-3
HALVINGS = 12

F64 = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]


class Labels(NamedTuple):
    """Labelled prompts."""

    representations: NDArray[np.int8]  # [n, SIZE]
    tasks: Integers  # [n] into TEXT_TASKS
    sources: Integers  # [n] from 0
    weights: F64  # [n]


NOTHING_TAUGHT = np.zeros((SIZE, SUMS), np.int32)


def noise_of_sources(labels: Labels) -> F64:
    """[sources] 0-1, each by what the others have taught; USUAL_NOISE for one without others, or that says little."""
    noise = np.full(int(labels.sources.max(initial=-1)) + 1, USUAL_NOISE)
    usual = noise.copy()
    for source in range(len(noise)):
        own = labels.sources == source
        if LEAST_JUDGED * len(own) <= own.sum() < len(own):
            noise[source] = fitted_noise(part(labels, own), teach(part(labels, ~own), usual))
    return noise


def teach(labels: Labels, noise: F64) -> I32:
    """[SIZE, SUMS] in STEPs: what explains the labels best. noise: [sources]."""
    rows, base = design(labels.representations), base_odds(labels.representations)
    truth, own = np.eye(SUMS)[labels.tasks], noise_of(labels, noise)
    found = np.zeros((SIZE, SUMS))
    for _ in range(ROUNDS):
        weight = labels.weights * meant(softmax(base + rows @ found), labels.tasks, own)
        step = newton_step(rows, base, truth, weight, found)
        found = found + step
        if np.abs(step).max() < CLOSE:
            break
    steps: I32 = np.clip(np.rint(found / (STEP * CONSTANT)), -MOST_WEIGHT, MOST_WEIGHT).astype(np.int32)
    return steps


def losses(labels: Labels, weights: I32, noise: F64) -> F64:
    """[n] log loss of each label, times its weight. A source that was never heard has USUAL_NOISE."""
    own = noise_of(labels, noise)
    told = chances(labels.representations, weights)[np.arange(len(labels.tasks)), labels.tasks]
    loss: F64 = -labels.weights * np.log((1 - own) * told + own / SUMS)
    return loss


def part(labels: Labels, chosen: NDArray[Any]) -> Labels:
    """Those at these places, or where it is true."""
    return Labels(*(column[chosen] for column in labels))


def chances(representations: NDArray[np.int8], weights: I32) -> F64:
    """[n, SUMS] of each task, by the wording as it was corrected."""
    moves = design(representations) @ (weights * (STEP * CONSTANT))
    return softmax(base_odds(representations) + np.clip(moves, -MOST_MOVED, MOST_MOVED))


def base_odds(representations: NDArray[np.int8]) -> F64:
    """[n, SUMS] log odds by the wording alone."""
    runs, words = representations[:, 1 : 1 + SUMS], representations[:, 1 + SUMS : 1 + 2 * SUMS]
    return (runs.astype(np.float64) + words) / PER_LOG_ODD


def design(representations: NDArray[np.int8]) -> F64:
    """[n, SIZE] in units of CONSTANT, which stands in place of the version."""
    rows = representations.astype(np.float64) / CONSTANT
    rows[:, 0] = 1.0
    return rows


def newton_step(rows: F64, base: F64, truth: F64, weight: F64, found: F64) -> F64:
    """[SIZE, SUMS] a step that does not make the penalised log loss worse; weight: [n]."""
    share = softmax(base + rows @ found)
    gradient = rows.T @ (weight[:, None] * (truth - share)) - found / SPREAD**2
    bend = np.zeros((SUMS, SIZE, SUMS, SIZE))
    for one in range(SUMS):
        for other in range(one + 1):
            slope = weight * share[:, one] * ((one == other) - share[:, other])
            bend[one, :, other, :] = bend[other, :, one, :] = (rows * slope[:, None]).T @ rows
    hessian = bend.reshape(SUMS * SIZE, SUMS * SIZE) + np.eye(SUMS * SIZE) / SPREAD**2
    step: NDArray[Any] = np.linalg.solve(hessian, gradient.T.ravel()).reshape(SUMS, SIZE).T
    now = penalised(rows, base, truth, weight, found)
    for _ in range(HALVINGS):
        if penalised(rows, base, truth, weight, found + step) <= now:
            return step
        step = step / 2
    return np.zeros_like(found)


def penalised(rows: F64, base: F64, truth: F64, weight: F64, found: F64) -> float:
    odds = base + rows @ found
    top = odds.max(axis=1)
    total = top + np.log(np.exp(odds - top[:, None]).sum(axis=1))
    return float((weight * (total - (odds * truth).sum(axis=1))).sum() + (found**2).sum() / (2 * SPREAD**2))


def meant(share: F64, tasks: Integers, noise: F64) -> F64:
    """[n] the chance that a label was meant, and did not come from nowhere. share: [n, SUMS]. noise: [n]."""
    told = (1 - noise) * share[np.arange(len(tasks)), tasks]
    chance: F64 = told / (told + noise / SUMS)
    return chance


def fitted_noise(labels: Labels, weights: I32) -> float:
    """Of one source, by what the others have taught."""
    share, noise = chances(labels.representations, weights), USUAL_NOISE
    for _ in range(ROUNDS):
        from_nowhere = (1 - meant(share, labels.tasks, np.full(len(labels.tasks), noise))).sum()
        noise = float((USUAL_NOISE * NOISE_PRIOR + from_nowhere) / (NOISE_PRIOR + len(labels.tasks)))
    return noise


def noise_of(labels: Labels, noise: F64) -> F64:
    known = np.append(noise, USUAL_NOISE)
    return known[np.minimum(labels.sources, len(noise))]


def softmax(odds: F64) -> F64:
    """Along the last axis."""
    raised = np.exp(odds - odds.max(axis=-1, keepdims=True))
    shares: F64 = raised / raised.sum(axis=-1, keepdims=True)
    return shares
