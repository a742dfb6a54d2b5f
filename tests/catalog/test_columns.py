"""Offers as columns: what is stated is used, what is not is estimated for the worse and marked."""

import numpy as np
import pytest
from msgspec.structs import replace

from core.dimensions import DIMENSIONS, INDEX
from core.predictor import TASKS
from gateway.catalog import snapshot
from gateway.catalog.card import Catalog, Figure, ModelCard, Offer, Prices, PriceTier, Source
from gateway.catalog.columns import Targets, build_targets, merge
from gateway.catalog.quality import FAMILIES, TASK_FAMILIES
from gateway.catalog.report import show
from gateway.wire.ability import Ability

ALL = 1 << INDEX["cost"] | 1 << INDEX["latency"] | 1 << INDEX["quality"] | 1 << INDEX["carbon"]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return snapshot.bundled()


@pytest.fixture(scope="module")
def everything(catalog: Catalog) -> Targets:
    return build_targets(catalog, {offer.provider for offer in catalog.offers}, TASKS)


def column(targets: Targets, target: str) -> int:
    return targets.ids.index(target)


def is_known(targets: Targets, target: str, dimension: str) -> bool:
    return bool(targets.matrix.known[column(targets, target)] >> INDEX[dimension] & 1)


def stated(value: float) -> Figure:
    return Figure(value, "own")


def small(*offers: Offer, **cards: ModelCard) -> Catalog:
    models = {card.id: card for card in cards.values()}
    return Catalog("", "2026-11-22", {"own": Source("own", "url")}, models, offers)


def card(name: str, **fields: object) -> ModelCard:
    return ModelCard(f"maker/{name}", name, "maker", **fields)  # type: ignore[arg-type]


def offer(name: str, provider: str = "here", **fields: object) -> Offer:
    return Offer(f"maker/{name}", provider, name, **fields)  # type: ignore[arg-type]


def test_only_live_providers_become_columns(catalog: Catalog) -> None:
    targets = build_targets(catalog, {"openai", "groq"}, TASKS)
    assert set(targets.by_provider) == {"openai", "groq"}
    assert {offer.provider for offer in targets.offers} == {"openai", "groq"}
    assert [offer.id for offer in targets.offers] == list(targets.ids)
    assert [found.model for found in targets.offers] == [found.id for found in targets.models]


def test_no_provider_gives_no_column(catalog: Catalog) -> None:
    targets = build_targets(catalog, (), TASKS)
    assert targets.ids == ()
    assert targets.matrix.price.shape == (5, 0)
    assert targets.matrix.quality.shape == (len(TASKS), 0)
    assert targets.matrix.carbon.shape == (3, 0)


def test_arrays_have_the_shapes_of_the_matrix_and_nobody_may_write_to_them(everything: Targets) -> None:
    count = len(everything.ids)
    rows = {"price": 5, "tier_price": 3, "carbon": 3, "quality": len(TASKS)}
    for name, array in (*everything.matrix._asdict().items(), *everything.prior._asdict().items()):
        assert array.shape == ((rows[name], count) if name in rows else (count,)), name
        assert array.flags.c_contiguous, name
        assert not array.flags.writeable, name
        assert array.dtype in (np.float32, np.uint8, np.uint32), name


def test_no_unknown_gets_into_the_matrix(everything: Targets) -> None:
    for name, array in (*everything.matrix._asdict().items(), *everything.prior._asdict().items()):
        assert not np.isnan(array).any(), name
        assert (array >= 0).all(), name
    assert everything.matrix.quality.max() <= 1
    assert (everything.matrix.window > 0).all()
    assert (everything.prior.first_token_seconds > 0).all()


def test_prices_are_per_token_and_limits_in_tokens(everything: Targets) -> None:
    gpt5 = column(everything, "openai/gpt-5@openai")
    assert everything.matrix.price[:, gpt5] == pytest.approx([1.25e-6, 0.125e-6, 10e-6, 1.25e-3, 0])
    assert everything.matrix.window[gpt5] == 400_000
    assert everything.matrix.input_limit[gpt5] == 272_000
    assert everything.matrix.output_limit[gpt5] == 128_000
    assert everything.matrix.known[gpt5] == ALL
    gemini = column(everything, "google/gemini-2.5-pro@google")
    assert everything.matrix.tier_from[gemini] == 200_000
    assert everything.matrix.tier_price[:, gemini] == pytest.approx([2.5e-6, 0.25e-6, 15e-6])
    assert everything.matrix.tier_from[gpt5] == np.inf


def test_a_model_is_found_by_its_id_and_its_other_names(everything: Targets) -> None:
    columns = everything.by_model["anthropic/claude-opus-4.5"]
    assert {everything.offers[found].model for found in columns} == {"anthropic/claude-opus-4.5"}
    assert everything.by_model["claude-opus-4-5"] == columns
    assert everything.by_model["gpt-5"] == everything.by_model["openai/gpt-5"]


