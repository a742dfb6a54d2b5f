"""Near ties are broken by load and, for a stated share of the requests, by how little is known of a target."""

from collections import Counter

import msgspec
import numpy as np
import pytest

from core.matrix import LiveFigures
from gateway.routing.explain import record, summary
from gateway.routing.near_ties import FRESH_CALLS, drawn_by_load, stale_within
from gateway.routing.plan import Decision, make_plan, preferring, replan
from gateway.settings.schema import RouterSettings
from tests.routing.market import COLUMN, SCORER, TARGETS, profile, selector

PICKS = np.linspace(0.0, 0.999, 200).tolist()
CLOUD, ACME, SMALL = "acme/large@cloud", "acme/large@acme", "acme/small@acme"  # the best two of `quality`, near ties


def live(load: dict[str, float] | None = None, calls: dict[str, float] | None = None) -> LiveFigures:
    """Idle and well known, except as told."""
    loads, known = TARGETS.prior.load.copy(), np.full(len(COLUMN), 100.0, np.float32)
    for target, share in (load or {}).items():
        loads[COLUMN[target]] = share
    for target, count in (calls or {}).items():
        known[COLUMN[target]] = count
    return TARGETS.prior._replace(load=loads, calls=known)


def decided(
    figures: LiveFigures,
    pick: float,
    stay: int | None = None,
    may_explore: bool = True,
    spread: float = 0.0,
    explore: float = 0.0,
    stay_margin: float | None = None,
) -> Decision:
    router = RouterSettings(preset="quality", spread=spread, explore=explore, stay_margin=stay_margin)
    choice = selector(mine=router).select("mine")
    return make_plan(choice, profile(), TARGETS, SCORER, figures, pick, stay, may_explore)


def first(decision: Decision) -> str:
    return decision.plan.candidates[0].target


def test_equally_loaded_targets_are_drawn_alike() -> None:
    for load in (0.0, 0.4, 1.0, 3.0):
        drawn = Counter(drawn_by_load([load] * 4, pick / 400) for pick in range(400))
        assert all(abs(drawn[place] - 100) <= 1 for place in range(4))


def test_the_busier_a_target_the_smaller_its_share() -> None:
    drawn = Counter(drawn_by_load([0.0, 0.01, 0.1, 1.0], pick) for pick in PICKS)
    assert drawn[0] > drawn[1] > drawn[2] > drawn[3] == 0
    assert drawn[0] == pytest.approx(2 * drawn[1], rel=0.05)


def test_whoever_has_no_room_is_drawn_only_where_nobody_has() -> None:
    assert {drawn_by_load([1.2, 0.9], pick) for pick in PICKS} == {1}
    assert {drawn_by_load([1.2, 1.5], pick) for pick in PICKS} == {0, 1}


@pytest.mark.parametrize("pick", [0.0, 0.5, np.nextafter(1.0, 0.0)])
def test_a_draw_falls_on_somebody_with_room_to_the_last_number(pick: float) -> None:
    assert drawn_by_load([0.1, 0.3, 0.7], pick) in range(3)


def test_near_ties_go_to_the_one_with_room() -> None:
    busy = Counter(first(decided(live(load={CLOUD: 0.5}), pick, spread=0.02)) for pick in PICKS)
    assert busy.keys() == {CLOUD, ACME}
    assert busy[ACME] > 0.95 * len(PICKS)
    assert {first(decided(live(load={CLOUD: 1.0}), pick, spread=0.02)) for pick in PICKS} == {ACME}


def test_without_a_spread_load_decides_nothing() -> None:
    assert {first(decided(live(load={CLOUD: 1.0}), pick)) for pick in PICKS} == {CLOUD}


def test_only_the_stale_and_near_are_worth_a_look() -> None:
    scores, calls = [0.8, 0.79, 0.78, 0.5], [0.0, FRESH_CALLS, 1.0, 0.0]
    assert stale_within(0.05, scores, calls) == [2]
    assert stale_within(1.0, scores, calls) == [2, 3]
    assert stale_within(0.05, [0.79, 0.8], [0.0, 0.0]) == [1]


