"""pydantic/genai-prices: providers with models and USD per million tokens, some in tiers, some from a date on."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from gateway.catalog.card import Prices, PriceTier, Source
from gateway.catalog.records import OfferRecord, Reading
from gateway.catalog.sources.entries import entries, figure, frame

NAME = "genai-prices"


class Step(Struct, frozen=True):
    start: int
    price: float


class Tiered(Struct, frozen=True):
    base: float
    tiers: list[Step] = []


class Rates(Struct, frozen=True):
    input_mtok: float | Tiered | None = None
    output_mtok: float | Tiered | None = None
    cache_read_mtok: float | Tiered | None = None
    cache_write_mtok: float | Tiered | None = None


class Constraint(Struct, frozen=True):
    start_date: str = ""


class Dated(Struct, frozen=True):
    prices: Rates
    constraint: Constraint | None = None


class Entry(Struct, frozen=True):
    id: str
    prices: Raw
    context_window: float | None = None


class Provider(Struct, frozen=True):
    id: str
    models: list[Raw] = []


ENTRY = msgspec.json.Decoder(Entry)


def read(body: bytes, source: Source) -> Reading:
    """Every model; of dated prices the one that holds on the source's date."""
    reading, count = Reading(source), 0
    for provider in frame(body, list[Provider], NAME):
        count += len(provider.models)
        named = {f"models[{position}]": text for position, text in enumerate(provider.models)}
        for _, entry in entries(named, ENTRY, reading, provider.id):
            for _, prices in entries({f"{entry.id}.prices": entry.prices}, PRICES, reading, provider.id):
                reading.offers.append(
                    OfferRecord(
                        provider.id,
                        entry.id,
                        prices=_prices(_in_force(prices, source.date)),
                        context_window=figure(entry.context_window, NAME),
                    )
                )
    return reading.checked(count)


PRICES: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Rates | list[Dated])


def _in_force(prices: Rates | list[Dated], date: str) -> Rates:
    if isinstance(prices, Rates):
        return prices
    started = [dated for dated in prices if dated.constraint is None or dated.constraint.start_date <= date]
    return max(started, key=_start, default=Dated(Rates())).prices


def _start(dated: Dated) -> str:
    return dated.constraint.start_date if dated.constraint else ""


def _base(rate: float | Tiered | None) -> float | None:
    return rate.base if isinstance(rate, Tiered) else rate


def _prices(rates: Rates) -> Prices:
    return Prices(
        input=figure(_base(rates.input_mtok), NAME),
        output=figure(_base(rates.output_mtok), NAME),
        cached_input=figure(_base(rates.cache_read_mtok), NAME),
        cache_write=figure(_base(rates.cache_write_mtok), NAME),
        tier=_tier(rates),
    )


def _tier(rates: Rates) -> PriceTier | None:
    if not (isinstance(rates.input_mtok, Tiered) and rates.input_mtok.tiers):
        return None
    start = rates.input_mtok.tiers[0].start
    return PriceTier(
        start,
        figure(_above(rates.input_mtok, start), NAME),
        figure(_above(rates.cache_read_mtok, start), NAME),
        figure(_above(rates.output_mtok, start), NAME),
    )


def _above(rate: float | Tiered | None, start: int) -> float | None:
    if not isinstance(rate, Tiered):
        return rate
    return next((step.price for step in rate.tiers if step.start == start), rate.base)
