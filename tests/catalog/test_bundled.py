"""The snapshot that comes with the package."""

import math
from collections import Counter
from importlib import resources

import pytest

from gateway.catalog import snapshot
from gateway.catalog.card import Catalog, Figure
from gateway.catalog.report import diff, list_rows, show

SELLERS = {
    "openai/gpt-5": "openai azure openrouter databricks helicone",
    "openai/gpt-5-mini": "openai azure openrouter databricks helicone",
    "openai/gpt-5-nano": "openai azure openrouter databricks helicone",
    "openai/o3-mini": "openai azure openrouter github helicone vercel",
    "openai/gpt-oss-120b": "groq together fireworks cerebras openrouter nvidia sambanova deepinfra novita nebius azure "
    "bedrock vertex huggingface ovhcloud scaleway baseten vercel cloudflare",
    "openai/gpt-oss-20b": "groq together fireworks openrouter nvidia deepinfra novita bedrock vertex cloudflare",
    "anthropic/claude-opus-4.5": "anthropic bedrock vertex azure openrouter vercel helicone databricks",
    "anthropic/claude-sonnet-4.5": "anthropic bedrock vertex azure openrouter vercel helicone databricks",
    "anthropic/claude-haiku-4.5": "anthropic bedrock vertex azure openrouter vercel helicone databricks",
    "google/gemini-2.5-pro": "google vertex openrouter vercel helicone deepinfra",
    "google/gemini-2.5-flash": "google vertex openrouter vercel helicone deepinfra",
    "google/gemini-3-pro-preview": "google vertex vercel helicone",
    "meta-llama/llama-4-maverick": "meta groq deepinfra fireworks novita sambanova nvidia azure bedrock vertex github "
    "openrouter vercel",
    "meta-llama/llama-4-scout": "meta groq together deepinfra fireworks novita nscale azure bedrock vertex github "
    "openrouter vercel cloudflare",
    "meta-llama/llama-3.3-70b-instruct": "meta groq together fireworks cerebras sambanova deepinfra hyperbolic novita "
    "nebius nvidia azure bedrock vertex github huggingface openrouter vercel ovhcloud scaleway nscale",
    "x-ai/grok-3": "xai azure github openrouter vercel",
    "x-ai/grok-4": "xai azure openrouter vercel",
    "deepseek/deepseek-v3.2": "deepinfra novita nebius azure huggingface openrouter siliconflow vercel vertex",
    "deepseek/deepseek-v4-flash": "deepseek novita openrouter huggingface nvidia",
    "deepseek/deepseek-r1-0528": "deepinfra novita huggingface azure openrouter",
    "mistralai/mistral-large-2512": "mistral bedrock openrouter nvidia",
    "mistralai/mistral-medium-3.1": "mistral openrouter",
    "mistralai/codestral-2508": "mistral openrouter",
    "qwen/qwen3-coder": "alibaba deepinfra together novita openrouter huggingface nvidia bedrock",
    "qwen/qwen3-max": "alibaba novita openrouter",
    "qwen/qwen3-235b-a22b-2507": "nebius novita openrouter scaleway vertex",
    "moonshotai/kimi-k2": "moonshot deepinfra fireworks hyperbolic together novita openrouter",
    "moonshotai/kimi-k2-thinking": "moonshot novita openrouter huggingface bedrock vertex",
    "moonshotai/kimi-k2.6": "moonshot together fireworks deepinfra novita openrouter nvidia",
    "z-ai/glm-4.6": "zai deepinfra novita huggingface openrouter",
    "z-ai/glm-5.1": "zai together fireworks deepinfra novita openrouter nvidia",
    "minimax/minimax-m2": "minimax novita huggingface openrouter bedrock",
    "minimax/minimax-m2.5": "minimax together deepinfra novita openrouter",
    "cohere/command-a": "cohere openrouter azure github",
    "cohere/command-r-plus-08-2024": "cohere openrouter azure github",
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return snapshot.bundled()


def figures(value: object) -> list[Figure]:
    """Every figure anywhere in a record."""
    if isinstance(value, Figure):
        return [value]
    if isinstance(value, dict):
        return [figure for part in value.values() for figure in figures(part)]
    fields = getattr(value, "__struct_fields__", ())
    return [figure for field in fields for figure in figures(getattr(value, field))]


def test_it_holds_many_text_models_over_many_providers(catalog: Catalog) -> None:
    offered = {offer.model for offer in catalog.offers}
    per_provider = Counter(offer.provider for offer in catalog.offers)
    assert len(offered) >= 300
    assert len(per_provider) >= 25
    assert offered == set(catalog.models)


@pytest.mark.parametrize("model", SELLERS)
def test_a_model_of_the_list_is_there_under_each_provider_that_sells_it(catalog: Catalog, model: str) -> None:
    sold_by = {offer.provider for offer in catalog.offers if offer.model == model}
    assert set(SELLERS[model].split()) <= sold_by


def test_every_figure_names_a_source_that_has_a_url_and_a_date(catalog: Catalog) -> None:
    dated = {name: source for name, source in catalog.sources.items() if source.url and source.date}
    everything = figures(catalog.models) + [figure for offer in catalog.offers for figure in figures(offer)]
    everything += figures(catalog.grid_g_per_kwh) + figures(catalog.pue)
    assert len(everything) > 10_000
    assert {figure.source for figure in everything} <= set(dated)
    assert {source for offer in catalog.offers for source in offer.abilities_from} <= set(dated)


def test_every_ability_rests_on_the_word_of_a_source(catalog: Catalog) -> None:
    for offer in catalog.offers:
        stated = 0
        for bits in offer.abilities_from.values():
            stated |= bits
        assert stated == int(offer.abilities), offer.id


def test_every_figure_is_a_possible_one(catalog: Catalog) -> None:
    for card in catalog.models.values():
        assert all(0 <= figure.value <= 1 for figure in card.quality.values()), card.id
    for offer in catalog.offers:
        assert all(math.isfinite(figure.value) and figure.value >= 0 for figure in figures(offer)), offer.id


def test_prices_of_zero_are_those_of_free_endpoints_or_agreed(catalog: Catalog) -> None:
    free = Counter(offer.provider for offer in catalog.offers if offer.prices.output and not offer.prices.output.value)
    assert free["nvidia"] > 20
    assert free["github"] > 20
    assert sum(free.values()) - free["nvidia"] - free["github"] < 60


def test_only_the_providers_asked_for_are_decoded(catalog: Catalog) -> None:
    some = snapshot.bundled({"openai", "groq"})
    assert {offer.provider for offer in some.offers} == {"openai", "groq"}
    assert some.models == catalog.models
    assert some.version == catalog.version


def test_it_stays_small_enough_to_ship() -> None:
    packed = resources.files("gateway.catalog").joinpath("data/catalog.json.gz").read_bytes()
    assert len(packed) < 400_000


def test_its_version_is_that_of_its_content(catalog: Catalog) -> None:
    assert snapshot.versioned(catalog).version == catalog.version


def test_show_gives_every_figure_with_source_date_and_url(catalog: Catalog) -> None:
    shown = show(catalog, "gpt-5@openai")
    assert shown is not None
    evidence = {found.field: found for found in shown.offers["openai/gpt-5@openai"]}
    assert evidence["prices.input"].value == 1.25
    assert evidence["prices.input"].unit == "USD per million tokens"
    assert "tools" in str(evidence["abilities"].value)
    for found in (*shown.model_figures, *evidence.values()):
        assert found.source
        assert found.date
        assert found.url


def test_show_knows_a_model_by_another_name_and_nothing_by_a_wrong_one(catalog: Catalog) -> None:
    by_alias = show(catalog, "claude-opus-4-5")
    assert by_alias is not None
    assert by_alias.card.id == "anthropic/claude-opus-4.5"
    assert show(catalog, "openai/gpt-99") is None
    assert show(catalog, "openai/gpt-5@nobody") is None


def test_the_list_can_be_narrowed(catalog: Catalog) -> None:
    rows = list_rows(catalog, "openai/gpt-5*", provider="openai")
    assert rows
    assert all(row.provider == "openai" and row.model.startswith("openai/gpt-5") for row in rows)
    assert len(list_rows(catalog)) == len(catalog.offers)


def test_a_catalog_does_not_differ_from_itself(catalog: Catalog) -> None:
    same = diff(catalog, catalog)
    assert (same.added, same.removed, same.changed) == ((), (), ())


def test_what_a_quality_rests_on_is_told_for_each_task(catalog: Catalog) -> None:
    measured, unknown = show(catalog, "openai/gpt-oss-120b"), show(catalog, "moonshotai/kimi-k2.6")
    assert measured is not None
    assert unknown is not None
    assert {(one.stated, bool(one.sources)) for one in measured.tasks} == {(1.0, True)}
    partly = {one.task: one for one in unknown.tasks}
    assert partly["code_editing"].stated == pytest.approx(0.6)
    assert partly["code_editing"].sources == ("livebench 2026-01-08",)
    assert partly["mathematics"].stated == 1.0
    assert all(0 < one.quality < 1 for one in unknown.tasks)
    borrowing = [row for row in list_rows(catalog) if row.quality_stated == 0.0]
    assert borrowing
    assert all(not catalog.models[row.model].quality or catalog.models[row.model].embeds for row in borrowing)
