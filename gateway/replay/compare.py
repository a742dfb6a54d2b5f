"""Two ways to decide the same past requests, side by side, with how sure the difference is."""

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np
from msgspec import Struct

from core.dimensions import DIMENSIONS
from core.scorer import significant
from gateway.accounting.past import Past
from gateway.replay.engine import F64, I64, NOBODY, Replay, Rules, mix_of, replay

Z95 = 1.959964  # of a normal distribution, two-sided
NANO = 1e9
CANNOT_KNOW = (
    "what the other models would have answered: their quality is the catalog's estimate for the task, and how long "
    "their answers are is predicted",
    "faults: what is compared is the first choice, though another may have to answer in its place",
    "what other choices do to later turns: who has the conversation warm in its prompt cache is as it was then",
    "what other choices do to how fast, how loaded and how available providers are",
    "what callers would have done with other answers: asked again, gone on, stopped",
)


class Change(Struct, frozen=True):
    """One dimension's mean over all requests that both ways could serve."""

    unit: str
    before: float
    after: float
    change: float
    low: float  # the ends of the change's 95 % interval
    high: float


class Billed(Struct, frozen=True):
    """What really happened, for comparison."""

    cost_usd: float  # of the requests whose price is known
    carbon_g: float
    mean_seconds: float
    fallbacks: int


class Comparison(Struct, frozen=True):
    """What would change. Counts are of requests."""

    router: str
    since: float  # Unix seconds of the first and the last request
    until: float
    requests: int
    left_out: dict[str, int]  # why -> how many
    changed: int  # that would go to another target
    unserved_before: int  # that nothing could serve
    unserved_after: int
    as_decided: float | None  # share that the rules of now decide as it was decided then, where the catalog is the same
    mix: dict[str, tuple[int, int]]  # model -> before, after; "" nobody
    figures: dict[str, Change]  # by dimension
    cost_usd_before: float  # of all requests together, as expected
    cost_usd_after: float
    billed: Billed
    cannot_know: tuple[str, ...] = CANNOT_KNOW


def compare(router: str, requests: Sequence[Past], before: Rules, after: Rules) -> Comparison:
    """Decide the requests by both rules. The intervals are of means over conversations, which are drawn as a whole."""
    old = replay(requests, before)
    new = replay(old.requests, after)
    kept = {one.id for one in new.requests}
    stays = np.array([one.id in kept for one in old.requests], np.bool_)
    columns, figures = old.choices.columns[stays], old.choices.figures[stays]
    both = (columns != NOBODY) & (new.choices.columns != NOBODY)
    is_same = same_target(columns, before, new.choices.columns, after)
    old_mix, new_mix = mix_of(columns, before.targets), mix_of(new.choices.columns, after.targets)
    clusters = clusters_of([one for one, counts in zip(new.requests, both, strict=True) if counts])
    served = figures[both], new.choices.figures[both]
    cost = [float(values[:, 0].sum()) for values in served]
    times = [one.time for one in new.requests]
    return Comparison(
        router=router,
        since=min(times, default=0.0),
        until=max(times, default=0.0),
        requests=len(new.requests),
        left_out={why: old.left_out.get(why, 0) + new.left_out.get(why, 0) for why in {**old.left_out, **new.left_out}},
        changed=int((~is_same).sum()),
        unserved_before=int((columns == NOBODY).sum()),
        unserved_after=int((new.choices.columns == NOBODY).sum()),
        as_decided=fidelity(old, before),
        mix={model: (old_mix.get(model, 0), new_mix.get(model, 0)) for model in {**old_mix, **new_mix}},
        figures={
            dimension.name: change_of(dimension.unit, served[0][:, row], served[1][:, row], clusters)
            for row, dimension in enumerate(DIMENSIONS)
        },
        cost_usd_before=significant(cost[0]),
        cost_usd_after=significant(cost[1]),
        billed=billed(new.requests),
    )


def same_target(old: I64, before: Rules, new: I64, after: Rules) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """[requests] whether both choose the same; the columns of two catalogs differ."""
    place = {target: column for column, target in enumerate(after.targets.ids)}
    there = np.array([place.get(target, NOBODY - 1) for target in before.targets.ids] + [NOBODY], np.int64)
    same: np.ndarray[tuple[int], np.dtype[np.bool_]] = there[old] == new  # NOBODY is the last entry
    return same


def fidelity(old: Replay, rules: Rules) -> float | None:
    """Share of the requests that were decided then as they are now. A fallback hides what was decided."""
    newest = old.requests[0].catalog_version if old.requests else ""
    pairs = [
        (one.target, column)
        for one, column in zip(old.requests, old.choices.columns.tolist(), strict=True)
        if one.target and not one.fallback and one.catalog_version == newest
    ]
    equal = sum(column != NOBODY and rules.targets.ids[column] == target for target, column in pairs)
    return significant(equal / len(pairs)) if pairs else None


def clusters_of(requests: Sequence[Past]) -> I64:
    """[requests] a number for each conversation; requests of no named one stand alone."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(one.session or one.id, len(numbers)) for one in requests], np.int64)


def change_of(unit: str, before: F64, after: F64, clusters: I64) -> Change:
    """The difference of means, with an interval that takes the requests of a conversation as one."""
    if not len(before):
        return Change(unit, 0.0, 0.0, 0.0, 0.0, 0.0)
    mean, half = mean_and_half(after - before, clusters)
    numbers = (float(before.mean()), float(after.mean()), mean, mean - half, mean + half)
    return Change(unit, *map(significant, numbers))


def mean_and_half(values: F64, clusters: I64) -> tuple[float, float]:
    """The mean and half of its 95 % interval: the cluster-robust standard error (Liang and Zeger 1986) times 1.96."""
    mean = float(values.mean())
    sums = np.bincount(clusters, weights=values - mean)
    count = len(sums)
    if count < 2:
        return mean, float("inf") if np.any(values != mean) else 0.0
    return mean, Z95 * sqrt(float(np.square(sums).sum()) * count / (count - 1)) / len(values)


def billed(requests: Sequence[Past]) -> Billed:
    return Billed(
        cost_usd=significant(sum(one.cost_nano_usd or 0 for one in requests) / NANO),
        carbon_g=significant(sum(one.carbon_g or 0.0 for one in requests)),
        mean_seconds=significant(sum(one.seconds for one in requests) / len(requests)) if requests else 0.0,
        fallbacks=sum(one.fallback for one in requests),
    )


def parse_weights(text: str) -> Mapping[str, float]:
    """ "cost=.5,quality=.5" as weights by dimension. Raises ValueError for what is none."""
    weights: dict[str, float] = {}
    names = [dimension.name for dimension in DIMENSIONS]
    for part in text.split(","):
        name, is_given, number = part.strip().partition("=")
        try:
            weight = float(number)
        except ValueError:
            is_given = ""
            weight = 0.0
        if not is_given or name not in names or not 0 <= weight < float("inf"):
            raise ValueError(f"{part.strip()!r} is no weight; cost=.5,quality=.5 is expected, of {', '.join(names)}")
        weights[name] = weight
    return weights
