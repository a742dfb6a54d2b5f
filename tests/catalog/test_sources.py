"""Each reader, over bytes in its source's own shape."""

import msgspec
import pytest

from gateway.catalog.card import Figure, Source
from gateway.catalog.records import FeedError
from gateway.catalog.sources import aider, ecologits, genai_prices, litellm, livebench, models_dev, openrouter, portkey
from gateway.wire.ability import Ability
from tests.catalog import feeds

SOURCE = Source("somebody", "https://example.org/feed", date="2026-08-21")


def test_models_dev_states_prices_limits_and_abilities_by_provider_and_name() -> None:
    reading = models_dev.read(feeds.body(feeds.MODELS_DEV), SOURCE)
    gpt5 = next(offer for offer in reading.offers if offer.name == "gpt-5")
    assert gpt5.provider == "openai"
    assert gpt5.prices.cached_input == Figure(0.125, "models.dev")
    assert gpt5.context_window == Figure(400_000, "models.dev")
    assert gpt5.abilities == (
        Ability.TOOLS | Ability.REASONING | Ability.IMAGES | Ability.JSON_SCHEMA | Ability.JSON_MODE
    )
    assert gpt5.lacks == Ability.AUDIO | Ability.FILES | Ability.VIDEO
    assert gpt5.facts.title == "gpt-5"


def test_a_models_dev_entry_rests_on_its_base_but_for_what_it_omits() -> None:
    base = feeds.price_entry("glm", {}, 200_000)
    entry = {
        "base_model": "zhipuai/glm",
        "base_model_omit": ["structured_output"],
        "cost": {"input": 1, "output": 2, "tiers": [{"tier": {"size": 200_000}, "input": 2, "output": 3}]},
        "limit": {"output": 4_096},
    }
    content = {"providers": {"zai": {"models": {"glm": entry}}}, "models": {"zhipuai/glm": base}}
    offer = models_dev.read(feeds.body(content), SOURCE).offers[0]
    assert offer.context_window == Figure(200_000, "models.dev")
    assert offer.max_output_tokens == Figure(4_096, "models.dev")
    assert Ability.JSON_SCHEMA not in offer.abilities | offer.lacks
    assert offer.prices.tier is not None
    assert (offer.prices.tier.above_input_tokens, offer.prices.tier.output) == (200_000, Figure(3, "models.dev"))


def test_openrouter_prices_are_strings_per_token_and_variants_are_left_out() -> None:
    content = feeds.honest()["openrouter"]
    content["data"] += [
        {**content["data"][0], "id": "openai/gpt-5:free"},
        {**content["data"][0], "id": "~openai/gpt-latest"},
        {**content["data"][0], "id": "openrouter/auto", "pricing": {"prompt": "-1", "completion": "-1"}},
    ]
    reading = openrouter.read(feeds.body(content), SOURCE)
    assert len(reading.offers) == 5
    assert reading.offers[0].prices.input == Figure(1.25, "openrouter")
    assert reading.offers[0].lacks & Ability.LOGPROBS


def test_a_price_of_minus_one_at_openrouter_is_not_stated() -> None:
    content = feeds.honest()["openrouter"]
    content["data"][0]["pricing"]["completion"] = "-1"
    assert openrouter.read(feeds.body(content), SOURCE).offers[0].prices.output is None


def test_litellm_gives_models_that_write_or_embed_at_list_price_without_its_own_prefixes() -> None:
    reading = litellm.read(feeds.body(feeds.LITELLM), SOURCE)
    names = [(offer.provider, offer.name) for offer in reading.offers]
    assert names == [
        ("openai", "gpt-5"),
        ("groq", "openai/gpt-oss-120b"),
        ("sambanova", "Meta-Llama-3.3-70B-Instruct"),
        ("openai", "text-embedding-3-small"),
    ]
    assert reading.offers[0].prices.output == Figure(10.0, "litellm")
    assert reading.offers[0].retires == "2026-12-11"
    assert reading.broken == []


