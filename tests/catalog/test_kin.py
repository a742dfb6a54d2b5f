"""Models that no table has measured are never taken for better than what is known."""

import numpy as np
import pytest

from core.predictor import TASKS
from gateway.catalog import snapshot
from gateway.catalog.card import Catalog, Figure, ModelCard, Offer, Prices
from gateway.catalog.kin import BEST_ESTIMATE_SHARE
from gateway.catalog.quality import FAMILIES, TASK_FAMILIES, by_task, everyday


def stated(value: float) -> Figure:
    return Figure(value, "own")


def card(name: str, share: float | None = None, **fields: object) -> ModelCard:
    quality = {} if share is None else {family: stated(share) for family in FAMILIES}
    size = {"total_parameters_billions": stated(100), "active_parameters_billions": stated(50)}
    facts = {"family": "f", "released": "2026-01", **size, **fields}
    return ModelCard(f"maker/{name}", name, "maker", quality=quality, **facts)  # type: ignore[arg-type]


# The lower third of what is known ends at 0.832, its lowest tenth at 0.62.
SCORED = (
    (card("kin", 0.8, released="2025-06"), 10.0),
    (card("weak", 0.5, family="g"), 10.0),
    (card("a", 0.9, family="h"), 20.0),
    (card("b", 0.95, family="h"), 20.0),
    (card("c", 0.95, family="h"), 20.0),
)
FLOOR = 0.62


def estimate(unknown: ModelCard, usd: float | None) -> float:
    """Quality of a model that nobody measured, among SCORED. usd: its price per million output tokens."""
    priced = [*SCORED, (unknown, usd)]
    offers = tuple(
        Offer(found.id, "here", found.name, Prices() if price is None else Prices(stated(price), stated(price)))
        for found, price in priced
    )
    catalog = Catalog("", "2026-11-22", {}, {found.id: found for found, _ in priced}, offers)
    quality = by_task(catalog, [unknown.id], TASKS)
    assert not quality.known[0]
    return float(quality.shares[0, 0])


def test_a_model_is_taken_for_the_worst_of_its_kin() -> None:
    assert estimate(card("new"), 10.0) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("unknown", "usd"),
    [
        (card("cheaper"), 9.0),
        (card("dearer"), 25.0),
        (card("unpriced"), None),
        (card("free"), 0.0),
        (card("older", released="2025-05"), 10.0),
        (card("undated", released=""), 10.0),
        (card("smaller", total_parameters_billions=stated(40)), 10.0),
        (card("sparser", active_parameters_billions=stated(4)), 10.0),
        (card("stranger", family="other"), 10.0),
        (card("unrelated", family=""), 10.0),
    ],
    ids=lambda value: value.name if isinstance(value, ModelCard) else "",
)
def test_what_has_no_comparable_kin_gets_a_low_quantile_at_most(unknown: ModelCard, usd: float | None) -> None:
    assert estimate(unknown, usd) <= FLOOR + 1e-6


def test_a_model_that_answers_at_once_does_not_stand_beside_kin_that_think() -> None:
    thinking = card("thinking", 0.95, family="t", released="2025-06", reasoning=True)
    unknown = card("plain", family="t")
    models = {found.id: found for found in (thinking, unknown, *(known for known, _ in SCORED))}
    prices = Prices(stated(10), stated(10))
    offers = tuple(Offer(found, "here", found, prices) for found in models)
    quality = by_task(Catalog("", "2026-11-22", {}, models, offers), [unknown.id], TASKS)
    assert quality.shares.max() < 0.8


def test_no_estimate_is_above_the_lower_third_of_what_is_known() -> None:
    assert estimate(card("heir", family="h", released="2026-06"), 20.0) == pytest.approx(0.832)


def test_small_old_and_cheap_models_are_expected_to_be_worse_than_the_rest() -> None:
    usual = estimate(card("usual", family=""), 15.0)
    assert estimate(card("small", family="", total_parameters_billions=stated(1)), 15.0) < usual - 0.1
    assert estimate(card("old", family="", released="2023"), 15.0) < usual - 0.1
    assert estimate(card("cheap", family=""), 0.1) < usual - 0.1


def test_over_the_whole_catalog_no_stranger_to_the_tables_is_above_the_lower_third_of_the_known() -> None:
    catalog = snapshot.bundled()
    strangers = [model_id for model_id, found in catalog.models.items() if not found.quality]
    ceiling = {
        family: np.quantile(
            [
                everyday(catalog, family, each.quality[family])
                for each in catalog.models.values()
                if family in each.quality
            ],
            BEST_ESTIMATE_SHARE,
        )
        for family in FAMILIES
    }
    quality = by_task(catalog, strangers, TASKS)
    assert len(strangers) > 500
    assert not quality.known.any()
    for task, shares in zip(TASKS, quality.shares, strict=True):
        assert shares.max() <= sum(weight * ceiling[name] for name, weight in TASK_FAMILIES[task].items()) + 1e-6, task
