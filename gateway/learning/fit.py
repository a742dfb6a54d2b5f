"""Offsets of models from outcomes: a logistic model on top of what is known already, shrunk towards it.

    log odds(good) = log odds(expected) + strictness of the source + offset of the model + its offset at the task

A source is who judges: callers, a judge model, what became of the conversation. Its strictness is fitted and then left
out, for it says nothing of one model against another: where only complaints are sent in, all models look bad. Offsets
have normal priors around 0 (MAP estimate, Newton's method with expected second derivatives), so few outcomes move
little. Scores between 0 and 1 count as that share of a good answer (a fractional response, Papke and Wooldridge 1996).

Of two answers to one request only their difference counts, so that it does not matter how hard the request was:

    how much better the first is = 1/2 + 1/2 * scale of the source * (probability of good of the first - of the second)

The scale is fitted and left out too: a judge who gives everybody seven or eight points does not make all models equal.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from gateway.catalog.learned import ANY_TASK

# Standard deviations in log odds. Ours, from how far public tables are off for a single task: some 0.1 of probability.
OF_SOURCE = 2.0
OF_MODEL = 0.5
OF_MODEL_AT_TASK = 0.35
OF_SCALE = 0.5  # around 1
SMALLEST_SCALE = 0.05
STEPS = 50
CLOSE = 1e-9
SURE = 0.02  # a comparison is never taken for surer than this, on either side

F64 = NDArray[np.float64]


class Outcome(Struct, frozen=True, gc=False):
    """How good one answer was, or by how much it was better than another, and what had been expected."""

    time: float  # Unix seconds
    model: str
    task: str
    source: str
    score: float  # 0-1; beside a rival's answer to the same request 0.5 means that they were as good
    expected: float  # 0-1, by the catalog alone
    weight: float = 1.0
    rival: str = ""  # model; "" for an answer that was judged by itself
    rival_expected: float = 0.5  # 0-1, by the catalog alone


class Fit(Struct, frozen=True):
    """What outcomes say."""

    sources: dict[str, float]  # log odds by which each judges above what is expected
    offsets: dict[str, dict[str, float]]  # model -> task, or ANY_TASK
    scales: dict[str, float] = {}  # of those that compare: how far apart each puts what is expected to be one apart


class Sides(Struct):
    """Probabilities of good answers as far as they are known: of the models, and of their rivals where there are."""

    good: F64
    rival: F64
    is_pair: NDArray[np.bool_]
    scale: F64

    @property
    def mean(self) -> F64:
        """[outcomes] the score that is expected."""
        better = np.clip((1 + self.scale * (self.good - self.rival)) / 2, SURE, 1 - SURE)
        return np.where(self.is_pair, better, self.good)

    def slopes(self, terms: int) -> F64:
        """[outcomes, terms] how the mean moves with each parameter: source, two of the model, two of the rival."""
        own, other = self.good * (1 - self.good), self.rival * (1 - self.rival)
        of_own = np.where(self.is_pair, self.scale / 2 * own, own)
        of_other = np.where(self.is_pair, -self.scale / 2 * other, 0.0)
        of_source = np.where(self.is_pair, 0.0, own)
        return np.stack([of_source, of_own, of_own, of_other, of_other][:terms], axis=1)


def fit(outcomes: Sequence[Outcome], fixed: dict[str, dict[str, float]] | None = None) -> Fit:
    """The offsets that explain the outcomes best. fixed: offsets that hold; then only the sources are fitted."""
    places: dict[tuple[str, ...], int] = {}
    spreads: list[float] = []

    def place(spread: float, *name: str) -> int:
        if name not in places:
            places[name] = len(places)
            spreads.append(spread)
        return places[name]

    terms = []
    for one in outcomes:
        own = [place(OF_SOURCE, one.source)]
        if fixed is None:
            for model in (one.model, one.rival or one.model):  # without a rival those have no slope
                own += [place(OF_MODEL, model, ANY_TASK), place(OF_MODEL_AT_TASK, model, one.task)]
        terms.append(own)
    count = 5 if fixed is None else 1
    found, scales = newton(np.array(terms, np.intp).reshape(len(terms), count), fixed or {}, outcomes, spreads)
    offsets: dict[str, dict[str, float]] = {}
    for name, number in places.items():
        if len(name) == 2:
            offsets.setdefault(name[0], {})[name[1]] = round(float(found[number]), 4)
    sources = {name[0]: float(found[number]) for name, number in places.items() if len(name) == 1}
    return Fit(sources, offsets if fixed is None else fixed, scales)


def newton(
    terms: NDArray[np.intp], fixed: dict[str, dict[str, float]], outcomes: Sequence[Outcome], spreads: Sequence[float]
) -> tuple[F64, dict[str, float]]:
    """terms: [outcomes, t] which parameters have a part in each, as in `Sides.slopes`. Returns them, and the scales."""
    base, rival_base, is_pair = bases_of(outcomes, fixed)
    score = np.array([one.score for one in outcomes])
    weight = np.array([one.weight for one in outcomes])
    precision = 1.0 / np.square(spreads)
    found = np.zeros(len(spreads))
    scales = dict.fromkeys((one.source for one in outcomes if one.rival), 1.0)
    told_by = {name: np.array([one.source == name for one in outcomes]) & is_pair for name in scales}
    for _ in range(STEPS):
        parts = found[terms]
        own = np.where(is_pair, 0.0, parts[:, 0]) + parts[:, 1:3].sum(axis=1)
        scale = np.ones(len(outcomes))
        for name, own_scale in scales.items():
            scale[told_by[name]] = own_scale
        sides = Sides(sigmoid(base + own), sigmoid(rival_base + parts[:, 3:5].sum(axis=1)), is_pair, scale)
        mean, slopes = sides.mean, sides.slopes(terms.shape[1])
        certainty = weight / np.maximum(mean * (1 - mean), CLOSE)
        gradient = -precision * found
        hessian = np.diag(precision)
        for left in range(terms.shape[1]):
            np.add.at(gradient, terms[:, left], certainty * (score - mean) * slopes[:, left])
            for right in range(terms.shape[1]):
                bend = certainty * slopes[:, left] * slopes[:, right]
                np.add.at(hessian, (terms[:, left], terms[:, right]), bend)
        step = np.linalg.solve(hessian, gradient)
        found += np.clip(step, -1.0, 1.0)  # far from the answer a full step may go too far
        before = scales
        scales = {name: scale_of(sides, score, certainty, rows) for name, rows in told_by.items()}
        if np.abs(step).max(initial=0.0) < CLOSE and all(abs(scales[name] - before[name]) < CLOSE for name in scales):
            break
    return found, scales


def scale_of(sides: Sides, score: F64, certainty: F64, rows: NDArray[np.bool_]) -> float:
    """The scale of who has made these comparisons, by least squares over what is expected now, shrunk towards 1."""
    apart, weight, prior = (sides.good - sides.rival)[rows], certainty[rows] / 4, OF_SCALE**-2
    told = (weight * (2 * score[rows] - 1) * apart).sum() + prior
    return max(SMALLEST_SCALE, float(told / ((weight * apart**2).sum() + prior)))


def losses(outcomes: Sequence[Outcome], found: Fit) -> F64:
    """[outcomes] log loss of each, times its weight."""
    base, rival_base, is_pair = bases_of(outcomes, found.offsets)
    strictness = np.array([found.sources.get(one.source, 0.0) for one in outcomes])
    scale = np.array([found.scales.get(one.source, 1.0) for one in outcomes])
    mean = Sides(sigmoid(base + np.where(is_pair, 0.0, strictness)), sigmoid(rival_base), is_pair, scale).mean
    score = np.array([one.score for one in outcomes])
    weight = np.array([one.weight for one in outcomes])
    mean = np.clip(mean, CLOSE, 1 - CLOSE)
    loss: F64 = -weight * (score * np.log(mean) + (1 - score) * np.log(1 - mean))
    return loss


def bases_of(
    outcomes: Sequence[Outcome], offsets: Mapping[str, Mapping[str, float]]
) -> tuple[F64, F64, NDArray[np.bool_]]:
    """[outcomes] log odds of the models and of their rivals before anything is fitted, and whether there is a rival."""
    own = [log_odds(one.expected) + moved(offsets, one.model, one.task) for one in outcomes]
    other = [log_odds(one.rival_expected) + moved(offsets, one.rival, one.task) for one in outcomes]
    return np.array(own), np.array(other), np.array([bool(one.rival) for one in outcomes], np.bool_)


def moved(offsets: Mapping[str, Mapping[str, float]], model: str, task: str) -> float:
    own = offsets.get(model, {})
    return own.get(ANY_TASK, 0.0) + own.get(task, 0.0)


def log_odds(share: float) -> float:
    share = min(max(share, 1e-4), 1 - 1e-4)
    return float(np.log(share / (1 - share)))


def sigmoid(x: F64) -> F64:
    share: F64 = 1.0 / (1.0 + np.exp(-x))
    return share
