"""Routers that say what things are worth in money, and limits that give way when nothing is within them."""

from collections.abc import Mapping

import numpy as np
import pytest
from msgspec.structs import replace

from core.dimensions import DIMENSIONS, INDEX
from gateway.errors import NothingEligible
from gateway.routing.explain import DecisionRecord, record
from gateway.routing.plan import Decision, make_plan, replan, staying
from gateway.settings.schema import Limits, RouterSettings, Worth
from tests.routing.market import COLUMN, SCORER, TARGETS, profile, selector

WORTHS = {
    "thrifty": Worth(quality_point_usd=0.00001),
    "demanding": Worth(quality_point_usd=0.01),
    "hasty": Worth(quality_point_usd=0.0001, second_usd=0.05),
    "green": Worth(quality_point_usd=0.002, kg_co2e_usd=20.0),
}


def decided(settings: RouterSettings, live: Mapping[str, float] = {}, stay: int | None = None) -> Decision:
    availability = TARGETS.prior.availability.copy()
    for target, share in live.items():
        availability[COLUMN[target]] = share
    figures = TARGETS.prior._replace(availability=availability)
    return make_plan(selector(mine=settings).select("mine"), profile(), TARGETS, SCORER, figures, 0.0, stay)


def by_worth(name: str) -> Decision:
    return decided(RouterSettings(worth=WORTHS[name]))


def explained(decision: Decision) -> DecisionRecord:
    return record(decision)


def test_what_is_worth_much_decides() -> None:
    winners = {name: explained(by_worth(name)).winner for name in WORTHS}
    assert winners == {
        "thrifty": "tiny/leaf@rapid",
        "demanding": "acme/large@acme",
        "hasty": "rapid/fleet@rapid",
        "green": "acme/small@acme",
    }


@pytest.mark.parametrize("name", WORTHS)
def test_a_score_is_dollars_and_its_parts_add_up(name: str) -> None:
    found = explained(by_worth(name))
    worth = WORTHS[name]
    assert (found.score_unit, found.anchors) == ("USD", {})
    for one in found.candidates:
        figures = {name: share.figure or 0.0 for name, share in one.dimensions.items()}
        lost = 10 * worth.second_usd * (1 - figures["availability"])
        expected = (
            100 * worth.quality_point_usd * figures["quality"]
            - figures["cost"]
            - worth.second_usd * figures["latency"]
            - worth.kg_co2e_usd * figures["carbon"] / 1_000
            - lost
        )
        assert one.score == pytest.approx(expected, rel=1e-4, abs=1e-8)
        assert sum(share.contribution for share in one.dimensions.values()) == pytest.approx(one.score, rel=1e-5)


def test_an_attempt_that_fails_costs_ten_seconds_unless_it_is_said_what_it_is_worth() -> None:
    worth = Worth(quality_point_usd=0.0001, second_usd=0.05)
    shaky = {"rapid/fleet@rapid": 0.6}
    assert explained(decided(RouterSettings(worth=worth), shaky)).winner == "tiny/leaf@rapid"
    unmoved = replace(worth, failed_attempt_usd=0.0)
    assert explained(decided(RouterSettings(worth=unmoved), shaky)).winner == "rapid/fleet@rapid"


def with_worth(decision: Decision, row: int, usd: float) -> str:
    """Who wins when a unit of one dimension is worth that much."""
    worths = decision.policy.vector.weights.copy()
    worths[row] = usd
    vector = decision.policy.vector._replace(weights=worths)
    ranking = SCORER.decide(TARGETS.prior, decision.profile.figures, vector, decision.policy.allowed, 1)
    return TARGETS.ids[ranking.columns[0]]


@pytest.mark.parametrize("name", WORTHS)
def test_the_choice_flips_just_beyond_the_stated_worth_and_not_before(name: str) -> None:
    decision = by_worth(name)
    found = explained(decision)
    assert set(found.flips) == set(INDEX) - {"cost"}
    checked = 0
    for row, dimension in enumerate(DIMENSIONS):
        flip = found.flips.get(dimension.name)
        if flip is not None and flip.above is not None:
            # What is level but for the thing that is worth nothing now is passed at once.
            assert with_worth(decision, row, max(flip.weight, flip.above * 0.999 - 1e-5)) == found.winner
            assert with_worth(decision, row, flip.above) == flip.above_target
            checked += 1
        if flip is not None and flip.below is not None:
            assert with_worth(decision, row, flip.below * 1.001) == found.winner
            assert with_worth(decision, row, flip.below) == flip.below_target
            checked += 1
    assert checked


