"""A new catalog against the last good one."""

import math

import pytest
from msgspec.structs import replace

from gateway.catalog.card import Catalog, Figure, ModelCard, Offer, Prices, PriceTier, Source
from gateway.catalog.validate import Quarantined, validate

SOURCE = "models.dev"


def priced(provider: str, usd: float, model: str = "openai/gpt-5", window: float = 400_000) -> Offer:
    return Offer(
        model=model,
        provider=provider,
        upstream_name=model,
        prices=Prices(input=Figure(usd, SOURCE), output=Figure(8 * usd, SOURCE)),
        context_window=Figure(window, SOURCE),
    )


def catalog(*offers: Offer, date: str = "2026-11-01") -> Catalog:
    models = {offer.model: ModelCard(offer.model, offer.model, "openai") for offer in offers}
    return Catalog("", date, {SOURCE: Source(SOURCE, "https://models.dev", date=date)}, models, offers)


OLD = catalog(*(priced(f"host-{number}", 1.0 + number / 10) for number in range(10)))


def moved(**figures: Figure | None) -> tuple[Offer, list[Quarantined]]:
    """host-0's offer after a refresh in which its input price or its window changed."""
    first = OLD.offers[0]
    prices = replace(first.prices, **{name: value for name, value in figures.items() if name != "context_window"})
    changed = replace(first, prices=prices, context_window=figures.get("context_window", first.context_window))
    new, found = validate(OLD, replace(OLD, offers=(changed, *OLD.offers[1:])))
    return next(offer for offer in new.offers if offer.provider == "host-0"), found


@pytest.mark.parametrize("usd", [0.34, 0.9, 1.0, 1.5, 2.99])
def test_a_price_that_moves_by_up_to_three_times_is_adopted(usd: float) -> None:
    offer, found = moved(input=Figure(usd, SOURCE))
    assert offer.prices.input == Figure(usd, SOURCE)
    assert found == []


@pytest.mark.parametrize(
    ("usd", "reason"),
    [
        (0.0, "fell to zero"),
        (-1.0, "is negative"),
        (math.nan, "is not a number"),
        (math.inf, "is not a number"),
        (-math.inf, "is not a number"),
        (0.3, "changed by more than 3 times"),
        (3.1, "changed by more than 3 times"),
        (1000.0, "changed by more than 3 times"),
        (100_000.0, "is over 2000"),
    ],
)
def test_a_price_that_cannot_be_right_is_quarantined_and_the_old_one_stays(usd: float, reason: str) -> None:
    offer, (found,) = moved(input=Figure(usd, SOURCE))
    assert offer.prices.input == Figure(1.0, SOURCE, "2026-11-01")
    assert (found.target, found.field, found.old, found.reason) == (offer.id, "prices.input", 1.0, reason)


def test_a_price_that_goes_missing_stays() -> None:
    offer, (found,) = moved(input=None)
    assert offer.prices.input == Figure(1.0, SOURCE, "2026-11-01")
    assert (found.new, found.reason) == (None, "vanished")


@pytest.mark.parametrize("tokens", [0, -1, 39_999, 4_000_001, 400_000_000, math.nan, math.inf])
def test_a_window_that_cannot_be_right_is_quarantined(tokens: float) -> None:
    offer, (found,) = moved(context_window=Figure(tokens, SOURCE))
    assert offer.context_window == Figure(400_000, SOURCE, "2026-11-01")
    assert found.field == "context_window"


@pytest.mark.parametrize("tokens", [40_000, 200_000, 1_000_000, 4_000_000])
def test_a_window_may_grow_and_shrink_within_reason(tokens: float) -> None:
    assert moved(context_window=Figure(tokens, SOURCE)) == (
        replace(OLD.offers[0], context_window=Figure(tokens, SOURCE)),
        [],
    )


def test_the_end_of_an_interval_is_judged_too() -> None:
    _, (found,) = moved(input=Figure(1.0, SOURCE, low=-5.0, high=2.0))
    assert found.reason == "is negative"


