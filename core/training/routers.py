"""Ways to choose a model for a prompt, learned from outcomes; and what a choice is worth."""

import numpy as np
from scipy import linalg, sparse

from core.training.design import F64
from core.training.outcomes import Source

# Of the penalty of the kernel ridge regression, by cross-validation over four sources at once. With 6, which squared
# error on held-out prompts prefers, choices are worse on each of them: by .003 to .012.
STRENGTH = 20.0
SHARES = np.linspace(0, 1, 101)


def lengths(source: Source) -> F64:
    """[prompts, 4]: 1, and powers of the logarithm of the length."""
    size = np.log(np.array([len(text) + 1.0 for text in source.texts])) / 10
    return np.column_stack([np.ones_like(size), size, size**2, size**3])


def by_wording(rows: sparse.csr_matrix, scores: F64, asked: sparse.csr_matrix) -> F64:
    """[asked, models]: expected scores by kernel ridge regression over the rows of the wording.

    The kernel is centred, so that what all prompts have in common is the mean's affair alone.
    """
    mean = np.nanmean(scores, axis=0)
    target = np.where(np.isnan(scores), 0.0, scores - mean)
    own = (rows @ rows.T).toarray()
    shifted = centred(own, own) + STRENGTH * np.eye(len(own))
    expected: F64 = mean + centred((asked @ rows.T).toarray(), own) @ linalg.solve(shifted, target, assume_a="pos")
    return expected


def centred(kernel: F64, trained: F64) -> F64:
    """[asked, training] products of rows, after the mean of the training rows was taken off all of them.

    trained: [training, training].
    """
    middle = trained.mean(axis=0)
    moved: F64 = kernel - kernel.mean(axis=1, keepdims=True) - middle[None, :] + middle.mean()
    return moved


def by_length(train: Source, test: Source) -> F64:
    """[test, models]: expected scores from the prompt's length alone."""
    return on_length(train, np.where(np.isnan(train.scores), np.nanmean(train.scores, axis=0), train.scores), test)


def on_length(train: Source, figures: F64, test: Source) -> F64:
    """[test, columns]: figures [train, columns] carried over by the prompt's length, by least squares."""
    weights = np.asarray(np.linalg.lstsq(lengths(train), figures, rcond=None)[0], np.float64)
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
