"""Portkey's pricing, one file per provider, in cents per token; 0 there means that the price is not known."""

import msgspec
from msgspec import Raw, Struct

from gateway.catalog.card import Figure, Prices, Source
from gateway.catalog.records import OfferRecord, Reading
from gateway.catalog.sources.entries import entries, figure, frame

NAME = "portkey"
USD_PER_MILLION = 1e4  # cents per token -> USD per million tokens
LONG = ("-gt-128k", "-gt-200k")  # a second row for long prompts; the first one is the model's
SHORT = ("-lte-128k", "-lte-200k")


class Rate(Struct, frozen=True):
    price: float | None = None


class PayAsYouGo(Struct, frozen=True):
    request_token: Rate = Rate()
    response_token: Rate = Rate()
    cache_read_input_token: Rate = Rate()
    cache_write_input_token: Rate = Rate()


class Config(Struct, frozen=True):
    pay_as_you_go: PayAsYouGo
    currency: str = "USD"


class Entry(Struct, frozen=True):
    pricing_config: Config


ENTRY = msgspec.json.Decoder(Entry)


def read(body: bytes, source: Source, provider: str = "") -> Reading:
    """Every model of one provider's file."""
    raw = frame(body, dict[str, Raw], f"{NAME}/{provider}")
    raw.pop("default", None)
    reading = Reading(source)
    for name, entry in entries(raw, ENTRY, reading, provider):
        rates = entry.pricing_config.pay_as_you_go
        if entry.pricing_config.currency == "USD" and not name.endswith(LONG) and ":" not in name:
            reading.offers.append(OfferRecord(provider, _plain(name), prices=_prices(rates)))
    return reading.checked(len(raw))


def _plain(name: str) -> str:
    for ending in SHORT:
        name = name.removesuffix(ending)
    return name


def _prices(rates: PayAsYouGo) -> Prices:
    return Prices(
        input=_figure(rates.request_token),
        output=_figure(rates.response_token),
        cached_input=_figure(rates.cache_read_input_token),
        cache_write=_figure(rates.cache_write_input_token),
    )


def _figure(rate: Rate) -> Figure | None:
    return figure(rate.price or None, NAME, USD_PER_MILLION)
