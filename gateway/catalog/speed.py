"""What to expect of a target's speed before it has been seen: measured figures where a source has them, else a table.

The table is our estimate by order of magnitude (marked as estimated wherever it is shown); live figures replace it
after a few requests. Larger models cost more and write more slowly, so the output price stands for size.
"""

import re

from msgspec import Struct

from gateway.catalog.card import ModelCard, Offer

# USD per million output tokens, at least -> tokens per second, seconds to the first token
CLASSES = ((10.0, 55.0, 0.9), (3.0, 70.0, 0.7), (1.0, 90.0, 0.6), (0.3, 120.0, 0.5), (0.0, 150.0, 0.4))
UNKNOWN_CLASS = (50.0, 1.0)  # a target without a price, or a free one, is taken for a slow one
EMBEDDING_SECONDS = 0.3  # for all vectors of a request: there is no token after the first
THINKING_SECONDS = 4.0  # before the first visible token of a model that reasons unasked
THINKING_RATIO = 2.5  # output tokens, hidden ones included, against a model that does not reason

FASTER = {"groq": 4.0, "cerebras": 15.0, "sambanova": 3.0}  # own chips: times the tokens per second
RELAYS = frozenset({"openrouter", "vercel", "helicone", "requesty", "zenmux", "poe", "huggingface", "opencode"})
RELAY_SECONDS = 0.15  # one more hop

# Models that can reason but do not unless asked to (their makers' API references).
SILENT_BY_DEFAULT = re.compile(
    r"^(?:anthropic/|mistralai/(?!magistral)|openai/gpt-5\.[1-9]|google/gemini-2\.5-flash-lite)"
)


class Speed(Struct, frozen=True):
    """Expected speed of one target."""

    first_token_seconds: float
    output_tokens_per_second: float
    stated: bool  # both rest on a source


def expected(card: ModelCard, offer: Offer) -> Speed:
    """The offer's own figures, filled up from the table."""
    seconds, rate = offer.first_token_seconds, offer.output_tokens_per_second
    if seconds is not None and rate is not None:
        return Speed(seconds.value, rate.value, True)
    estimate = _estimate(card, offer)
    return Speed(
        seconds.value if seconds is not None else estimate.first_token_seconds,
        rate.value if rate is not None else estimate.output_tokens_per_second,
        False,
    )


def thinks_unasked(card: ModelCard) -> bool:
    """Whether a plain request to the model is answered after hidden reasoning."""
    return card.reasoning and SILENT_BY_DEFAULT.match(card.id) is None


def output_ratio(card: ModelCard) -> float:
    """Output tokens that are billed, against those of a model that answers at once."""
    return THINKING_RATIO if thinks_unasked(card) else 1.0


def _estimate(card: ModelCard, offer: Offer) -> Speed:
    price = offer.prices.output
    rate, seconds = (UNKNOWN_CLASS[0], EMBEDDING_SECONDS) if card.embeds else UNKNOWN_CLASS
    if price is not None and price.value > 0:  # a free endpoint says nothing of a model's size
        rate, seconds = next((speed, first) for least, speed, first in CLASSES if price.value >= least)
    faster = FASTER.get(offer.provider, 1.0)
    rate *= faster
    if thinks_unasked(card):
        seconds += THINKING_SECONDS / faster
    return Speed(seconds + (RELAY_SECONDS if offer.provider in RELAYS else 0.0), rate, False)
