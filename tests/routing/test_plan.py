"""The order in which targets are tried, and the message when there is none to try."""

import re

import numpy as np
import pytest

from core.matrix import LiveFigures
from core.scorer import Scorer
from gateway.errors import ContextTooLong, NothingEligible
from gateway.routing.describe import Profile
from gateway.routing.plan import SPARE, Decision, make_plan
from gateway.routing.policy import PRESETS, compile_policy
from gateway.routing.selection import Selector
from gateway.settings.schema import Fallback, Limits, RouterSettings
from gateway.wire.ability import Ability
from tests.routing.market import ABSENT, CATALOG, COLUMN, SCORER, STALLS, TARGETS, make_targets, profile, selector

Chain = tuple[str, ...]


def plan(
    selection: Selector,
    model: str = "auto",
    chain: Chain = (),
    request: Profile | None = None,
    live: LiveFigures = TARGETS.prior,
    pick: float = 0.0,
) -> Decision:
    return make_plan(selection.select(model, chain), request or profile(), TARGETS, SCORER, live, pick)


def order(decision: Decision) -> list[str]:
    return [candidate.target for candidate in decision.plan.candidates]


def health(out: tuple[str, ...] = (), availability: dict[str, float] | None = None) -> LiveFigures:
    flags = np.zeros(len(STALLS), np.uint8)
    flags[[COLUMN[target] for target in out]] = 1
    shares = TARGETS.prior.availability.copy()
    for target, share in (availability or {}).items():
        shares[COLUMN[target]] = share
    return TARGETS.prior._replace(out=flags, availability=shares)


def test_the_same_inputs_make_the_same_plan() -> None:
    first, second = plan(selector(), pick=0.3), plan(selector(), pick=0.3)
    assert first.plan == second.plan


def test_routers_choose_as_their_names_promise() -> None:
    winners = {router: order(plan(selector(), router))[0] for router in ("fast", "economy", "quality", "green")}
    assert winners == {
        "fast": "rapid/fleet@rapid",
        "economy": "tiny/leaf@rapid",
        "quality": "acme/large@cloud",
        "green": "tiny/leaf@rapid",
    }


def test_candidates_come_in_the_order_of_their_scores() -> None:
    scores = [candidate.score for candidate in plan(selector()).plan.candidates]
    assert scores == sorted(scores, reverse=True)


def test_candidates_know_their_offer_and_model() -> None:
    for candidate in plan(selector()).plan.candidates:
        assert candidate.target == TARGETS.offers[candidate.column].id


def test_a_plan_has_as_many_candidates_as_attempts_and_a_few_spare() -> None:
    single = selector(single=RouterSettings(fallback=Fallback(max_attempts=1)))
    assert len(order(plan(single, "single"))) == 1 + SPARE


def test_a_pinned_model_is_tried_at_its_hosts_only() -> None:
    assert order(plan(selector(), "acme/large")) == ["acme/large@cloud", "acme/large@acme"]


def test_a_chain_is_tried_in_the_order_written_without_repeats() -> None:
    found = order(plan(selector(), chain=("tiny/leaf", "acme/large", "acme/large@acme", "acme/small")))
    assert found == ["tiny/leaf@rapid", "acme/large@cloud", "acme/large@acme", "acme/small@acme"]


def test_what_is_out_is_tried_after_all_others() -> None:
    best = order(plan(selector(), "quality"))[0]
    decision = plan(selector(), "quality", live=health(out=(best,)))
    assert order(decision)[-1] == best
    assert decision.plan.candidates[-1].last_resort


def test_what_fails_too_often_is_tried_after_all_others() -> None:
    assert order(plan(selector(), "quality", live=health(availability={"acme/large@cloud": 0.4})))[-1] == (
        "acme/large@cloud"
    )


def test_last_resorts_of_the_first_element_come_after_the_whole_chain() -> None:
    decision = plan(selector(), chain=("acme/large@acme", "acme/small"), live=health(out=("acme/large@acme",)))
    assert order(decision) == ["acme/small@acme", "acme/large@acme"]
    assert decision.plan.margin is None


def test_without_a_spread_the_draw_changes_nothing() -> None:
    assert {order(plan(selector(), pick=pick))[0] for pick in (0.0, 0.5, 0.99)} == {order(plan(selector()))[0]}


def test_near_ties_share_the_first_place_and_nothing_else_does() -> None:
    spread = 0.02
    tied = selector(tied=RouterSettings(preset="quality", spread=spread))
    ranked = plan(tied, "tied").plan.candidates
    near = [one.target for one in ranked if one.score >= ranked[0].score - spread]
    assert near == ["acme/large@cloud", "acme/large@acme"]
    for pick in np.linspace(0, 0.999, 40):
        found = order(plan(tied, "tied", pick=float(pick)))
        assert found[0] in near
        assert [target for target in found if target != found[0]] == [
            one.target for one in ranked if one.target != found[0]
        ]
    assert {order(plan(tied, "tied", pick=pick))[0] for pick in (0.0, 0.7)} == set(near)