def test_a_conversation_moves_for_more_than_a_point_of_quality() -> None:
    worth = Worth(quality_point_usd=0.01)
    stay, better = COLUMN["acme/large@acme"], "acme/large@cloud"
    assert explained(decided(RouterSettings(worth=worth), stay=stay)).winner == "acme/large@acme"
    keen = RouterSettings(worth=replace(worth, second_usd=0.02), stay_margin=0.0)
    assert explained(decided(keen, stay=stay)).winner == better


TIGHT = Limits(max_cost_usd=1e-7, max_first_token_seconds=0.1)


def test_what_is_least_over_its_worst_limit_is_asked_when_the_router_lets_limits_give_way() -> None:
    with pytest.raises(NothingEligible):
        decided(RouterSettings(limits=TIGHT))
    decision = decided(RouterSettings(limits=TIGHT, nothing_fits="nearest"))
    order = [one.target for one in decision.plan.candidates]
    costs = np.array([one.dimensions["cost"].figure for one in explained(decision).candidates])
    assert order[0] == "tiny/leaf@rapid"
    assert "anon/model@cloud" not in order, "nobody knows how much it is over"
    assert (np.diff(costs) >= 0).all(), "cost is the limit that all are furthest over"


def test_a_decision_beyond_the_limits_says_so_and_by_how_much() -> None:
    found = explained(decided(RouterSettings(limits=TIGHT, nothing_fits="nearest")))
    assert found.over_limit is not None
    assert "USD > routers.mine.limits.max_cost_usd 1e-07" in found.over_limit
    assert (found.margin, found.flips) == (None, {})
    assert len(found.candidates) + len(found.excluded) == len(TARGETS.ids)
    assert explained(by_worth("thrifty")).over_limit is None


def test_ratios_make_seconds_and_dollars_comparable() -> None:
    """The leaf is 3 times over in time, the fleet half as much over: 1.5 times, and its cost is no limit."""
    limits = Limits(max_first_token_seconds=0.1)
    decision = decided(RouterSettings(limits=limits, nothing_fits="nearest"))
    assert [one.target for one in decision.plan.candidates][:2] == ["rapid/fleet@rapid", "tiny/leaf@rapid"]


def test_limits_that_somebody_keeps_never_give_way() -> None:
    limits = Limits(max_first_token_seconds=0.2)
    decision = decided(RouterSettings(limits=limits, nothing_fits="nearest"))
    assert [one.target for one in decision.plan.candidates] == ["rapid/fleet@rapid"]
    assert not decision.plan.is_over_limits


def test_what_cannot_serve_is_not_asked_however_near() -> None:
    settings = RouterSettings(limits=TIGHT, nothing_fits="nearest", deny=("tiny/*",))
    assert "tiny/leaf@rapid" not in [one.target for one in decided(settings).plan.candidates]
    with pytest.raises(NothingEligible):
        decided(replace(settings, deny=("*",)))


def test_a_last_resort_beyond_the_limits_comes_after_all_others() -> None:
    settings = RouterSettings(limits=TIGHT, nothing_fits="nearest")
    order = [one.target for one in decided(settings, {"tiny/leaf@rapid": 0.1}).plan.candidates]
    assert order.index("tiny/leaf@rapid") == len(order) - 1


def test_nobody_stays_for_an_order_that_is_not_one_of_scores() -> None:
    decision = decided(RouterSettings(limits=TIGHT, nothing_fits="nearest"), stay=COLUMN["acme/large@acme"])
    assert decision.plan.candidates[0].target == "tiny/leaf@rapid"
    assert replan(decision, ["rapid"], 0.0) == []
    plan = by_worth("thrifty").plan
    assert staying(plan, by_worth("thrifty").selection, None) is plan
