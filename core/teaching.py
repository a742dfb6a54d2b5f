"""Fits a correction of the wording model's odds to labels: what callers say that was really asked for.

    p(label) = (1 - noise of the source) softmax(odds by wording + W representation)[label] + noise / tasks

W has a normal prior around 0, so that few labels move little (MAP estimate; Newton's method inside of expectation and
maximisation). Each source, a caller's key, has a share of labels that come from nowhere, fitted and left out: labels
that go against what all others say count for little (Dawid and Skene 1979, with one figure a source).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core._representation_np import I32
from core.representation import CONSTANT, MOST_MOVED, MOST_WEIGHT, PER_LOG_ODD, SIZE, STEP, SUMS

SPREAD = (
    0.5  # of W's prior, for entries in units of CONSTANT; the best of 0.3, 0.6 and 1.0 in held-out log loss is near
)
NOISE_PRIOR = 40.0  # labels' worth of belief that
USUAL_NOISE = 0.05  # of a source's labels come from nowhere: people disagree about one in twenty or more
ROUNDS = 30
CLOSE = 1e-4
HALVINGS = 12

F64 = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]


class Labels(NamedTuple):
    """Labelled prompts."""

    representations: NDArray[np.int8]  # [n, SIZE]
    tasks: Integers  # [n] into TEXT_TASKS
    sources: Integers  # [n] from 0
    weights: F64  # [n]


class Taught(NamedTuple):
    weights: I32  # [SIZE, SUMS], in STEPs
    noise: F64  # [sources], 0-1


NOTHING_TAUGHT = np.zeros((SIZE, SUMS), np.int32)


def teach(labels: Labels, fixed: I32 | None = None) -> Taught:
    """What explains the labels best. fixed: weights that hold; then only the sources' noise is fitted."""
    rows, base = design(labels.representations), base_odds(labels.representations)
    truth = np.eye(SUMS)[labels.tasks]
    noise = np.full(int(labels.sources.max(initial=-1)) + 1, USUAL_NOISE)
    found = (NOTHING_TAUGHT if fixed is None else fixed).astype(np.float64) * (STEP * CONSTANT)
    for _ in range(ROUNDS):
        meant = meant_share(softmax(base + rows @ found), labels, noise)
        if fixed is None:
            step = newton_step(rows, base, truth, labels.weights * meant, found)
            found = found + step
        before, noise = noise, fitted_noise(labels, meant, len(noise))
        if np.abs(noise - before).max(initial=0.0) < CLOSE and (fixed is not None or np.abs(step).max() < CLOSE):
            break
    if fixed is not None:
        return Taught(fixed, noise)
    steps = np.clip(np.rint(found / (STEP * CONSTANT)), -MOST_WEIGHT, MOST_WEIGHT)
    return Taught(steps.astype(np.int32), noise)


def losses(labels: Labels, taught: Taught) -> F64:
    """[n] log loss of each label, times its weight. A source that was never heard has USUAL_NOISE."""
    noise = noise_of(labels, taught.noise)
    told = chances(labels.representations, taught.weights)[np.arange(len(labels.tasks)), labels.tasks]
    loss: F64 = -labels.weights * np.log((1 - noise) * told + noise / SUMS)
    return loss


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
    step: F64 = np.linalg.solve(hessian, gradient.T.ravel()).reshape(SUMS, SIZE).T
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


def meant_share(share: F64, labels: Labels, noise: F64) -> F64:
    """[n] the chance that a label was meant, and did not come from nowhere."""
    own = noise[labels.sources]
    told = (1 - own) * share[np.arange(len(labels.tasks)), labels.tasks]
    return told / (told + own / SUMS)


def fitted_noise(labels: Labels, meant: F64, sources: int) -> F64:
    """[sources]"""
    from_nowhere = np.bincount(labels.sources, labels.weights * (1 - meant), sources)
    heard = np.bincount(labels.sources, labels.weights, sources)
    noise: F64 = (USUAL_NOISE * NOISE_PRIOR + from_nowhere) / (NOISE_PRIOR + heard)
    return noise


def noise_of(labels: Labels, noise: F64) -> F64:
    known = np.append(noise, USUAL_NOISE)
    return known[np.minimum(labels.sources, len(noise))]


def softmax(odds: F64) -> F64:
    """Along the last axis."""
    raised = np.exp(odds - odds.max(axis=-1, keepdims=True))
    shares: F64 = raised / raised.sum(axis=-1, keepdims=True)
    return shares
