"""What callers may write as `model`, and what they are told when it means nothing."""

import gc
import re
import weakref

import pytest
from msgspec.structs import replace

from gateway.catalog.card import ModelCard
from gateway.errors import InvalidRequest, UnknownModel
from gateway.routing.policy import PRESETS, compile_policy
from gateway.routing.selection import LONGEST_CHAIN, Leg, Selection, Selector
from gateway.settings.schema import RouterSettings
from tests.routing.market import ABSENT, CATALOG, COLUMN, STALLS, TARGETS, make_targets, policies, selector

NO_TINY = RouterSettings(deny=("tiny/*",))


def targets_of(leg: Leg) -> set[str]:
    return {target for target, column in COLUMN.items() if leg.allowed[column]}


def only(selection: Selection) -> Leg:
    assert len(selection.legs) == 1
    return selection.legs[0]


@pytest.mark.parametrize("name", ["fast", "steelyard/fast", "router/fast"])
def test_a_routers_name_means_all_that_it_lets_in(name: str) -> None:
    leg = only(selector().select(name))
    assert leg.policy.name == "fast"
    assert targets_of(leg) == set(COLUMN)


def test_nothing_means_the_default_router() -> None:
    assert only(selector().select("")).policy.name == "auto"


@pytest.mark.parametrize("name", ["acme/large", "large", "Acme/LARGE"])
def test_a_models_name_means_its_hosts_only(name: str) -> None:
    leg = only(selector().select(name))
    assert targets_of(leg) == {"acme/large@acme", "acme/large@cloud"}
    assert leg.policy.name == "auto"


def test_a_target_means_just_that_host() -> None:
    assert targets_of(only(selector().select("acme/large@cloud"))) == {"acme/large@cloud"}


def test_the_router_of_the_base_url_weighs_the_hosts_of_a_pinned_model() -> None:
    assert only(selector().select("acme/large", router="fast")).policy.name == "fast"


def test_auto_below_a_routers_base_url_means_that_router() -> None:
    assert only(selector().select("auto", router="fast")).policy.name == "fast"
    assert only(selector().select("quality", router="fast")).policy.name == "quality"


def test_a_pin_does_not_override_what_the_router_denies() -> None:
    leg = only(selector(strict=NO_TINY).select("tiny/leaf", router="strict"))
    assert targets_of(leg) == set()


def test_an_alias_stands_for_a_router_a_model_or_a_target() -> None:
    chosen = selector()
    assert targets_of(only(chosen.select("gpt-4"))) == {"acme/large@acme", "acme/large@cloud"}
    assert targets_of(only(chosen.select("claude"))) == {"acme/small@acme"}
    assert only(chosen.select("default")).policy.name == "green"


def test_a_chain_has_one_leg_per_element_in_the_order_written() -> None:
    selection = selector().select("", ("vast/library", "acme/large@cloud", "fast"))
    assert [leg.wanted for leg in selection.legs] == ["vast/library", "acme/large@cloud", "fast"]
    assert [leg.policy.name for leg in selection.legs] == ["auto", "auto", "fast"]
    assert selection.routers == ("auto", "fast")


def test_a_router_in_model_weighs_the_chain() -> None:
    selection = selector().select("economy", ("acme/large", "acme/small"))
    assert [leg.policy.name for leg in selection.legs] == ["economy", "economy"]


def test_a_model_goes_before_its_chain() -> None:
    selection = selector().select("acme/small", ("acme/large", "acme/small"))
    assert [leg.wanted for leg in selection.legs] == ["acme/small", "acme/large"]


def test_an_element_that_nobody_live_sells_is_skipped_and_said_so() -> None:
    selection = selector().select("", ("mistral-large", "acme/small"))
    assert [leg.wanted for leg in selection.legs] == ["acme/small"]
    assert "MISTRAL_API_KEY" in selection.skipped[0]


def test_a_chain_of_which_nothing_is_live_is_an_error() -> None:
    with pytest.raises(UnknownModel, match="MISTRAL_API_KEY"):
        selector().select("", ("mistral-large",))


def test_a_chain_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="at most 16"):
        selector().select("auto", ("acme/small",) * (LONGEST_CHAIN + 1))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("qualty", "There is no router or model 'qualty'. Did you mean quality"),
        ("acme/larg", "Did you mean acme/large"),
        ("librari", "Did you mean vast/library"),
        ("zzzzzzzz", "There is no router or model 'zzzzzzzz'. GET /v1/models lists"),
        ("acme/large@", "names no provider behind the @; there are acme/large@acme or acme/large@cloud."),
        ("mistralai/mistral-large", "nobody who sells it can be called now. mistral: set MISTRAL_API_KEY."),
        ("mistral-large@exotic", "Steelyard does not know how to call exotic; state a base_url in the settings."),
        ("acme/small@cloud", "cloud does not sell acme/small; acme would."),
        ("acme/large@nowhere", "nowhere does not sell acme/large; acme or cloud would."),
    ],
)
def test_an_unknown_name_is_answered_with_the_way_out(wanted: str, message: str) -> None:
    with pytest.raises(UnknownModel, match=re.escape(message)) as caught:
        selector().select(wanted)
    assert (caught.value.status, caught.value.code, caught.value.param) == (404, "model_not_found", "model")