def test_a_model_that_answers_only_to_the_responses_api_says_so() -> None:
    entry = {**feeds.LITELLM["gpt-5"], "mode": "responses"}
    assert litellm.read(feeds.body({"gpt-5-pro": entry}), SOURCE).offers[0].api == "responses"


def test_genai_prices_takes_the_price_in_force_on_the_source_date() -> None:
    content = [
        {
            "id": "anthropic",
            "models": [
                {
                    "id": "claude-sonnet-5",
                    "context_window": 1_000_000,
                    "prices": [
                        {"prices": {"input_mtok": 2, "output_mtok": 10}},
                        {"constraint": {"start_date": "2026-08-01"}, "prices": {"input_mtok": 2.5, "output_mtok": 11}},
                        {"constraint": {"start_date": "2026-09-01"}, "prices": {"input_mtok": 3, "output_mtok": 15}},
                    ],
                },
                {
                    "id": "claude-sonnet-4-5",
                    "prices": {
                        "input_mtok": {"base": 3, "tiers": [{"start": 200_000, "price": 6}]},
                        "output_mtok": {"base": 15, "tiers": [{"start": 200_000, "price": 22.5}]},
                    },
                },
            ],
        }
    ]
    dated, tiered = genai_prices.read(msgspec.json.encode(content), SOURCE).offers
    assert dated.prices.input == Figure(2.5, "genai-prices")
    assert tiered.prices.input == Figure(3.0, "genai-prices")
    assert tiered.prices.tier is not None
    assert tiered.prices.tier.output == Figure(22.5, "genai-prices")


def test_portkey_cents_per_token_become_usd_per_million_and_zero_is_not_stated() -> None:
    content = {**feeds.PORTKEY_OPENAI, "gpt-x": {"pricing_config": {"pay_as_you_go": {"request_token": {"price": 0}}}}}
    gpt5, unknown = portkey.read(feeds.body(content), SOURCE, "openai").offers
    assert (gpt5.prices.input, gpt5.prices.output) == (Figure(1.25, "portkey"), Figure(10.0, "portkey"))
    assert unknown.prices.input is None


def test_ecologits_sizes_are_figures_or_ranges() -> None:
    def entry(name: str, parameters: object) -> dict[str, object]:
        return {"provider": "openai", "name": name, "architecture": {"type": "moe", "parameters": parameters}}

    content = {
        "models": [
            entry("dense", 70),
            entry("dense-range", {"min": 10, "max": 30}),
            entry("experts", {"total": 300, "active": {"min": 30, "max": 90}}),
        ]
    }
    dense, ranged, experts = ecologits.read_models(msgspec.json.encode(content), SOURCE).models
    assert dense.active_parameters_billions == dense.total_parameters_billions == Figure(70, "ecologits")
    assert ranged.active_parameters_billions == Figure(20, "ecologits", low=10, high=30)
    assert experts.active_parameters_billions == Figure(60, "ecologits", low=30, high=90)
    assert experts.total_parameters_billions == Figure(300, "ecologits")


def test_ecologits_mixes_are_grams_per_kilowatt_hour() -> None:
    content = {"electricity_mixes": [{"name": "FRA", "gwp": 0.04144}, {"name": "WOR", "gwp": 0.45829}]}
    assert ecologits.read_mixes(msgspec.json.encode(content), SOURCE).grid_g_per_kwh == {
        "FRA": Figure(41.44, "ecologits"),
        "WOR": Figure(458.29, "ecologits"),
    }


def test_livebench_gives_the_default_effort_with_the_other_efforts_as_interval() -> None:
    gpt5, opus = livebench.read(feeds.LIVEBENCH.encode(), SOURCE, "2026-01-08").models
    assert gpt5.name == "gpt-5"
    assert gpt5.quality["coding"] == Figure(0.7, "livebench", "2026-01-08", 0.6, 0.8)
    assert opus.name == "claude-opus-4-5-20251101"
    assert opus.quality["reasoning"] == Figure(0.6, "livebench", "2026-01-08", 0.6, 0.89)
    assert opus.quality["agentic_coding"].value == 0.65


