"""What other weights of a router would have chosen for its past requests, and which of them nothing beats."""

from collections.abc import Iterable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from core.decision import Reason
from core.dimensions import DIMENSIONS, INDEX
from core.matrix import F32
from core.scorer import Scorer, significant
from gateway.accounting.past import Past
from gateway.replay.compare import clusters_of, mean_and_half
from gateway.replay.engine import Decider, Rules

DRAWS = 240  # weight vectors tried
SHARPNESS = 0.6  # of the Dirichlet distribution they come from: below 1 most have one or two large weights
POINT = 0.01  # of quality: less than that is no loss worth telling
NAMES = [dimension.name for dimension in DIMENSIONS]
GOALS = ("cost", "latency", "quality")  # of the front
SHOWN = 12
CHEAPER, BETTER, FASTER = "cheaper, as good and as fast", "better, as cheap and as fast", "faster, as good and as cheap"
GAIN = {CHEAPER: "cost", BETTER: "quality", FASTER: "latency"}


class Point(Struct, frozen=True):
    """One vector of weights, and what its choices would have been like: means over the requests."""

    weights: dict[str, float]
    figures: dict[str, float]
    role: str = ""  # "now", or what it is proposed for


class Proposal(Struct, frozen=True):
    """A point that is better than the present one in something, with how sure that is."""

    role: str
    weights: dict[str, float]
    change: dict[str, tuple[float, float, float]]  # dimension -> mean change, and the ends of its 95 % interval


class Tuning(Struct, frozen=True):
    """The front of a router over its past requests."""

    router: str
    requests: int
    left_out: dict[str, int]
    now: Point
    front: tuple[Point, ...]  # by cost, the cheapest first
    proposals: tuple[Proposal, ...]


def tune(router: str, requests: Iterable[Past], rules: Rules, seed: int = 1) -> Tuning:
    """Try weights. Raises ValueError for a router whose score is money: what things are worth is not ours to propose.

    Near ties and staying with a conversation's target are left aside: it is weights that are compared.
    """
    policy = rules.selector.router(router)
    if policy.vector.in_money:
        raise ValueError(f"routers.{router} says what things are worth; there are no weights to tune")
    weights = vectors(policy.vector.weights, seed)
    outcome, kept, left_out = outcomes(requests, rules, weights)
    means = outcome.mean(axis=0) if kept else np.zeros((len(weights), len(NAMES)))
    now = point(weights[0], means[0], "now")
    clusters = clusters_of(kept)
    roles = sure(proposed(means), outcome, clusters) if kept else {}
    proposals = tuple(
        Proposal(
            role,
            by_name(weights[place]),
            {name: change(outcome[:, place, row] - outcome[:, 0, row], clusters) for row, name in enumerate(NAMES)},
        )
        for role, place in roles.items()
    )
    front = []
    for place in thinned(front_of(means), means) if kept else ():
        told = ", ".join(role for role, own in roles.items() if own == place)
        front.append(point(weights[place], means[place], told))
    return Tuning(router, len(kept), left_out, now, tuple(front), proposals)


def vectors(own: F32, seed: int) -> F32:
    """[DRAWS, dimensions] the router's own first, then those of one dimension alone, then random ones."""
    rng = np.random.default_rng(seed)
    size = len(own)
    alone = 0.96 * np.eye(size) + 0.01
    drawn = rng.dirichlet(np.full(size, SHARPNESS), DRAWS - 1 - size)
    every = np.concatenate([own[None, :], alone / alone.sum(axis=1, keepdims=True), drawn])
    return every.astype(np.float32)