def test_every_task_of_the_predictor_rests_on_families_that_add_up() -> None:
    assert set(TASK_FAMILIES) == set(TASKS)
    for mix in TASK_FAMILIES.values():
        assert set(mix) <= set(FAMILIES)
        assert sum(mix.values()) == pytest.approx(1)


def test_better_scores_mean_better_tasks(everything: Targets) -> None:
    def quality(target: str, task: str) -> float:
        return float(everything.matrix.quality[TASKS.index(task), column(everything, target)])

    assert quality("openai/gpt-5@openai", "reasoning") > quality("openai/gpt-5-nano@openai", "reasoning") + 0.15
    assert quality("anthropic/claude-opus-4.5@anthropic", "agent_step") > quality(
        "anthropic/claude-haiku-4.5@anthropic", "agent_step"
    )
    assert quality("openai/gpt-5@openai", "chat") == quality("openai/gpt-5@azure", "chat")


def test_the_operators_own_word_on_quality_counts_for_every_task() -> None:
    catalog = small(offer("own"), own=card("own", quality={"overall": stated(0.77)}))
    targets = build_targets(catalog, ["here"], TASKS)
    assert targets.matrix.quality[:, 0] == pytest.approx(0.77)
    assert is_known(targets, "maker/own@here", "quality")


def test_a_missing_price_is_the_highest_of_the_models_others_and_is_marked() -> None:
    catalog = small(
        offer("m", "cheap", prices=Prices(stated(1), stated(2))),
        offer("m", "dear", prices=Prices(stated(3), stated(9))),
        offer("m", "silent"),
        m=card("m"),
    )
    targets = build_targets(catalog, ["cheap", "dear", "silent"], TASKS)
    silent = column(targets, "maker/m@silent")
    assert targets.matrix.price[:3, silent] == pytest.approx([3e-6, 3e-6, 9e-6])
    assert targets.matrix.priced[silent] == 0
    assert not is_known(targets, "maker/m@silent", "cost")
    assert targets.matrix.priced[column(targets, "maker/m@cheap")] == 1


def test_a_missing_cached_price_is_the_input_price() -> None:
    targets = build_targets(small(offer("m", prices=Prices(stated(2), stated(4))), m=card("m")), ["here"], TASKS)
    assert targets.matrix.price[1, 0] == targets.matrix.price[0, 0]


def test_a_tier_keeps_the_ratio_of_the_cached_price() -> None:
    prices = Prices(stated(1), stated(4), stated(0.1), tier=PriceTier(200_000, stated(2), None, stated(6)))
    targets = build_targets(small(offer("m", prices=prices), m=card("m")), ["here"], TASKS)
    assert targets.matrix.tier_price[:, 0] == pytest.approx([2e-6, 0.2e-6, 6e-6])


def test_an_unknown_window_is_a_small_one() -> None:
    targets = build_targets(small(offer("m"), m=card("m")), ["here"], TASKS)
    assert targets.matrix.window[0] == 8_192
    assert targets.matrix.output_limit[0] == 4_096


def test_an_input_limit_alone_stands_for_the_window() -> None:
    targets = build_targets(small(offer("m", max_input_tokens=stated(32_000)), m=card("m")), ["here"], TASKS)
    assert targets.matrix.window[0] == 32_000


def test_carbon_follows_the_grid_of_the_country_and_the_size_of_the_model(catalog: Catalog) -> None:
    own = merge(
        catalog,
        {},
        [
            replace(found, provider=f"in-{country}", region=country)
            for found in catalog.offers
            if found.id == "openai/gpt-oss-120b@groq"
            for country in ("FRA", "USA", "POL")
        ],
    )
    targets = build_targets(own, ["in-FRA", "in-USA", "in-POL"], TASKS)
    france, poland, usa = (float(targets.matrix.carbon[2, found]) for found in range(3))
    assert france < usa < poland
    assert is_known(targets, "openai/gpt-oss-120b@in-FRA", "carbon")
    assert targets.matrix.carbon[0, 0] == pytest.approx(0.08 * france)
    assert targets.matrix.carbon[1, 0] == pytest.approx(0.008 * france)


def test_carbon_of_an_unknown_country_is_a_guess(catalog: Catalog) -> None:
    found = next(found for found in catalog.offers if found.id == "openai/gpt-oss-120b@groq")
    for region, is_stated in (("", False), ("ATA", False), ("FRA", True)):
        own = merge(catalog, {}, [replace(found, provider="somewhere", region=region)])
        targets = build_targets(own, ["somewhere"], TASKS)
        assert is_known(targets, "openai/gpt-oss-120b@somewhere", "carbon") == is_stated


