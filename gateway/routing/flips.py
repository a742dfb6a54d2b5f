"""What would change a choice: how far each weight may go before another target scores best."""

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from core.dimensions import DIMENSIONS, INDEX
from core.matrix import PolicyVector
from core.scorer import significant
from gateway.routing.eligibility import Case
from gateway.routing.plan import Candidate

STEPS = 10_000  # a weight is told to four decimals, always on the side where the choice has changed
BEYOND = 0.01  # steps past the tie at least: a millionth, which is more than the ranking's rounding
PAST_TIE = 1e-6  # of a score in money: its rounding in 32 bits
SIX_DIGITS = 1e-5  # so that what is told with six digits is past the tie too

F64 = NDArray[np.float64]


class Flip(Struct, frozen=True):
    """How far one weight may go, the others keeping their proportions, before another target scores best.

    Where the score is money: how far what a unit is worth, in USD, the rest staying as it is.
    """

    weight: float  # now
    above: float | None  # smallest weight over it at which the choice changes, rounded up; None: it never does
    above_target: str | None  # who is chosen there
    below: float | None  # largest weight under it, rounded down
    below_target: str | None


class Tipping(Struct, frozen=True):
    """How much worse one figure of the best-scored candidate may get, all else as it is, before another is as good."""

    figure: float  # now
    at: float  # from here on the other one scores better
    unit: str
    target: str  # who then does


def flips(candidates: Sequence[Candidate], cases: Sequence[Case]) -> dict[str, Flip]:
    """By dimension, for the best-scored candidate of the leg that leads; empty when it has no rival.

    With u the lead over a rival in utility, w the weights and s a new share for dimension d, the others scaled by
    (1 - s) / (1 - w_d), the lead in score is s u_d + (1 - s) r, where r is the lead by the other dimensions alone.
    It vanishes at s = r / (r - u_d).
    """
    leader, rivals = leader_of(candidates)
    if not rivals:
        return {}
    case = cases[leader.leg]
    utility = case.table.utility.astype(np.float64)
    weights = case.leg.policy.vector.weights.astype(np.float64)
    lead = utility[:, leader.column, None] - utility[:, [rival.column for rival in rivals]]
    names = [rival.target for rival in rivals]
    if case.leg.policy.vector.in_money:
        size = float(np.abs(weights * utility[:, leader.column]).sum())
        return {
            dimension.name: _flip_in_money(row, weights, lead, names, size)
            for row, dimension in enumerate(DIMENSIONS)
            if row != INDEX["cost"]  # a dollar is a dollar
        }
    return {dimension.name: _flip(row, weights, lead, names) for row, dimension in enumerate(DIMENSIONS)}


def leader_of(candidates: Sequence[Candidate]) -> tuple[Candidate, list[Candidate]]:
    """Who has the best score where the first choice stands, and those who stand there too."""
    head = candidates[0]
    rivals = [one for one in candidates if one.leg == head.leg and one.last_resort == head.last_resort]
    leader = max(rivals, key=lambda one: one.score)
    rivals.remove(leader)
    return leader, rivals


def tipping_points(candidates: Sequence[Candidate], cases: Sequence[Case]) -> dict[str, Tipping]:
    """By dimension, for the same candidate as `flips`; without those in which nothing it may come to would matter."""
    leader, rivals = leader_of(candidates)
    if not rivals:
        return {}
    case = cases[leader.leg]
    vector, table = case.leg.policy.vector, case.table
    second = max(rivals, key=lambda one: one.score)
    lead = leader.score - second.score
    found = {}
    for row, dimension in enumerate(DIMENSIONS):
        weight = float(vector.weights[row])
        if weight <= 0:
            continue
        size = max(abs(leader.score), weight * abs(float(table.utility[row, leader.column])))
        utility = float(table.utility[row, leader.column]) - (lead + PAST_TIE * max(size, 1e-3)) / weight
        at = figure_at(utility, row, vector)
        if at is not None:
            now = significant(float(table.figures[row, leader.column]))
            found[dimension.name] = Tipping(now, significant(at), dimension.unit, second.target)
    return found


def figure_at(utility: float, row: int, vector: PolicyVector) -> float | None:
    """The figure that has this utility; None where no figure is so bad."""
    dimension = DIMENSIONS[row]
    if vector.in_money:
        figure = dimension.free + dimension.sign * utility
    elif utility < 0:
        return None
    elif dimension.curve == "log":
        good, bad = float(vector.good[row]), float(vector.bad[row])
        figure = bad * (good / bad) ** utility
    else:
        good, bad = float(vector.good[row]), float(vector.bad[row])
        figure = bad + utility * (good - bad)
    return None if dimension.unit == "probability" and figure < 0 else figure


def _flip(row: int, weights: F64, lead: F64, rivals: Sequence[str]) -> Flip:
    """lead: [dimensions, rivals], the leader's utility minus the rival's."""
    weight = float(weights[row])
    if weight >= 1.0:  # the others have no proportions to keep
        return Flip(significant(weight), None, None, None, None)
    by_others = (weights @ lead - weight * lead[row]) / (1.0 - weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = by_others / (by_others - lead[row])
    above = np.where((lead[row] < 0) & (share >= weight) & (share < 1), share, np.inf)
    below = np.where((lead[row] > 0) & (share <= weight) & (share > 0), share, -np.inf)
    least, most = float(above.min()), float(below.max())
    up = min(math.ceil(least * STEPS + BEYOND) / STEPS, 1.0) if math.isfinite(least) else None
    down = max(math.floor(most * STEPS - BEYOND) / STEPS, 0.0) if math.isfinite(most) else None

    def chosen_at(share: float | None) -> str | None:
        return None if share is None else rivals[int(np.argmin(share * lead[row] + (1 - share) * by_others))]

    return Flip(significant(weight), up, chosen_at(up), down, chosen_at(down))


def _flip_in_money(row: int, worths: F64, lead: F64, rivals: Sequence[str], size: float) -> Flip:
    """The lead in score is s u_d + r, with s what a unit is worth and r the lead by all else; zero at s = -r / u_d.

    size: USD that the leader's score is made of, without signs; the rounding of a score is a share of it.
    """
    now = float(worths[row])
    by_others = worths @ lead - now * lead[row]
    ahead = np.where(lead[row] == 0, np.inf, lead[row])  # who is level here is never passed
    tie, past = -by_others / ahead, PAST_TIE * size / np.abs(ahead)
    least = float(np.where((lead[row] < 0) & (tie >= now), tie + past, np.inf).min())
    most = float(np.where((lead[row] > 0) & (tie <= now) & (tie > past), tie - past, -np.inf).max())
    up = significant(least * (1 + SIX_DIGITS)) if math.isfinite(least) else None
    down = significant(most * (1 - SIX_DIGITS)) if math.isfinite(most) else None

    def chosen_at(worth: float | None) -> str | None:
        return None if worth is None else rivals[int(np.argmin(worth * lead[row] + by_others))]

    return Flip(significant(now), up, chosen_at(up), down, chosen_at(down))
