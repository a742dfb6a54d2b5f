"""When every target that could serve a request is over one of the router's limits: those that are least over."""

from collections.abc import Sequence

import numpy as np

from core.decision import Reason
from core.dimensions import INDEX
from core.matrix import F32
from gateway.routing.eligibility import Case, whole_answer_seconds

# Limits that a target is over by some measure. One without a price is over a budget by nobody knows how much.
MEASURED = (Reason.COST, Reason.LATENCY, Reason.FIRST_TOKEN, Reason.QUALITY, Reason.CARBON)


def nearest(cases: Sequence[Case]) -> list[tuple[int, int]]:
    """Leg and column of all that routers which let their limits give way could ask, least over first.

    Last resorts come after all others. Who is over by the same goes by score.
    """
    found = []
    for leg, case in enumerate(cases):
        if case.leg.policy.settings.nothing_fits == "nearest":
            table, ratio = case.table, overstep(case)
            found += [
                (bool(table.last_resort[column]), leg, float(ratio[column]), -float(table.score[column]), column)
                for column in np.flatnonzero(np.isin(table.reason, MEASURED)).tolist()
            ]
    return list(dict.fromkeys((leg, column) for _, leg, _, _, column in sorted(found)))


def overstep(case: Case) -> F32:
    """[n] figure / limit, of the limit that a target is furthest over; 1.2 is a fifth too much, inf over one of 0.

    A ratio, so that dollars, seconds and grams compare.
    """
    limits, figures = case.leg.policy.vector, case.table.figures
    pairs = (
        (figures[INDEX["cost"]], limits.max_cost_usd),
        (whole_answer_seconds(case), limits.max_latency_seconds),
        (case.live.first_token_seconds, limits.max_first_token_seconds),
        (np.float32(limits.min_quality), figures[INDEX["quality"]]),
        (figures[INDEX["carbon"]], limits.max_carbon_g),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.stack([np.divide(figure, limit, dtype=np.float32) for figure, limit in pairs])
    worst: F32 = np.nan_to_num(ratios, nan=0.0, posinf=np.inf).max(axis=0)
    return worst