def test_carbon_of_a_closed_model_is_shown_as_a_band(catalog: Catalog) -> None:
    shown = show(catalog, "openai/gpt-5@openai")
    assert shown is not None
    carbon = next(found for found in shown.offers["openai/gpt-5@openai"] if found.field == "carbon_g_per_output_token")
    # PUE 1.2, 384.4 g/kWh in the USA, 0.0013717 Wh and 4.41e-05 g embodied per token: EcoLogits' own figures.
    assert carbon.value == pytest.approx(0.0013717 * 1.2 * 0.3844 + 4.41e-5, rel=1e-3)
    assert carbon.low is not None
    assert carbon.high is not None
    assert carbon.low < float(carbon.value) < carbon.high


def test_an_unknown_size_is_taken_for_the_largest_of_its_kin(everything: Targets) -> None:
    assert not is_known(everything, "x-ai/grok-4@xai", "carbon")
    grok = everything.matrix.carbon[2, column(everything, "x-ai/grok-4@xai")]
    assert grok >= np.median(everything.matrix.carbon[2])


def test_measured_speeds_are_used_where_there_are_any_and_fast_hosts_are_expected_to_be_fast(
    everything: Targets,
) -> None:
    def speed(target: str) -> float:
        return 1 / float(everything.prior.seconds_per_output_token[column(everything, target)])

    assert speed("openai/gpt-5@openai") == pytest.approx(59)
    assert is_known(everything, "openai/gpt-5@openai", "latency")
    assert not is_known(everything, "openai/gpt-5@azure", "latency")
    assert speed("openai/gpt-oss-120b@cerebras") > speed("openai/gpt-oss-120b@groq")
    assert speed("openai/gpt-oss-120b@groq") > 2 * speed("openai/gpt-oss-120b@together")


def test_a_model_that_thinks_unasked_writes_more_and_answers_later(everything: Targets) -> None:
    thinking, plain = column(everything, "openai/gpt-5@azure"), column(everything, "openai/gpt-4.1@azure")
    assert everything.matrix.output_ratio[thinking] > everything.matrix.output_ratio[plain] == 1
    assert everything.prior.first_token_seconds[thinking] > everything.prior.first_token_seconds[plain]
    claude = column(everything, "anthropic/claude-sonnet-4.5@anthropic")
    assert everything.matrix.output_ratio[claude] == 1


def test_a_retired_target_is_expected_to_fail_but_stays() -> None:
    catalog = small(
        offer("old", retires="2026-11-22"), offer("new", retires="2026-11-23"), o=card("old"), n=card("new")
    )
    targets = build_targets(catalog, ["here"], TASKS)
    assert targets.prior.availability[column(targets, "maker/old@here")] < 0.5
    assert targets.prior.availability[column(targets, "maker/new@here")] > 0.5


def test_a_target_that_answers_only_to_another_api_is_a_column_where_we_can_ask_in_it() -> None:
    found = small(offer("m", api="responses"), offer("n"), m=card("m"), n=card("n"))
    assert len(build_targets(found, ["here"], TASKS, {"here": ["responses"]}).ids) == 2
    assert len(build_targets(found, ["here"], TASKS, {"there": ["responses"]}).ids) == 1


def test_a_target_that_answers_only_to_another_api_is_no_column() -> None:
    targets = build_targets(small(offer("m", api="responses"), offer("n"), m=card("m"), n=card("n")), ["here"], TASKS)
    assert targets.ids == ("maker/n@here",)


def test_availability_is_never_called_known(everything: Targets) -> None:
    assert not (everything.matrix.known >> INDEX["availability"] & 1).any()
    assert everything.matrix.known.max() < 1 << len(DIMENSIONS)


def test_abilities_are_the_bits_of_the_offer(everything: Targets) -> None:
    gpt5 = Ability(int(everything.matrix.abilities[column(everything, "openai/gpt-5@openai")]))
    assert Ability.TOOLS | Ability.IMAGES | Ability.JSON_SCHEMA in gpt5


def test_ones_own_models_and_offers_lie_on_top(catalog: Catalog) -> None:
    own = offer("mine", "laptop")
    cheaper = Offer("openai/gpt-5", "openai", "gpt-5", Prices(stated(0.5), stated(1)))
    merged = merge(catalog, {own.model: card("mine")}, [own, cheaper], {"own": Source("own", "url")})
    assert len(merged.offers) == len(catalog.offers) + 1
    assert [found for found in merged.offers if found.id == cheaper.id] == [cheaper]
    assert merged.models[own.model].name == "mine"
    assert merged.sources["own"].url == "url"
    assert catalog.models.get(own.model) is None