@pytest.mark.parametrize(
    ("row", "model", "effort"),
    [
        ("gpt-5", "gpt-5", ""),
        ("gpt-5-high", "gpt-5", "-high"),
        ("gpt-5.1-codex-max-xhigh", "gpt-5.1-codex-max", "-xhigh"),
        ("claude-4-1-opus-20250805-base", "claude-4-1-opus-20250805", "-base"),
        ("claude-4-1-opus-20250805-thinking-32k", "claude-4-1-opus-20250805", "-thinking"),
        ("claude-opus-4-5-20251101-thinking-64k-high-effort", "claude-opus-4-5-20251101", "-thinking-high-effort"),
        ("claude-opus-4-6-thinking-auto-high-effort", "claude-opus-4-6", "-thinking-high-effort"),
        ("gemini-2.5-pro-06-05-highthinking", "gemini-2.5-pro-06-05", "-highthinking"),
        ("kimi-k2-thinking", "kimi-k2-thinking", ""),
        ("qwen3-32b-thinking", "qwen3-32b", "-thinking"),
    ],
)
def test_a_livebench_row_is_a_model_and_an_effort(row: str, model: str, effort: str) -> None:
    assert livebench.split_effort(row) == (model, effort)


def test_aider_gives_the_default_run_and_leaves_pairs_of_models_out() -> None:
    (gpt5,) = aider.read(feeds.AIDER.encode(), SOURCE).models
    assert gpt5.quality == {"code_editing": Figure(0.867, "aider", "2025-08-25", 0.867, 0.88)}


def test_one_bad_entry_costs_one_entry_and_is_named_with_its_path() -> None:
    content = feeds.honest()["models.dev"]
    content["openai"]["models"]["gpt-5"]["cost"]["input"] = "cheap"
    reading = models_dev.read(feeds.body(content), SOURCE)
    assert len(reading.offers) == 8
    (broken,) = reading.broken
    assert (broken.provider, broken.name) == ("openai", "gpt-5")
    assert broken.reason == "somebody: openai.gpt-5: Expected `float | null`, got `str` - at `$.cost.input`"


READERS = {
    "models.dev": models_dev.read,
    "openrouter": openrouter.read,
    "litellm": litellm.read,
    "genai-prices": genai_prices.read,
    "portkey": portkey.read,
    "ecologits": ecologits.read_models,
    "livebench": livebench.read,
    "aider": aider.read,
}
BROKEN_BODIES = [
    b"",
    b"<html>We are down</html>",
    b"\xff\xfe\x00",
    b"null",
    b"[]",
    b"{}",
    b"42",
    b'"text"',
    b'{"data": 1}',
    b'{"data": []}',
    b'{"models": {"a": 1}}',
    b'{"openai": []}',
    b'{"openai": {"models": {"gpt-5": null}}}',
    b'[{"id": "x", "models": 3}]',
    b"model\n",
    b"model,python\nx,not a number\n",
]


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("content", BROKEN_BODIES, ids=repr)
def test_a_feed_of_the_wrong_shape_is_an_error_that_names_its_source(name: str, content: bytes) -> None:
    with pytest.raises(FeedError, match="^(?:somebody|" + name + ")"):
        READERS[name](content, SOURCE)


def test_a_feed_with_more_than_a_fifth_of_its_entries_broken_is_refused_whole() -> None:
    content = feeds.honest()["models.dev"]
    for model in ("gpt-5", "gpt-5-mini"):
        content["openai"]["models"][model]["limit"] = "large"
    with pytest.raises(FeedError, match="2 of 9 entries are unreadable"):
        models_dev.read(feeds.body(content), SOURCE)