def test_an_unknown_router_in_the_base_url_lists_those_there_are() -> None:
    with pytest.raises(UnknownModel, match="no router 'cheep'; there are auto, fast"):
        selector().select("acme/large", router="cheep")


def test_a_very_long_name_is_not_repeated_whole() -> None:
    for wanted in ("x" * 10_000, "acme/large@" + "x" * 10_000):
        with pytest.raises(UnknownModel) as caught:
            selector().select(wanted)
        assert len(caught.value.message) < 500


def test_the_same_question_gets_the_same_selection() -> None:
    chosen = selector()
    assert chosen.select("acme/large") is chosen.select("acme/large")


def taking_anything(instead: str) -> Selector:
    return Selector(policies(), TARGETS, CATALOG, ABSENT, {"*": instead}, "auto")


@pytest.mark.parametrize(("instead", "router"), [("economy", "economy"), ("acme/large", "auto")])
@pytest.mark.parametrize("wanted", ["gpt-4o", "mistral-large", "acme/large@nobody"])
def test_one_alias_takes_every_name_that_nobody_knows_or_sells(instead: str, router: str, wanted: str) -> None:
    selection = taking_anything(instead).select(wanted)
    assert (selection.wanted, selection.policy.name) == (wanted, router)
    assert wanted.partition("@")[0] in selection.skipped[0]


def test_the_alias_of_every_other_name_leaves_known_names_alone() -> None:
    selection = taking_anything("economy").select("acme/large")
    assert (only(selection).wanted, selection.skipped) == ("acme/large", ())


def test_the_alias_of_every_other_name_takes_a_chain_of_which_nothing_is_known() -> None:
    selection = taking_anything("economy").select("", ("gpt-4o", "mistral-large"))
    assert selection.policy.name == "economy"
    assert len(selection.skipped) == 2
    assert only(taking_anything("economy").select("", ("gpt-4o", "acme/small"))).wanted == "acme/small"


def test_auto_behind_an_alias_means_the_router_of_the_base_url_too() -> None:
    assert taking_anything("auto").select("gpt-4o", router="fast").policy.name == "fast"
    assert taking_anything("auto").select("gpt-4o").policy.name == "auto"
    assert selector().select("", ("auto", "acme/small"), router="fast").policy.name == "fast"


def test_who_is_told_that_a_name_is_unknown_hears_of_the_alias_for_such_names() -> None:
    for wanted in ("gpt-4o", "mistral-large"):
        with pytest.raises(UnknownModel, match=r"an alias '\*' in the settings takes every other name\.$"):
            selector().select(wanted)
    with pytest.raises(UnknownModel, match=r"GET /v1/models lists what can be asked for\.$") as caught:
        taking_anything("mistral-large").select("gpt-4o")
    assert "MISTRAL_API_KEY" in caught.value.message


def test_a_chain_without_anything_usable_names_all_and_says_the_way_out_once() -> None:
    with pytest.raises(UnknownModel) as caught:
        selector().select("", ("nobody/nothing", "mistral-large", "acme/small@"))
    assert caught.value.param == "models"
    for name in ("nobody/nothing", "mistralai/mistral-large", "acme/small@"):
        assert name in caught.value.message
    assert caught.value.message.count("GET /v1/models") == 1


def test_a_name_that_could_mean_several_models_is_skipped_in_a_chain() -> None:
    cards = {one: ModelCard(one, one, one.partition("/")[0]) for one in ("left/twin", "right/twin")}
    stalls = tuple(STALLS[0]._replace(model=model) for model in cards) + STALLS[2:3]
    targets = make_targets(stalls)
    made = {name: compile_policy(name, router, targets) for name, router in PRESETS.items()}
    chosen = Selector(made, targets, replace(CATALOG, models={**CATALOG.models, **cards}), {}, {}, "auto")
    with pytest.raises(UnknownModel, match="'twin' could be any of left/twin, right/twin; say which"):
        chosen.select("twin")
    selection = chosen.select("", ("twin", "acme/small"))
    assert only(selection).wanted == "acme/small"
    assert "say which" in selection.skipped[0]


def test_an_element_of_a_chain_that_nobody_knows_is_skipped_and_said_so() -> None:
    selection = selector().select("", ("nobody/nothing", "acme/large"))
    assert [leg.wanted for leg in selection.legs] == ["acme/large"]
    assert "nobody/nothing" in selection.skipped[0]


def test_a_selector_that_is_replaced_goes_at_once_and_its_catalog_with_it() -> None:
    """Cycles wait for the collector, which comes seldom: each reload would hold some 200 KB for many minutes."""
    gc.collect()
    gc.disable()
    try:
        replaced = selector()
        assert replaced.select("auto") is replaced.select("auto")
        gone = weakref.ref(replaced)
        del replaced
        assert gone() is None
    finally:
        gc.enable()
