"""Offsets of models from outcomes: a logistic model on top of what is known already, shrunk towards it.

    log odds(good) = log odds(expected) + strictness of the source + offset of the model + its offset at the task

A source is who judges: callers, a judge model, what became of the conversation. Its strictness is fitted and then left
out, for it says nothing of one model against another: where only complaints are sent in, all models look bad. Offsets
have normal priors around 0 (MAP estimate, Newton's method), so few outcomes move little. Scores between 0 and 1 count
as that share of a good answer (a fractional response, Papke and Wooldridge 1996).
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from gateway.catalog.learned import ANY_TASK

# Standard deviations in log odds. Ours, from how far public tables are off for a single task: some 0.1 of probability.
OF_SOURCE = 2.0
OF_MODEL = 0.5
OF_MODEL_AT_TASK = 0.35
STEPS = 50
CLOSE = 1e-9

F64 = NDArray[np.float64]


class Outcome(Struct, frozen=True, gc=False):
    """How good one answer was, and how good it had been expected to be."""

    time: float  # Unix seconds
    model: str
    task: str
    source: str
    score: float  # 0-1
    expected: float  # 0-1, by the catalog alone
    weight: float = 1.0


class Fit(Struct, frozen=True):
    """What outcomes say."""

    sources: dict[str, float]  # log odds by which each judges above what is expected
    offsets: dict[str, dict[str, float]]  # model -> task, or ANY_TASK


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
            own += [place(OF_MODEL, one.model, ANY_TASK), place(OF_MODEL_AT_TASK, one.model, one.task)]
        terms.append(own)
    found = newton(
        np.array(terms, np.intp).reshape(len(terms), 3 if fixed is None else 1),
        base_of(outcomes, fixed or {}),
        outcomes,
        spreads,
    )
    offsets: dict[str, dict[str, float]] = {}
    for name, number in places.items():
        if len(name) == 2:
            offsets.setdefault(name[0], {})[name[1]] = round(float(found[number]), 4)
    sources = {name[0]: float(found[number]) for name, number in places.items() if len(name) == 1}
    return Fit(sources, offsets if fixed is None else fixed)


def newton(terms: NDArray[np.intp], base: F64, outcomes: Sequence[Outcome], spreads: Sequence[float]) -> F64:
    """terms: [outcomes, t] which parameters add up in each. base: [outcomes] log odds. Returns the parameters."""
    score = np.array([one.score for one in outcomes])
    weight = np.array([one.weight for one in outcomes])
    precision = 1.0 / np.square(spreads)
    found = np.zeros(len(spreads))
    for _ in range(STEPS):
        share = sigmoid(base + found[terms].sum(axis=1))
        slope, bend = weight * (score - share), weight * share * (1 - share)
        gradient = -precision * found
        hessian = np.diag(precision)
        for left in terms.T:
            np.add.at(gradient, left, slope)
            for right in terms.T:
                np.add.at(hessian, (left, right), bend)
        step = np.linalg.solve(hessian, gradient)
        found += np.clip(step, -1.0, 1.0)  # far from the answer a full step may go too far
        if np.abs(step).max(initial=0.0) < CLOSE:
            break
    return found


def losses(outcomes: Sequence[Outcome], found: Fit) -> F64:
    """[outcomes] log loss of each, times its weight."""
    base = base_of(outcomes, found.offsets)
    base += np.array([found.sources.get(one.source, 0.0) for one in outcomes])
    score = np.array([one.score for one in outcomes])
    weight = np.array([one.weight for one in outcomes])
    loss: F64 = weight * (np.logaddexp(0.0, base) - score * base)
    return loss


def base_of(outcomes: Sequence[Outcome], offsets: dict[str, dict[str, float]]) -> F64:
    """[outcomes] log odds before anything is fitted."""
    expected = np.clip([one.expected for one in outcomes], 1e-4, 1 - 1e-4)
    own = [offsets.get(one.model, {}) for one in outcomes]
    moves = [each.get(ANY_TASK, 0.0) + each.get(one.task, 0.0) for each, one in zip(own, outcomes, strict=True)]
    base: F64 = np.log(expected / (1 - expected)) + np.array(moves)
    return base


def sigmoid(x: F64) -> F64:
    share: F64 = 1.0 / (1.0 + np.exp(-x))
    return share
