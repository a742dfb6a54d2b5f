"""Who goes first where scores hardly differ: the one with room, and now and then one that nobody has asked of late."""

from collections.abc import Sequence

LIGHT_LOAD = 0.01  # ten under way where a thousand are possible: half as often drawn as an idle target
FRESH_CALLS = 5.0  # of the last minutes: with as many, answers weigh as much as what was expected beforehand


def drawn_by_load(loads: Sequence[float], pick: float) -> int:
    """The place that `pick`, in [0, 1), falls on, each having as large a share as it has room next to its load.

    loads: requests under way / those that are taken at once. Whoever has no room is drawn only if nobody has. A share,
    and not always the lightest: many decide by the same figures, and would all go there.
    """
    shares = [max(1.0 - load, 0.0) / (load + LIGHT_LOAD) for load in loads]
    mark = pick * sum(shares)
    for place, share in enumerate(shares):
        if mark < share:
            return place
        mark -= share
    return int(pick * len(loads))


def stale_within(margin: float, scores: Sequence[float], calls: Sequence[float]) -> list[int]:
    """Places behind the first that are within `margin` of the best score, and of which little is known any more.

    calls: that ended in the last minutes.
    """
    least = max(scores) - margin
    return [place for place in range(1, len(scores)) if scores[place] >= least and calls[place] < FRESH_CALLS]
