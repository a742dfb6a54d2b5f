"""What a family of benchmarks would say of a model that it has not measured: never better than what is known.

In this order, and all of it marked as estimated:

1. A model that half of the families or more have measured has its own lowest rank there in the others, too; with fewer
   scores that rank is only an upper limit.
2. Else the lowest score among its kin: models of the same maker and family that were there before it, are of about its
   size, and cost no more than it but at least half as much. It is never above the lower third of all known models.
3. Else a low quantile of all known models, or the lowest score in its family, whichever is less. A model that is
   smaller, older or cheaper than nearly all known ones is most likely below all of them, so it loses HANDICAP.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from msgspec import Struct

from gateway.catalog.card import ModelCard
from gateway.catalog.cards import logit

SIMILAR_PRICE = 2.0  # factor between two models' output prices within which they count as of one class
SIMILAR_SIZE = 2.0  # factor between their parameters
BEST_ESTIMATE_SHARE = 0.33  # quantile of the known models that no estimate exceeds
PESSIMISTIC_SHARE = 0.10  # quantile for a model that has no kin, and of what counts as small, old and cheap
HANDICAP = 1.0  # log odds. Our judgement: about the step from one size of a family to the next


class Scored(Struct, frozen=True):
    """A model with its share of good answers in one family of benchmarks."""

    card: ModelCard
    share: float


class Kin:
    """The known models, and what they tell of the others.

    scores: family of benchmarks -> model id -> share of good answers.
    prices: model id -> USD per million output tokens.
    """

    def __init__(
        self, models: Mapping[str, ModelCard], scores: Mapping[str, Mapping[str, float]], prices: Mapping[str, float]
    ) -> None:
        self._prices = prices
        self._sorted = {family: np.sort(np.array(list(known.values()))) for family, known in scores.items()}
        self._relatives: dict[tuple[str, str, str], list[Scored]] = {}
        for family, known in scores.items():
            for model_id, share in known.items():
                card = models[model_id]
                self._relatives.setdefault((family, card.maker, card.family), []).append(Scored(card, share))
        measured = [models[model_id] for model_id in sorted({name for known in scores.values() for name in known})]
        self._small = _low(card.total_parameters_billions.value for card in measured if card.total_parameters_billions)
        self._cheap = _low(prices[card.id] for card in measured if card.id in prices)
        self._old = _early(card.released for card in measured if card.released)

    def estimate(self, card: ModelCard, family: str, stated: Mapping[str, float]) -> float:
        """Share of good answers in a family that has not measured the model. `stated`: those that have."""
        rank = min((self._rank(name, share) for name, share in stated.items()), default=1.0)
        by_own_scores = self._quantile(family, rank)
        if 2 * len(stated) >= len(self._sorted) > 0:
            return by_own_scores
        return min(by_own_scores, self._by_relatives(card, family))

    def _by_relatives(self, card: ModelCard, family: str) -> float:
        relatives = self._relatives.get((family, card.maker, card.family), []) if card.family else []
        kin = [known.share for known in relatives if self._is_comparable(card, known.card)]
        if kin:
            return min(self._quantile(family, BEST_ESTIMATE_SHARE), *kin)
        floor = min([self._quantile(family, PESSIMISTIC_SHARE), *(known.share for known in relatives)])
        return share_of(logit(floor) - HANDICAP) if self._is_slight(card) else floor

    def _quantile(self, family: str, rank: float) -> float:
        known = self._sorted.get(family)
        return float(np.quantile(known, rank)) if known is not None and len(known) else 0.0

    def _rank(self, family: str, share: float) -> float:
        """Share of the other known models that are worse."""
        known = self._sorted[family]
        return float(np.searchsorted(known, share)) / max(len(known) - 1, 1)

    def _is_comparable(self, card: ModelCard, known: ModelCard) -> bool:
        """Whether nothing speaks for the known model being the better one; what is not stated does."""
        price, least = self._prices.get(card.id, 0.0), self._prices.get(known.id, 0.0)
        return (
            are_similar(price, least)
            and least <= price
            and "" < known.released <= card.released
            and (card.reasoning or not known.reasoning)
            and _are_of_one_size(card, known)
        )

    def _is_slight(self, card: ModelCard) -> bool:
        """Whether it is smaller, older or cheaper than nearly all known models."""
        size = card.total_parameters_billions
        return (
            (size is not None and size.value < self._small)
            or 0 < self._prices.get(card.id, 0.0) < self._cheap
            or "" < card.released < self._old
        )


def share_of(odds: float) -> float:
    """The share whose log odds these are."""
    return 1 / (1 + math.exp(-odds))


def are_similar(one: float | None, other: float | None) -> bool:
    """Whether two output prices are of one class; an unknown one, and one of 0, is of none."""
    return bool(one and other and 1 / SIMILAR_PRICE <= one / other <= SIMILAR_PRICE)


def _are_of_one_size(one: ModelCard, other: ModelCard) -> bool:
    """Whether their sizes are similar, in total and active, as far as they are known: many makers do not tell."""
    sizes = (
        (one.total_parameters_billions, other.total_parameters_billions),
        (one.active_parameters_billions, other.active_parameters_billions),
    )
    return all(
        1 / SIMILAR_SIZE <= ours.value / theirs.value <= SIMILAR_SIZE for ours, theirs in sizes if ours and theirs
    )


def _low(figures: Iterable[float]) -> float:
    values = list(figures)
    return float(np.quantile(values, PESSIMISTIC_SHARE)) if values else 0.0


def _early(dates: Iterable[str]) -> str:
    ordered = sorted(dates)
    return ordered[int(len(ordered) * PESSIMISTIC_SHARE)] if ordered else ""
