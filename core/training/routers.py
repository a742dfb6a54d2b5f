"""Ways to choose a model for a prompt, learned from outcomes; and what a choice is worth."""

import numpy as np
from scipy import linalg, sparse

from core.training.design import F64
from core.training.outcomes import Source

STRENGTHS = (0.3, 1.0, 3.0, 10.0)  # of the penalty of the kernel ridge regression
INNER_SHARE = 0.2  # of the training prompts, on which the strength is chosen
SHARES = np.linspace(0, 1, 101)


def described(source: Source) -> sparse.csr_matrix:
    """The rows of the wording, and length: what a router may look at."""
    return sparse.hstack([source.rows, sparse.csr_matrix(lengths(source)[:, 1:])]).tocsr()


def lengths(source: Source) -> F64:
    """[prompts, 4]: 1, and powers of the logarithm of the length."""
    size = np.log(np.array([len(text) + 1.0 for text in source.texts])) / 10
    return np.column_stack([np.ones_like(size), size, size**2, size**3])


def by_wording(rows: sparse.csr_matrix, scores: F64, asked: sparse.csr_matrix) -> F64:
    """[asked, models]: expected scores by kernel ridge regression; its strength is chosen on held-out training rows."""
    mean = np.nanmean(scores, axis=0)
    target = np.where(np.isnan(scores), 0.0, scores - mean)
    cut = int(len(target) * (1 - INNER_SHARE))
    kernel = (rows @ rows.T).toarray()
    errors = []
    for strength in STRENGTHS:
        guess = kernel[cut:, :cut] @ _solve(kernel[:cut, :cut], target[:cut], strength)
        errors.append(float(((guess - target[cut:]) ** 2).sum()))
    best = STRENGTHS[int(np.argmin(errors))]
    expected: F64 = mean + (asked @ rows.T).toarray() @ _solve(kernel, target, best)
    return expected


def by_length(train: Source, test: Source) -> F64:
    """[test, models]: expected scores from the prompt's length alone."""
    target = np.where(np.isnan(train.scores), np.nanmean(train.scores, axis=0), train.scores)
    weights = np.asarray(np.linalg.lstsq(lengths(train), target, rcond=None)[0], np.float64)
    return lengths(test) @ weights


def by_dataset(train: Source, test: Source) -> F64:
    """[test, models]: the mean score of each model on the prompt's data set, which no router is told."""
    means = {
        name: np.nanmean(train.scores[np.array(train.datasets) == name], axis=0)
        for name in dict.fromkeys(train.datasets)
    }
    overall = np.nanmean(train.scores, axis=0)
    return np.array([means.get(name, overall) for name in test.datasets])


def folds(count: int, parts: int, seed: int) -> F64:
    """Which part each prompt belongs to."""
    return np.random.default_rng(seed).permutation(np.arange(count) % parts)


def recovered(gain: F64, weak: F64, strong: F64) -> float:
    """APGR: the gap between two models that is recovered, averaged over all shares sent to the strong one."""
    order = np.argsort(-gain, kind="stable")
    step = np.concatenate([[0.0], np.cumsum((strong - weak)[order])]) / len(gain)
    places = np.rint(SHARES * len(gain)).astype(int)
    return float(step[places].mean() / step[-1])


def area(quality: F64, cost: F64, worth: F64) -> float:
    """AIQ of a router: mean quality over the costs from the cheapest to the dearest model, along the upper hull.

    quality, cost: [prompts, models] as they were. worth: [prices, prompts] the model chosen at each price of quality.
    """
    rows = np.arange(len(quality))
    points = [(cost[rows, choice].mean(), quality[rows, choice].mean()) for choice in worth]
    low, high = cost.mean(axis=0).min(), cost.mean(axis=0).max()
    return hull_area(points, float(low), float(high))


def hull_area(points: list[tuple[float, float]], low: float, high: float) -> float:
    """Mean height of the upper concave hull of the points between two costs; it never falls."""
    hull: list[tuple[float, float]] = []
    for x, y in sorted(points):
        if hull and y <= hull[-1][1]:
            continue
        while len(hull) > 1 and (hull[-1][1] - hull[-2][1]) * (x - hull[-2][0]) <= (y - hull[-2][1]) * (
            hull[-1][0] - hull[-2][0]
        ):
            hull.pop()
        hull.append((x, y))
    grid = np.linspace(low, high, 1001)
    xs, ys = zip(*hull, strict=True)
    return float(np.interp(grid, xs, ys).mean())


def ranked_above(score: F64, is_positive: F64) -> float:
    """AUROC: the chance that a positive has a higher score than a negative; ties count half."""
    _, place = np.unique(score, return_inverse=True)
    counts = np.bincount(place)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positives = is_positive.sum()
    negatives = len(score) - positives
    return float((rank[is_positive > 0].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _solve(kernel: F64, target: F64, strength: float) -> F64:
    shifted = kernel + strength * np.eye(len(kernel))
    solved: F64 = linalg.solve(shifted, target, assume_a="pos")
    return solved
