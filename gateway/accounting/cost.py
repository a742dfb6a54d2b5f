"""What a request cost, in whole nano-dollars (1e-9 USD): integers from the price list to the ledger."""

from decimal import ROUND_HALF_UP, Decimal

from msgspec import Raw, Struct
from msgspec.structs import replace

from gateway.catalog.card import Figure, Prices
from gateway.wire.delta import Usage

# Prices are held in femto-dollars (1e-15 USD) per token, image or request: 1e-9 USD per million tokens, finer than any
# provider states, is still a whole number. One rounding per request brings them to nano-dollars.
FEMTO_PER_NANO = 1_000_000
FEMTO_PER_USD = Decimal(10) ** 15
FEMTO_PER_USD_PER_MILLION = Decimal(10) ** 9
NOTHING = Figure(0.0, "")  # the price of what is never written


class Rates(Struct, frozen=True):
    """What one token of each kind costs, in femto-dollars."""

    input: int
    cached_input: int
    cache_write: int
    cache_write_1h: int
    output: int
    reasoning: int

    def cost_femto_usd(self, usage: Usage) -> int:
        """Cost of the tokens. `usage` is settled: parts never exceed the whole that holds them."""
        cached, written, reasoning = usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens
        for_an_hour = usage.cache_write_1h_tokens
        return (
            (usage.input_tokens - cached - written) * self.input
            + cached * self.cached_input
            + (written - for_an_hour) * self.cache_write
            + for_an_hour * self.cache_write_1h
            + (usage.output_tokens - reasoning) * self.output
            + reasoning * self.reasoning
        )


class PriceList:
    """One offer's prices, compiled once. An offer without input or output price has no cost, which is not a cost of 0.

    A missing cached or cache-write price is the input price, one of a write for an hour that of any write, a missing
    reasoning price the output price; a missing price per image or request is nothing on top, for their tokens are
    counted in the input.
    """

    __slots__ = ("_above", "_image", "_rates", "_request", "_tier")

    def __init__(self, prices: Prices, *, writes: bool = True) -> None:
        """writes: False for a model that has no output, and so no price of it."""
        self._rates = base_rates(prices if writes else replace(prices, output=NOTHING))
        self._image = femto_usd(prices.image) or 0
        self._request = femto_usd(prices.request) or 0
        self._above = None if prices.tier is None else prices.tier.above_input_tokens
        self._tier = None if self._rates is None else tier_rates(prices, self._rates)

    @property
    def is_priced(self) -> bool:
        """Whether input and output prices are known."""
        return self._rates is not None

    def cost_nano_usd(self, usage: Usage, images: int = 0) -> int | None:
        """Cost of one request in nano-dollars, rounded half up once; None when no price is known.

        usage: settled. images: of the input, 0 or more.
        """
        rates = self._rates
        if rates is None:
            return None
        if self._above is not None and self._tier is not None and usage.input_tokens > self._above:
            rates = self._tier
        total = rates.cost_femto_usd(usage) + images * self._image + self._request
        return (total + FEMTO_PER_NANO // 2) // FEMTO_PER_NANO


def base_rates(prices: Prices) -> Rates | None:
    fresh, output = femto_per_token(prices.input), femto_per_token(prices.output)
    if fresh is None or output is None:
        return None
    cached, write, reasoning = map(femto_per_token, (prices.cached_input, prices.cache_write, prices.reasoning))
    write = fresh if write is None else write
    for_an_hour = femto_per_token(prices.cache_write_1h)
    return Rates(
        input=fresh,
        cached_input=fresh if cached is None else cached,
        cache_write=write,
        cache_write_1h=write if for_an_hour is None else for_an_hour,
        output=output,
        reasoning=output if reasoning is None else reasoning,
    )


def tier_rates(prices: Prices, base: Rates) -> Rates | None:
    """The rates above the tier's threshold.

    A tier names only some prices. The others stay as they are below it, but what has no price of its own follows the
    tier's input or output, and a cache write or reasoning token never costs less than those.
    """
    tier = prices.tier
    if tier is None:
        return None
    fresh, cached, write, output = map(femto_per_token, (tier.input, tier.cached_input, tier.cache_write, tier.output))
    fresh = base.input if fresh is None else fresh
    output = base.output if output is None else output
    if cached is None:
        cached = fresh if prices.cached_input is None else base.cached_input
    write = max(base.cache_write, fresh) if write is None else write
    return Rates(
        input=fresh,
        cached_input=cached,
        cache_write=write,
        cache_write_1h=max(base.cache_write_1h, write),
        output=output,
        reasoning=max(base.reasoning, output),
    )


def femto_per_token(usd_per_million: Figure | None) -> int | None:
    """A price in USD per million tokens as femto-dollars per token; None when missing or impossible."""
    return scaled(usd_per_million, FEMTO_PER_USD_PER_MILLION)


def femto_usd(usd: Figure | None) -> int | None:
    """A price in USD as femto-dollars; None when missing or impossible."""
    return scaled(usd, FEMTO_PER_USD)


def scaled(figure: Figure | None, unit: Decimal) -> int | None:
    if figure is None:
        return None
    price = Decimal(repr(figure.value))  # repr gives the digits that the source stated: 0.15, not 0.1499999999999999944
    if not price.is_finite() or price < 0:
        return None
    return int((price * unit).to_integral_value(ROUND_HALF_UP))


def usd_number(nano_usd: int) -> Raw:
    """Nano-dollars as a JSON number in USD, exact to the last digit: 0.000463, and no 0.00046300000000000003."""
    return Raw(format_usd(nano_usd).encode())


def format_usd(nano_usd: int) -> str:
    """Nano-dollars as plain decimal USD: "0.000463", "12.50", "-0.01". No exponent, at least two decimals."""
    whole, rest = divmod(abs(nano_usd), 1_000_000_000)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if nano_usd < 0 else ''}{whole}.{decimals}"