def outcomes(
    requests: Iterable[Past], rules: Rules, weights: F32
) -> tuple[NDArray[np.float64], list[Past], dict[str, int]]:
    """[requests, weights, dimensions] figures of what each vector chooses, by the first leg."""
    decider, scorer = Decider(rules), Scorer(rules.targets.matrix)
    kept: list[Past] = []
    found: list[F32] = []
    left_out: dict[str, int] = {}
    for request in requests:
        read = decider.read(request)
        if isinstance(read, str):
            left_out[read] = left_out.get(read, 0) + 1
            continue
        inputs, selection = read
        leg = selection.legs[0]
        table = scorer.table(inputs.live, inputs.figures, leg.policy.vector, leg.allowed)
        usable = (table.reason == Reason.ELIGIBLE) & (table.last_resort == 0)
        if not usable.any():
            left_out["nothing could serve it"] = left_out.get("nothing could serve it", 0) + 1
            continue
        columns = np.flatnonzero(usable)
        best = columns[(weights @ table.utility[:, columns]).argmax(axis=1)]
        found.append(table.figures[:, best].T)
        kept.append(request)
    shape = (len(found), len(weights), len(NAMES))
    return np.array(found, np.float64).reshape(shape), kept, left_out


def front_of(means: NDArray[np.float64]) -> list[int]:
    """Places that no other one beats in every goal; of equals the first."""
    rows = [INDEX[name] for name in GOALS]
    goals = means[:, rows] * [1.0 if name != "quality" else -1.0 for name in GOALS]
    front = []
    for place, own in enumerate(goals):
        no_worse = (goals <= own).all(axis=1)
        better = (goals < own).any(axis=1) | (np.arange(len(goals)) < place)
        if not (no_worse & better).any():
            front.append(place)
    return sorted(front, key=lambda place: float(means[place, INDEX["cost"]]))


def thinned(front: list[int], means: NDArray[np.float64]) -> list[int]:
    """At most SHOWN of them, spread over the ratios of cost, with all that are proposed."""
    if len(front) <= SHOWN:
        return front
    always = {place for place in proposed(means).values() if place in front}
    spread = {front[round(step)] for step in np.linspace(0, len(front) - 1, SHOWN - len(always))}
    return [place for place in front if place in spread | always]


def proposed(means: NDArray[np.float64]) -> dict[str, int]:
    """What it is for -> its place; only what gains something over the present weights."""
    cost, latency, quality = (means[:, INDEX[name]] for name in GOALS)
    as_good = quality >= quality[0] - POINT
    as_fast = latency <= latency[0] * 1.05
    as_cheap = cost <= cost[0] * 1.02
    choices = {
        CHEAPER: (as_good & as_fast & (cost < cost[0] * 0.98), cost),
        BETTER: (as_cheap & as_fast & (quality > quality[0] + POINT), -quality),
        FASTER: (as_good & as_cheap & (latency < latency[0] * 0.95), latency),
    }
    return {
        role: int(np.flatnonzero(fits)[goal[fits].argmin()]) for role, (fits, goal) in choices.items() if fits.any()
    }


def sure(roles: dict[str, int], outcome: NDArray[np.float64], clusters: NDArray[np.int64]) -> dict[str, int]:
    """Those whose gain is beyond its error bar."""
    kept = {}
    for role, place in roles.items():
        row = INDEX[GAIN[role]]
        _, low, high = change(outcome[:, place, row] - outcome[:, 0, row], clusters)
        if low > 0 if GAIN[role] == "quality" else high < 0:
            kept[role] = place
    return kept


def change(values: NDArray[np.float64], clusters: NDArray[np.int64]) -> tuple[float, float, float]:
    mean, half = mean_and_half(values, clusters)
    return significant(mean), significant(mean - half), significant(mean + half)


def point(weights: F32, means: NDArray[np.float64], role: str) -> Point:
    figures = {name: significant(float(mean)) for name, mean in zip(NAMES, means, strict=True)}
    return Point(by_name(weights), figures, role)


def by_name(weights: F32) -> dict[str, float]:
    """As they would stand in the settings."""
    return {name: round(float(weight), 3) for name, weight in zip(NAMES, weights, strict=True)}