def test_an_operator_can_let_a_real_change_through_but_never_an_impossible_one() -> None:
    changed = replace(OLD.offers[0], prices=Prices(Figure(0.1, SOURCE), Figure(math.nan, SOURCE)))
    new, found = validate(OLD, replace(OLD, offers=(changed, *OLD.offers[1:])), accept={changed.id})
    prices = next(offer for offer in new.offers if offer.id == changed.id).prices
    assert prices.input == Figure(0.1, SOURCE)
    assert prices.output == Figure(8.0, SOURCE, "2026-11-01")
    assert [refused.field for refused in found] == ["prices.output"]


def test_a_new_offer_far_from_what_others_ask_for_the_model_is_not_priced() -> None:
    new, (found_input, found_output) = validate(OLD, replace(OLD, offers=(*OLD.offers, priced("host-x", 1450.0 / 10))))
    offer = next(offer for offer in new.offers if offer.provider == "host-x")
    assert (offer.prices.input, offer.prices.output) == (None, None)
    assert "other offers" in found_input.reason
    assert found_output.old is None


def test_a_new_offer_near_the_others_is_adopted() -> None:
    new, found = validate(OLD, replace(OLD, offers=(*OLD.offers, priced("host-x", 0.5))))
    assert len(new.offers) == 11
    assert found == []


def test_a_provider_does_not_vanish_whole() -> None:
    new, found = validate(OLD, replace(OLD, offers=OLD.offers[2:]))
    assert len(new.offers) == 10
    assert {refused.target for refused in found} == {offer.id for offer in OLD.offers[:2]}


def test_a_provider_that_loses_a_few_of_many_offers_loses_them() -> None:
    old = catalog(*(priced("host", 1.0, f"openai/model-{number}") for number in range(20)))
    new, found = validate(old, replace(old, offers=old.offers[3:]))
    assert len(new.offers) == 17
    assert found == []


def test_when_more_than_a_fifth_vanishes_all_stay_with_their_dates() -> None:
    old = catalog(*(priced("host", 1.0, f"openai/model-{number}") for number in range(20)))
    new, found = validate(old, replace(old, offers=old.offers[5:], models={}, date="2026-12-01"))
    assert len(new.offers) == 20
    assert len(found) == 5
    kept = next(offer for offer in new.offers if offer.id == found[0].target)
    assert kept.prices.input == Figure(1.0, SOURCE, "2026-11-01")
    assert kept.model in new.models


def test_an_empty_catalog_never_replaces_a_good_one() -> None:
    new, found = validate(OLD, Catalog("", "", {}, {}, ()))
    assert [offer.id for offer in new.offers] == [offer.id for offer in OLD.offers]
    assert new.sources == OLD.sources
    assert len(found) == len(OLD.offers)


def test_a_tier_is_measured_against_the_price_below_it() -> None:
    tier = PriceTier(200_000, Figure(2.0, SOURCE), None, Figure(8_000.0, SOURCE))
    offer, (found,) = moved(tier=tier)  # type: ignore[arg-type]
    assert offer.prices.tier == PriceTier(200_000, Figure(2.0, SOURCE))
    assert found.field == "prices.tier.output"


def test_a_tier_with_an_impossible_threshold_is_left_out() -> None:
    offer, (found,) = moved(tier=PriceTier(-1, Figure(2.0, SOURCE)))  # type: ignore[arg-type]
    assert offer.prices.tier is None
    assert found.field == "prices.tier.above_input_tokens"


def test_shares_sizes_and_grids_are_judged_too() -> None:
    quality = {"coding": Figure(7.2, "livebench"), "reasoning": Figure(0.7, "livebench")}
    card = ModelCard("a/b", "b", "a", quality=quality, active_parameters_billions=Figure(-3, "ecologits"))
    new, found = validate(
        None, Catalog("", "", {}, {"a/b": card}, (), grid_g_per_kwh={"FRA": Figure(1e9, "ecologits")})
    )
    assert new.models["a/b"].quality == {"reasoning": Figure(0.7, "livebench")}
    assert new.models["a/b"].active_parameters_billions is None
    assert new.grid_g_per_kwh == {}
    assert len(found) == 3
