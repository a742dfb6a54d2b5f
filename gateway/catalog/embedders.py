"""What the sources say of embedding models, cleaned: they write nothing, so they have no output to limit or to price.

models.dev lists them as if they wrote text, with the length of the vector, or something else, as their output limit;
some of its rows repeat the input price as the output's. LiteLLM states lengths as such.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from gateway.catalog.card import EMBEDDINGS, Figure, Prices
from gateway.catalog.records import OfferRecord
from gateway.wire.ability import Ability


def as_embedder(record: OfferRecord) -> OfferRecord:
    """The record of an embedding model without what only models that write have."""
    facts = replace(record.facts, input_modalities=("text",), output_modalities=(EMBEDDINGS,), reasoning=None)
    return replace(
        record,
        prices=Prices(input=record.prices.input),
        max_output_tokens=None,
        abilities=Ability(0),
        lacks=Ability(0),
        api="",
        facts=facts,
    )


def embedding_prices(records: Iterable[tuple[str, OfferRecord]]) -> Prices:
    """The first price that is one: a 0 in these lists means that nobody has looked it up."""
    stated = (record.prices.input for _, record in records)
    return Prices(input=next((price for price in stated if is_charged(price)), None))


def is_charged(price: Figure | None) -> bool:
    return price is not None and price.value > 0
