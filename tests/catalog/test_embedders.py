"""Embedding models in the catalog: taken in beside the models that write, and never mixed up with them."""

import pytest

from gateway.catalog import aliases, snapshot
from gateway.catalog.card import Catalog, Figure
from gateway.catalog.feeds import LITELLM, MODELS_DEV
from gateway.catalog.join import join
from gateway.catalog.names import is_chat_model, is_embedding_model
from gateway.catalog.sources import litellm, models_dev
from gateway.catalog.validate import validate
from gateway.wire.ability import Ability
from tests.catalog import feeds

LISTED = {
    "text-embedding-3-small": {
        "litellm_provider": "openai",
        "mode": "embedding",
        "input_cost_per_token": 2e-08,
        "output_cost_per_token": 0.0,
        "max_input_tokens": 8191,
        "output_vector_size": 1536,
    },
    "embed-multilingual-light-v3.0": {
        "litellm_provider": "cohere",
        "mode": "embedding",
        "input_cost_per_token": 1e-04,  # as LiteLLM really lists it: a thousand times too much
    },
    "gemini-flash-experimental": {"litellm_provider": "gemini", "mode": "embedding", "input_cost_per_token": 0},
    "gpt-5": {
        "litellm_provider": "openai",
        "mode": "chat",
        "input_cost_per_token": 1.25e-06,
        "output_cost_per_token": 1e-05,
    },
}


def listed() -> Catalog:
    told = models_dev.read(
        feeds.body({"openai": {"models": {"text-embedding-3-small": feeds.price_entry("x", {"input": 0.02}, 8_191)}}}),
        MODELS_DEV,
    )
    return join([litellm.read(feeds.body(LISTED), LITELLM), told], aliases.bundled()).catalog


def test_an_embedding_model_has_a_price_for_input_and_nothing_that_only_writers_have() -> None:
    catalog = listed().of_kind(embeds=True)
    card = catalog.models["openai/text-embedding-3-small"]
    offer = next(offer for offer in catalog.offers if offer.model == card.id)
    assert card.embeds
    assert card.dimensions == Figure(1536, "litellm")
    assert offer.id == "openai/text-embedding-3-small@openai"
    assert offer.prices.input == Figure(0.02, "models.dev")
    assert (offer.prices.output, offer.max_output_tokens, offer.abilities) == (None, None, Ability(0))


def test_the_two_kinds_share_nothing() -> None:
    catalog = listed()
    writers, embedders = catalog.of_kind(embeds=False), catalog.of_kind(embeds=True)
    assert set(writers.models) == {"openai/gpt-5"}
    assert {offer.model for offer in writers.offers} == {"openai/gpt-5"}
    assert writers.models.keys() | embedders.models.keys() == catalog.models.keys()
    assert sorted(offer.id for offer in (*writers.offers, *embedders.offers)) == sorted(
        offer.id for offer in catalog.offers
    )


def test_a_price_that_no_embedding_model_ever_had_is_quarantined() -> None:
    catalog, refused = validate(None, listed())
    (offer,) = [offer for offer in catalog.offers if "light" in offer.model]
    assert offer.prices.input is None
    assert [(found.target, found.new) for found in refused] == [(offer.id, 100.0)]


@pytest.mark.parametrize(
    "name",
    ["text-embedding-3-large", "BAAI/bge-m3", "intfloat/multilingual-e5-large", "thenlper/gte-base", "mistral-embed"],
)
def test_names_of_embedding_models_are_known(name: str) -> None:
    assert is_embedding_model(name)
    assert not is_chat_model(name)


@pytest.mark.parametrize("name", ["BAAI/bge-reranker-v2-m3", "amazon.titan-embed-image-v1", "gpt-5", "gemma-2-9b-it"])
def test_rerankers_and_models_that_embed_pictures_are_none(name: str) -> None:
    assert not is_embedding_model(name)


def test_the_bundled_catalog_knows_the_usual_ones_with_price_and_hosts() -> None:
    catalog = snapshot.bundled()
    sold = {offer.id for offer in catalog.offers if offer.prices.input is not None}
    assert {
        "openai/text-embedding-3-small@openai",
        "openai/text-embedding-3-large@azure",
        "google/gemini-embedding-001@google",
        "mistralai/mistral-embed@mistral",
        "cohere/embed-v4.0@cohere",
        "baai/bge-m3@novita",
        "qwen/qwen3-embedding-8b@nebius",
    } <= sold
    assert len(catalog.of_kind(embeds=True).models) >= 40
    assert len(catalog.of_kind(embeds=False).models) >= 900
