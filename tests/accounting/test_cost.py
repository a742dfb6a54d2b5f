"""Prices to nano-dollars."""

import pytest

from gateway.accounting.cost import PriceList, format_usd
from gateway.catalog.card import Figure, Prices, PriceTier
from gateway.wire.delta import Usage


def usd(value: float) -> Figure:
    return Figure(value, "test")


FULL = Prices(
    input=usd(3),
    output=usd(15),
    cached_input=usd(0.3),
    cache_write=usd(3.75),
    cache_write_1h=usd(6),
    reasoning=usd(20),
    image=usd(0.005),
    request=usd(0.01),
)


def test_every_kind_of_token_has_its_own_price() -> None:
    usage = Usage(input_tokens=1_000, cached_tokens=600, cache_write_tokens=100, output_tokens=200, reasoning_tokens=50)
    tokens = 300 * 3_000 + 600 * 300 + 100 * 3_750 + 150 * 15_000 + 50 * 20_000
    assert PriceList(FULL).cost_nano_usd(usage, images=2) == tokens + 2 * 5_000_000 + 10_000_000


def test_what_is_kept_for_an_hour_costs_more_to_write() -> None:
    usage = Usage(input_tokens=1_000, cache_write_tokens=100, cache_write_1h_tokens=40)
    fixed = 10_000_000
    assert PriceList(FULL).cost_nano_usd(usage) == 900 * 3_000 + 60 * 3_750 + 40 * 6_000 + fixed
    unstated = PriceList(Prices(input=usd(3), output=usd(15), cache_write=usd(3.75)))
    assert unstated.cost_nano_usd(usage) == 900 * 3_000 + 100 * 3_750


def test_missing_prices_fall_back_to_input_and_output() -> None:
    prices = PriceList(Prices(input=usd(3), output=usd(15)))
    plain = prices.cost_nano_usd(Usage(1_000, output_tokens=200))
    assert prices.cost_nano_usd(Usage(1_000, 600, 100, 200, 50)) == plain == 1_000 * 3_000 + 200 * 15_000


@pytest.mark.parametrize(
    "prices",
    [
        Prices(),
        Prices(input=usd(3)),
        Prices(output=usd(15)),
        Prices(input=usd(-1), output=usd(15)),
        Prices(input=usd(3), output=usd(float("nan"))),
        Prices(input=usd(float("inf")), output=usd(15)),
    ],
    ids=["none", "no output", "no input", "negative", "nan", "inf"],
)
def test_an_unknown_price_is_no_cost_and_not_a_cost_of_zero(prices: Prices) -> None:
    assert not PriceList(prices).is_priced
    assert PriceList(prices).cost_nano_usd(Usage(1_000, output_tokens=200)) is None


def test_a_free_model_costs_zero() -> None:
    assert PriceList(Prices(input=usd(0), output=usd(0))).cost_nano_usd(Usage(1_000, output_tokens=200)) == 0


def test_rounding_is_half_up_and_happens_once() -> None:
    # 0.0005 USD per million tokens is half a nano-dollar each.
    prices = PriceList(Prices(input=usd(0.0005), output=usd(0.0005)))
    assert [prices.cost_nano_usd(Usage(tokens)) for tokens in (1, 2, 3)] == [1, 1, 2]
    assert prices.cost_nano_usd(Usage(1, output_tokens=1)) == 1


def test_a_tier_applies_above_its_threshold_to_the_whole_request() -> None:
    prices = PriceList(
        Prices(
            input=usd(3),
            output=usd(15),
            cached_input=usd(0.3),
            tier=PriceTier(200_000, input=usd(6), cached_input=usd(0.6), output=usd(22.5)),
        )
    )
    assert prices.cost_nano_usd(Usage(200_000, 1_000, 0, 10)) == 199_000 * 3_000 + 1_000 * 300 + 10 * 15_000
    assert prices.cost_nano_usd(Usage(200_001, 1_000, 0, 10)) == 199_001 * 6_000 + 1_000 * 600 + 10 * 22_500


def test_what_a_tier_does_not_name_stays_or_follows_its_input_and_output() -> None:
    tier = PriceTier(100, input=usd(6), output=usd(30))
    long = Usage(1_000, 100, 100, 100, 40)
    stated = Prices(input=usd(3), output=usd(15), cached_input=usd(1), cache_write=usd(9), reasoning=usd(40), tier=tier)
    bare = Prices(input=usd(3), output=usd(15), tier=tier)
    assert PriceList(stated).cost_nano_usd(long) == 800 * 6_000 + 100 * 1_000 + 100 * 9_000 + 60 * 30_000 + 40 * 40_000
    assert PriceList(bare).cost_nano_usd(long) == 1_000 * 6_000 + 100 * 30_000


def test_a_tier_may_state_the_price_of_a_cache_write() -> None:
    tier = PriceTier(100, input=usd(6), cache_write=usd(7.5))
    prices = PriceList(Prices(input=usd(3), output=usd(15), cache_write=usd(3.75), tier=tier))
    assert prices.cost_nano_usd(Usage(1_000, 0, 1_000, 0)) == 1_000 * 7_500


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0.00"),
        (1, "0.000000001"),
        (463_000, "0.000463"),
        (12_500_000_000, "12.50"),
        (1_000_000_000_000_000_007, "1000000000.000000007"),
        (-10_000_000, "-0.01"),
    ],
)
def test_usd_are_written_without_exponent(nano: int, text: str) -> None:
    assert format_usd(nano) == text