def test_a_router_explores_the_stated_share_of_its_requests() -> None:
    found = [decided(live(calls={ACME: 0.0}), pick, explore=0.1) for pick in PICKS]
    explored = [one for one in found if one.plan.is_explored]
    assert len(explored) == pytest.approx(0.1 * len(PICKS), abs=1)
    assert {first(one) for one in explored} == {ACME}
    assert {first(one) for one in found if not one.plan.is_explored} == {CLOUD}


def test_a_target_that_is_known_is_not_explored() -> None:
    assert not decided(live(calls={ACME: FRESH_CALLS}), 0.0, explore=1.0).plan.is_explored


def test_nothing_is_explored_beyond_the_margin() -> None:
    unknown = live(calls=dict.fromkeys(COLUMN, 0.0))
    assert {first(decided(unknown, pick, explore=1.0)) for pick in PICKS} == {ACME}
    assert {first(decided(unknown, pick, explore=1.0, stay_margin=0.2)) for pick in PICKS} > {ACME, SMALL}
    assert not decided(unknown, 0.0, explore=1.0, stay_margin=0.0).plan.is_explored


def test_nothing_is_explored_unless_a_router_says_so() -> None:
    assert not decided(live(calls={ACME: 0.0}), 0.0).plan.is_explored


def test_a_tool_loop_is_never_torn_for_the_sake_of_knowledge() -> None:
    assert not decided(live(calls={ACME: 0.0}), 0.0, may_explore=False, explore=1.0).plan.is_explored


@pytest.mark.parametrize("has_it", [CLOUD, ACME])
def test_a_conversation_that_has_its_target_is_never_explored(has_it: str) -> None:
    decision = decided(live(calls={ACME: 0.0, CLOUD: 0.0}), 0.0, COLUMN[has_it], explore=1.0)
    assert (first(decision), decision.plan.is_explored) == (has_it, False)


def test_a_target_that_is_out_is_never_explored() -> None:
    out = TARGETS.prior.out.copy()
    out[COLUMN[ACME]] = 1
    decision = decided(live(calls={ACME: 0.0})._replace(out=out), 0.0, explore=1.0)
    assert (first(decision), decision.plan.is_explored) == (CLOUD, False)


def test_a_target_that_would_lose_something_is_not_explored_before_one_that_would_not() -> None:
    decision = decided(live(calls={ACME: 0.0}), 0.0, explore=1.0)
    assert first(preferring(decision, frozenset({COLUMN[CLOUD]}))) == CLOUD
    assert not preferring(decision, frozenset({COLUMN[CLOUD]})).plan.is_explored
    both = preferring(decision, frozenset({COLUMN[CLOUD], COLUMN[ACME]}))
    assert (first(both), both.plan.is_explored) == (ACME, True)


def test_after_a_fault_scores_decide_again() -> None:
    decision = decided(live(calls={ACME: 0.0}), 0.0, explore=1.0)
    assert first(decision) == ACME
    assert replan(decision, {"acme"}, 0.0)[0].target == CLOUD


@pytest.mark.parametrize("pick", [0.0, 0.04, 0.3, 0.9])
def test_a_decision_can_be_made_again_from_what_is_kept_of_it(pick: float) -> None:
    one = decided(live(load={CLOUD: 0.2}, calls={ACME: 0.0}), pick, spread=0.02, explore=0.05)
    again = make_plan(
        one.selection, one.profile, one.targets, one.scorer, one.live, one.pick, one.stay, one.may_explore
    )
    assert again.plan == one.plan


def test_the_record_says_what_was_drawn_and_by_which_figures() -> None:
    told = record(decided(live(load={CLOUD: 0.25}, calls={ACME: 2.0}), 0.01, explore=0.05))
    assert (told.winner, told.explored, told.pick) == (ACME, True, 0.01)
    assert (told.candidates[0].recent_calls, told.candidates[1].load) == (2.0, 0.25)
    assert b'"explored":true' in msgspec.json.encode(told)


def test_a_receipt_says_that_its_first_choice_was_explored() -> None:
    explored = decided(live(calls={ACME: 0.0}), 0.0, explore=1.0)
    assert summary(explored, COLUMN[ACME]).explored
    assert not summary(decided(live(), 0.0, explore=1.0), COLUMN[CLOUD]).explored
