"""No poisoned figure is ever adopted, whatever it is and wherever it sits."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.catalog.card import Catalog, Figure, ModelCard, Offer, Prices, Source
from gateway.catalog.validate import validate

FIELDS = ("input", "output", "cached_input", "context_window", "max_output_tokens")
GOOD = {"input": 1.25, "output": 10.0, "cached_input": 0.125, "context_window": 400_000.0, "max_output_tokens": 128e3}
PRICES = frozenset({"input", "output", "cached_input"})
VALUES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, -1.0, 1e-300, 1e300, math.nan, math.inf, -math.inf]),
    st.floats(0.001, 1_000_000),
)
CHANGES = st.dictionaries(st.tuples(st.integers(0, 11), st.sampled_from(FIELDS)), VALUES, max_size=20)


def offer(number: int, figures: dict[str, float]) -> Offer:
    price = {name: Figure(figures[name], "s") for name in PRICES}
    prices = Prices(input=price["input"], output=price["output"], cached_input=price["cached_input"])
    return Offer(
        f"maker/model-{number}",
        "host",
        "name",
        prices,
        Figure(figures["context_window"], "s"),
        max_output_tokens=Figure(figures["max_output_tokens"], "s"),
    )


def catalog(offers: list[Offer]) -> Catalog:
    models = {offer.model: ModelCard(offer.model, "name", "maker") for offer in offers}
    return Catalog("", "2026-11-01", {"s": Source("s", "url", date="2026-11-01")}, models, tuple(offers))


OLD = catalog([offer(number, GOOD) for number in range(12)])


def value(found: Offer, field: str) -> float:
    figure = getattr(found.prices if field in PRICES else found, field)
    assert isinstance(figure, Figure)
    return figure.value


@settings(derandomize=True, max_examples=300)
@given(CHANGES)
def test_an_adopted_figure_is_finite_positive_and_near_the_old_one(changes: dict[tuple[int, str], float]) -> None:
    poisoned = [offer(n, {field: changes.get((n, field), GOOD[field]) for field in FIELDS}) for n in range(12)]
    adopted, found = validate(OLD, replace(OLD, offers=tuple(poisoned)))
    refused = {(quarantined.target, quarantined.field.removeprefix("prices.")) for quarantined in found}
    for number, after in enumerate(sorted(adopted.offers, key=lambda offer: int(offer.model.rpartition("-")[2]))):
        for field in FIELDS:
            factor = 3 if field in PRICES else 10
            assert math.isfinite(value(after, field))
            assert 1 / factor <= value(after, field) / GOOD[field] <= factor
            stated = changes.get((number, field), GOOD[field])
            assert value(after, field) == (GOOD[field] if (after.id, field) in refused else stated)


@settings(derandomize=True, max_examples=100)
@given(st.sets(st.integers(0, 11)))
def test_offers_never_vanish_by_more_than_a_fifth(gone: set[int]) -> None:
    left = tuple(offer for number, offer in enumerate(OLD.offers) if number not in gone)
    adopted, _ = validate(OLD, replace(OLD, offers=left))
    assert len(adopted.offers) == (12 - len(gone) if len(gone) <= 2 else 12)


@settings(derandomize=True, max_examples=100)
@given(CHANGES)
def test_what_was_adopted_once_is_adopted_again_unchanged(changes: dict[tuple[int, str], float]) -> None:
    poisoned = [offer(n, {field: changes.get((n, field), GOOD[field]) for field in FIELDS}) for n in range(12)]
    once, _ = validate(OLD, replace(OLD, offers=tuple(poisoned)))
    twice, found = validate(once, once)
    assert (twice, found) == (once, [])
