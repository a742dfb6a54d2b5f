"""What OpenRouter's clients wish of providers narrows and orders the choice, and never widens it."""

import msgspec
import numpy as np
import pytest

from gateway.errors import InvalidRequest, NothingEligible
from gateway.routing.plan import Decision, make_plan
from gateway.routing.policy import Policy
from gateway.routing.wishes import allowed_by, narrowed, without_suffix
from gateway.settings.schema import Limits, RouterSettings
from gateway.wire.wishes import Wishes
from tests.routing.market import SCORER, STALLS, TARGETS, make_targets, policies, profile, prompt, selector

POLICIES: dict[str, Policy] = policies()


def decided(wishes: dict[str, object], model: str = "auto", **routers: RouterSettings) -> Decision:
    read = msgspec.convert(wishes, Wishes)
    selection = narrowed(selector(**routers).select(model), read, TARGETS, POLICIES)
    return make_plan(selection, profile(), TARGETS, SCORER, TARGETS.prior, 0.0)


def providers(decision: Decision) -> list[str]:
    return [TARGETS.offers[one.column].provider for one in decision.plan.candidates]


def test_only_and_ignore_rule_providers_out_whatever_the_case() -> None:
    assert set(providers(decided({"only": ["Cloud"]}))) == {"cloud"}
    assert "cloud" not in providers(decided({"ignore": ["CLOUD"]}))


def test_an_order_is_kept_and_the_others_follow() -> None:
    everybody = set(providers(decided({})))
    found = providers(decided({"order": ["rapid", "cloud"]}))
    places = [found.index("rapid"), found.index("cloud")]
    assert places == sorted(places)
    assert found[0] == "rapid"
    assert set(found) == everybody
    assert set(providers(decided({"order": ["rapid"], "allow_fallbacks": False}))) == {"rapid"}


@pytest.mark.parametrize(
    ("sort", "router"),
    [("price", "economy"), ("latency", "fast"), ({"by": "throughput"}, "fast"), (None, "auto"), ("exacto", "auto")],
)
def test_sorting_takes_the_weights_of_the_router_that_is_for_it(sort: object, router: str) -> None:
    decision = decided({"sort": sort})
    assert decision.policy.name == "auto"
    assert np.array_equal(decision.policy.vector.weights, POLICIES[router].vector.weights)


def test_a_highest_price_is_in_dollars_per_million_tokens() -> None:
    prices = TARGETS.matrix.price
    for limit in (1.0, "1.0"):
        for one in decided({"max_price": {"prompt": limit}}).plan.candidates:
            assert prices[0, one.column] * 1e6 <= 1.0
    with pytest.raises(NothingEligible):
        decided({"max_price": {"completion": 0.000001}})
    with pytest.raises(InvalidRequest, match="'cheap' is no number"):
        decided({"max_price": {"prompt": "cheap"}})


def test_a_target_at_the_highest_price_is_let_in_and_one_without_a_price_is_not() -> None:
    for cents in range(1, 500):
        market = make_targets((STALLS[2]._replace(input_price=cents / 100), STALLS[6]))
        wishes = msgspec.convert({"max_price": {"prompt": cents / 100}}, Wishes)
        assert allowed_by(wishes, market).tolist() == [1, 0], f"{cents} cents"


def test_an_order_makes_no_more_parts_than_there_are_providers() -> None:
    order = ["rapid", *(f"nobody-{number}" for number in range(1_000)), "RAPID", "cloud"]
    everybody = {offer.provider for offer in TARGETS.offers}
    for is_open in (True, False):
        wishes = msgspec.convert({"order": order, "allow_fallbacks": is_open}, Wishes)
        assert len(narrowed(selector().select("auto"), wishes, TARGETS, POLICIES).legs) == 2 + is_open
        assert providers(decided({"order": order, "allow_fallbacks": is_open}))[0] == "rapid"
    assert set(providers(decided({"order": ["nobody"]}))) == everybody
    with pytest.raises(NothingEligible, match="ruled out by the request's own `provider`"):
        decided({"order": ["nobody"], "allow_fallbacks": False})


def test_what_the_router_rules_out_stays_out() -> None:
    with pytest.raises(NothingEligible):
        decided({"only": ["cloud"]}, "mine", mine=RouterSettings(deny=("@cloud",)))


def test_sorting_lifts_no_limit_of_the_router() -> None:
    limited = RouterSettings(limits=Limits(max_first_token_seconds=0.4))
    assert providers(decided({"sort": "price"}, "mine", mine=limited)) == ["rapid", "rapid"]


@pytest.mark.parametrize(("suffix", "sort"), [(":floor", "price"), (":nitro", "throughput")])
def test_a_suffix_sorts_too(suffix: str, sort: str) -> None:
    found = without_suffix(prompt(model=f"acme/large{suffix}"))
    assert found.model == "acme/large"
    assert found.wishes is not None
    assert found.wishes.sorted_by == sort
    assert without_suffix(prompt(model="llama3:8b")).model == "llama3:8b"
