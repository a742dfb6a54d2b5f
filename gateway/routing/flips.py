"""What would change a choice: how far each weight may go before another target scores best."""

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from core.dimensions import DIMENSIONS, INDEX
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


def flips(candidates: Sequence[Candidate], cases: Sequence[Case]) -> dict[str, Flip]:
    """By dimension, for the best-scored candidate of the leg that leads; empty when it has no rival.

    With u the lead over a rival in utility, w the weights and s a new share for dimension d, the others scaled by
    (1 - s) / (1 - w_d), the lead in score is s u_d + (1 - s) r, where r is the lead by the other dimensions alone.
    It vanishes at s = r / (r - u_d).
    """
    head = candidates[0]
    rivals = [one for one in candidates if one.leg == head.leg and one.last_resort == head.last_resort]
    leader = max(rivals, key=lambda one: one.score)
    rivals.remove(leader)
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
