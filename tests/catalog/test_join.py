"""What the join makes of sources that agree, differ, or are silent."""

from typing import Any

from gateway.catalog.aliases import bundled
from gateway.catalog.card import Catalog, Figure, Offer
from gateway.catalog.feeds import FEEDS
from gateway.catalog.join import Joined, join
from gateway.wire.ability import Ability
from tests.catalog import feeds


def joined(content: dict[str, Any]) -> Joined:
    readers = {feed.name: feed for feed in FEEDS}
    return join(
        [readers[name].read(feeds.body(text), readers[name].source) for name, text in content.items()], bundled()
    )


def offer(catalog: Catalog, target: str) -> Offer:
    return next(offer for offer in catalog.offers if offer.id == target)


def test_one_offer_per_model_and_provider_whatever_the_sources_call_them() -> None:
    catalog = joined(feeds.honest()).catalog
    targets = [offer.id for offer in catalog.offers]
    assert len(targets) == len(set(targets))
    assert {"openai/gpt-5@openai", "openai/gpt-5@openrouter", "openai/gpt-oss-120b@groq"} <= set(targets)
    assert offer(catalog, "anthropic/claude-opus-4.5@anthropic").upstream_name == "claude-opus-4-5"


def test_the_first_source_in_precedence_wins_field_by_field() -> None:
    gpt5 = offer(joined(feeds.honest()).catalog, "openai/gpt-5@openai")
    assert gpt5.context_window == Figure(400_000, "models.dev")
    assert gpt5.max_input_tokens == Figure(272_000, "litellm")
    assert gpt5.retires == "2026-12-11"


def test_each_ability_names_the_source_whose_word_it_is() -> None:
    groq = offer(joined(feeds.honest()).catalog, "openai/gpt-oss-120b@groq")
    assert groq.abilities_from == {"models.dev": int(groq.abilities)}
    content = feeds.honest()
    del content["models.dev"]["openai"]["models"]["gpt-5"]["modalities"]
    gpt5 = offer(joined(content).catalog, "openai/gpt-5@openai")
    assert gpt5.abilities_from["litellm"] == Ability.IMAGES | Ability.FILES


def test_a_price_of_zero_from_one_source_is_a_missing_price() -> None:
    content = feeds.honest()
    content["models.dev"]["groq"]["models"]["openai/gpt-oss-120b"]["cost"] = {"input": 0, "output": 0}
    assert offer(joined(content).catalog, "openai/gpt-oss-120b@groq").prices.input == Figure(0.15, "litellm")
    del content["litellm"]["groq/openai/gpt-oss-120b"]
    assert offer(joined(content).catalog, "openai/gpt-oss-120b@groq").prices.input is None


def test_a_price_of_zero_counts_where_the_endpoint_is_known_to_be_free() -> None:
    content = feeds.honest()
    free = {"models": {"openai/gpt-oss-120b": feeds.price_entry("gpt-oss-120b", {"input": 0, "output": 0})}}
    content["models.dev"]["nvidia"] = free
    assert offer(joined(content).catalog, "openai/gpt-oss-120b@nvidia").prices.input == Figure(0, "models.dev")


def test_sources_that_differ_by_more_than_a_tenth_are_reported() -> None:
    content = feeds.honest()
    content["litellm"]["gpt-5"]["output_cost_per_token"] = 1.2e-05
    (found,) = [found for found in joined(content).disagreements if found.field == "prices.output"]
    assert found.target == "openai/gpt-5@openai"
    assert found.values == {"models.dev": 10.0, "litellm": 12.0, "portkey": 10.0}


def test_a_cached_price_is_not_taken_from_a_source_that_differs_on_the_input_price() -> None:
    content = feeds.honest()
    del content["models.dev"]["openai"]["models"]["gpt-5"]["cost"]["cache_read"]
    agreeing = offer(joined(content).catalog, "openai/gpt-5@openai").prices
    assert agreeing.cached_input == Figure(0.125, "litellm")
    content["litellm"]["gpt-5"]["input_cost_per_token"] = 5e-06
    assert offer(joined(content).catalog, "openai/gpt-5@openai").prices.cached_input is None


def test_quality_comes_from_the_newest_table_and_says_which() -> None:
    content = feeds.honest()
    content["livebench/2025_11_25"] = "model,code_completion\ngpt-5,99\no3-mini,60\n"
    cards = joined(content).catalog.models
    assert cards["openai/gpt-5"].quality["coding"] == Figure(0.7, "livebench", "2026-01-08", 0.6, 0.8)
    assert cards["openai/o3-mini"].quality["coding"] == Figure(0.6, "livebench", "2025-11-25")
    assert cards["openai/gpt-5"].quality["code_editing"].source == "aider"


def test_older_tables_are_brought_to_the_scale_of_the_newest_by_the_models_in_both() -> None:
    rows = [("a", 0.5, 0.2), ("b", 0.6, 0.3), ("c", 0.7, 0.4), ("d", 0.8, 0.5), ("e", 0.9, 0.6)]
    content = feeds.honest()
    for table, column in (("2025_11_25", 1), ("2026_01_08", 2)):
        lines = [f"{row[0]},{100 * row[column]}" for row in rows]
        content[f"livebench/{table}"] = "\n".join(["model,python", *lines])
    shift = joined(content).catalog.equating["agentic_coding@2025-11-25"]
    assert -1.9 < shift.value < -1.2
    assert "agentic_coding@2026-01-08" not in joined(content).catalog.equating


def test_what_joins_nothing_is_reported_not_guessed() -> None:
    content = feeds.honest()
    content["aider"] += "- model: Quasar Alpha\n  pass_rate_2: 54.7\n"
    assert "aider: Quasar Alpha" in joined(content).unjoined


def test_a_size_in_the_name_gives_the_energy_of_an_open_model() -> None:
    card = joined(feeds.honest()).catalog.models["meta-llama/llama-3.3-70b-instruct"]
    assert card.total_parameters_billions == Figure(70, "model-names")
    assert card.energy_wh_per_output_token is not None
    assert card.energy_wh_per_output_token.source == "model-names"
