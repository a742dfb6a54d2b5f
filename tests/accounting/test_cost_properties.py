"""Integer arithmetic against exact fractions."""

from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from gateway.accounting.cost import PriceList, format_usd
from gateway.catalog.card import Figure, Prices, PriceTier
from gateway.wire.delta import Usage

stated = st.decimals(0, 2_000, places=6).map(lambda price: Figure(float(price), "test"))
missing_or_stated = st.none() | stated
tiers = st.none() | st.builds(
    PriceTier, st.integers(0, 400_000), missing_or_stated, missing_or_stated, missing_or_stated
)
price_lists = st.builds(
    Prices,
    stated,
    stated,
    missing_or_stated,
    missing_or_stated,
    missing_or_stated,
    missing_or_stated,
    missing_or_stated,
    missing_or_stated,
    tiers,
)


@st.composite
def settled_usages(draw: st.DrawFn) -> Usage:
    whole = draw(st.integers(0, 2**40))
    cached = draw(st.integers(0, whole))
    output = draw(st.integers(0, 2**40))
    written = draw(st.integers(0, whole - cached))
    for_an_hour = draw(st.integers(0, written))
    reasoning = draw(st.integers(0, output))
    return Usage(whole, cached, written, output, reasoning, cache_write_1h_tokens=for_an_hour)


def exact(figure: Figure | None, default: Fraction) -> Fraction:
    """The price as the source wrote it, in USD."""
    return default if figure is None else Fraction(repr(figure.value))


def cost_usd(prices: Prices, usage: Usage, images: int) -> Fraction:
    """The definition, in fractions of a dollar."""
    fresh = exact(prices.input, Fraction(0))
    output = exact(prices.output, Fraction(0))
    cached, write = exact(prices.cached_input, fresh), exact(prices.cache_write, fresh)
    reasoning, for_an_hour = exact(prices.reasoning, output), exact(prices.cache_write_1h, write)
    if prices.tier is not None and usage.input_tokens > prices.tier.above_input_tokens:
        fresh, output = exact(prices.tier.input, fresh), exact(prices.tier.output, output)
        cached = exact(prices.tier.cached_input, fresh if prices.cached_input is None else cached)
        write, reasoning = max(write, fresh), max(reasoning, output)
        for_an_hour = max(for_an_hour, write)
    per_million = (
        (usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens) * fresh
        + usage.cached_tokens * cached
        + (usage.cache_write_tokens - usage.cache_write_1h_tokens) * write
        + usage.cache_write_1h_tokens * for_an_hour
        + (usage.output_tokens - usage.reasoning_tokens) * output
        + usage.reasoning_tokens * reasoning
    )
    return per_million / 1_000_000 + images * exact(prices.image, Fraction(0)) + exact(prices.request, Fraction(0))


@given(price_lists, settled_usages(), st.integers(0, 100))
def test_the_cost_is_the_exact_one_rounded_half_up(prices: Prices, usage: Usage, images: int) -> None:
    nano = cost_usd(prices, usage, images) * 10**9
    assert PriceList(prices).cost_nano_usd(usage, images) == floor(nano + Fraction(1, 2))


@given(st.integers(-(10**20), 10**20))
def test_a_written_amount_reads_back_exactly(nano: int) -> None:
    text = format_usd(nano)
    assert Fraction(text) * 10**9 == nano
    assert "e" not in text.lower()