def test_a_last_resort_is_never_drawn_among_near_ties() -> None:
    everything = selector(tied=RouterSettings(preset="quality", spread=1.0))
    firsts = {
        order(plan(everything, "tied", live=health(out=("acme/large@cloud",)), pick=pick / 50))[0] for pick in range(50)
    }
    assert firsts == set(COLUMN) - {"acme/large@cloud"}


def test_the_margin_is_the_distance_to_the_second() -> None:
    first, second, *_ = (decision := plan(selector())).plan.candidates
    assert decision.plan.margin == pytest.approx(first.score - second.score, rel=1e-5)
    assert plan(selector(), "tiny/leaf").plan.margin is None


def test_abilities_that_are_lacking_exclude() -> None:
    assert order(plan(selector(), request=profile(needs=Ability.IMAGES))) == ["acme/large@acme"]


@pytest.mark.parametrize(
    ("router", "request_", "parts"),
    [
        (
            RouterSettings(allow=("tiny/*",)),
            profile(needs=int(Ability.TOOLS | Ability.IMAGES)),
            ["Nothing can serve this request under mine", "an ability they lack: 1", "lists and price ceilings: 6",
             "Nearest is tiny/leaf@rapid: lacks tools and images, which the request needs."],
        ),
        (
            RouterSettings(limits=Limits(max_cost_usd=0.0000001)),
            profile(),
            ["cost: 6", "having no stated price: 1", "Nearest is tiny/leaf@rapid: cost",
             "USD > routers.mine.limits.max_cost_usd 1e-07", "Raise the limit"],
        ),
        (
            RouterSettings(limits=Limits(min_quality=0.99)),
            profile(),
            ["quality: 7", "quality 0.94 < routers.mine.limits.min_quality 0.99", "Lower the limit."],
        ),
        (
            RouterSettings(deny=("*",)),
            profile(),
            ["denied by routers.mine.deny: *", "change the router's allow, deny or price limits"],
        ),
        (
            RouterSettings(limits=Limits(max_first_token_seconds=0.01)),
            profile(),
            ["time to the first token: 7", "s to the first token > routers.mine.limits.max_first_token_seconds 0.01"],
        ),
        (
            RouterSettings(limits=Limits(max_latency_seconds=0.01, max_carbon_g=0.0)),
            profile(),
            ["latency: 7", "for the whole answer > routers.mine.limits.max_latency_seconds 0.01"],
        ),
        (RouterSettings(limits=Limits(max_carbon_g=0.0)), profile(), ["carbon: 7", "gCO2e > routers.mine.limits.max"]),
        (
            RouterSettings(allow=("acme/*",)),
            profile(max_output_tokens=50_000.0),
            ["output limit 16,384 < 50,000 tokens asked for", "Ask for fewer output tokens."],
        ),
    ],
)  # fmt: skip
def test_when_nothing_is_eligible_the_message_counts_reasons_and_names_the_nearest(
    router: RouterSettings, request_: Profile, parts: list[str]
) -> None:
    with pytest.raises(NothingEligible) as caught:
        plan(selector(mine=router), "mine", request=request_)
    for part in parts:
        assert part in caught.value.message


def test_a_pinned_model_that_the_router_denies_says_so() -> None:
    with pytest.raises(NothingEligible, match=re.escape("denied by routers.auto.deny: tiny/*")):
        plan(selector(auto=RouterSettings(deny=("tiny/*",))), "tiny/leaf")


def test_elements_that_nobody_live_sells_are_named_when_the_rest_of_the_chain_cannot_serve() -> None:
    with pytest.raises(NothingEligible, match="MISTRAL_API_KEY"):
        plan(selector(), chain=("mistral-large", "tiny/leaf"), request=profile(needs=Ability.IMAGES))


def test_when_only_the_window_is_in_the_way_it_is_the_context_that_is_too_long() -> None:
    with pytest.raises(ContextTooLong, match=re.escape("tiny/leaf@rapid: input limit 4,096 < about 9,000")) as caught:
        plan(selector(), "tiny/leaf", request=profile(input_tokens=9_000.0))
    assert caught.value.code == "context_length_exceeded"
    with pytest.raises(ContextTooLong, match="vast/library@cloud: input limit 1,000,000 < about 2,000,000"):
        plan(selector(), request=profile(input_tokens=2_000_000.0))


def test_the_output_that_was_asked_for_has_to_fit_the_window_too() -> None:
    with pytest.raises(ContextTooLong, match=re.escape("context window 8,192 < about 9,000 tokens needed")):
        plan(selector(), "rapid/fleet", request=profile(input_tokens=6_000.0, max_output_tokens=3_000.0))


def test_without_any_target_the_message_asks_for_a_key() -> None:
    nothing = make_targets(())
    empty = Selector({"auto": compile_policy("auto", PRESETS["auto"], nothing)}, nothing, CATALOG, ABSENT, {}, "auto")
    with pytest.raises(NothingEligible, match="No provider is live"):
        make_plan(empty.select("auto"), profile(), nothing, Scorer(nothing.matrix), nothing.prior, 0.0)
