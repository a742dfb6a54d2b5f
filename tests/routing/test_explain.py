"""The record of a decision says what was decided, why, and what would change it."""

import json

import msgspec
import numpy as np
import pytest

from core import _scorer_np
from core.dimensions import DIMENSIONS
from core.predictor import TASKS
from gateway.routing.explain import DecisionRecord, record, summary
from gateway.routing.plan import Decision, make_plan
from gateway.settings.schema import Fallback, Limits, RouterSettings, Worth
from gateway.wire.ability import Ability
from tests.routing.market import COLUMN, SCORER, TARGETS, profile, selector

ROUTERS = ("auto", "fast", "economy", "quality", "green")


def decided(model: str = "auto", chain: tuple[str, ...] = (), pick: float = 0.0, **routers: RouterSettings) -> Decision:
    selection = selector(**routers).select(model, chain)
    return make_plan(selection, profile(), TARGETS, SCORER, TARGETS.prior, pick)


@pytest.mark.parametrize("router", ROUTERS)
def test_the_record_has_the_order_of_the_plan(router: str) -> None:
    decision = decided(router)
    found = record(decision)
    planned = [candidate.target for candidate in decision.plan.candidates]
    assert [candidate.target for candidate in found.candidates][: len(planned)] == planned
    assert [candidate.rank for candidate in found.candidates] == list(range(1, len(found.candidates) + 1))
    assert (found.winner, found.runner_up) == (planned[0], planned[1])


def test_a_drawn_winner_leads_the_record_too() -> None:
    decision = decided("tied", pick=0.9, tied=RouterSettings(spread=1.0, fallback=Fallback(max_attempts=1)))
    found = record(decision)
    assert found.candidates[0].target == decision.plan.candidates[0].target
    assert len({candidate.target for candidate in found.candidates}) == len(COLUMN)


def test_every_target_is_either_a_candidate_or_excluded_with_a_reason() -> None:
    mine = RouterSettings(deny=("rapid/*",), limits=Limits(max_cost_usd=0.01))
    found = record(decided("mine", mine=mine))
    candidates = {candidate.target for candidate in found.candidates}
    excluded = {exclusion.target: exclusion for exclusion in found.excluded}
    assert candidates | excluded.keys() == set(COLUMN)
    assert not candidates & excluded.keys()
    assert excluded["rapid/fleet@rapid"].reason == "not_allowed"
    assert excluded["rapid/fleet@rapid"].detail == "denied by routers.mine.deny: rapid/*"
    assert excluded["anon/model@cloud"].reason == "unpriced"
    assert sum(found.excluded_counts.values()) == len(excluded)


def test_a_pin_tells_what_was_not_asked_for_from_what_is_not_allowed() -> None:
    found = record(decided("acme/large", auto=RouterSettings(deny=("acme/large@acme",))))
    assert found.excluded_counts == {"not_asked": 5, "not_allowed": 1}
    reasons = {exclusion.target: exclusion.detail for exclusion in found.excluded}
    assert reasons["acme/large@acme"] == "denied by routers.auto.deny: acme/large@acme"
    assert reasons["tiny/leaf@rapid"] == "not asked for: the request names acme/large"


def test_contributions_add_up_to_the_score() -> None:
    for candidate in record(decided()).candidates:
        total = sum(share.contribution for share in candidate.dimensions.values())
        assert total == pytest.approx(candidate.score, abs=1e-5)
        for share in candidate.dimensions.values():
            assert share.contribution == pytest.approx(share.weight * share.utility, rel=1e-5)


def test_figures_have_their_units_and_say_when_they_are_estimated() -> None:
    candidates = {candidate.target: candidate.dimensions for candidate in record(decided()).candidates}
    assert {name: share.unit for name, share in candidates["acme/small@acme"].items()} == {
        dimension.name: dimension.unit for dimension in DIMENSIONS
    }
    assert candidates["acme/small@acme"]["quality"].figure == pytest.approx(0.8)
    assert not candidates["acme/small@acme"]["cost"].estimated
    assert candidates["anon/model@cloud"]["cost"].estimated


def test_what_was_measured_live_is_no_longer_an_estimate() -> None:
    column = COLUMN["anon/model@cloud"]
    availability = TARGETS.prior.availability.copy()
    availability[column] = 0.97
    live = TARGETS.prior._replace(availability=availability)
    selection = selector().select("anon/model")
    found = record(make_plan(selection, profile(), TARGETS, SCORER, live, 0.0)).candidates[0].dimensions
    assert not found["availability"].estimated
    assert found["latency"].estimated


def test_what_was_expected_before_stands_beside_what_was_measured_and_learned_since() -> None:
    column, chat = COLUMN["acme/small@acme"], TASKS.index("chat")
    seconds = TARGETS.prior.first_token_seconds.copy()
    seconds[column] *= 4
    learned = np.zeros_like(TARGETS.matrix.quality)
    learned[chat, column] = 0.05
    targets = msgspec.structs.replace(TARGETS, learned=learned)
    live = TARGETS.prior._replace(first_token_seconds=seconds)
    request = profile(task=chat)
    found = record(make_plan(selector().select("auto"), request, targets, SCORER, live, 0.0))
    small = next(one for one in found.candidates if one.target == "acme/small@acme")
    before = record(make_plan(selector().select("auto"), request, TARGETS, SCORER, TARGETS.prior, 0.0))
    expected = next(one for one in before.candidates if one.target == "acme/small@acme").dimensions["latency"].figure
    assert small.prior == {"latency": expected, "quality": pytest.approx(0.75)}
    assert small.learned_quality == pytest.approx(0.05)
    assert all(one.prior == {} for one in found.candidates if one is not small)


def test_what_was_learned_counts_by_the_chance_of_each_task() -> None:
    column, chat, writing = COLUMN["acme/small@acme"], TASKS.index("chat"), TASKS.index("writing")
    learned = np.zeros_like(TARGETS.matrix.quality)
    learned[chat, column] = 0.05
    request = profile(task=chat, blend=((chat, 0.6), (writing, 0.4)), odds=1.0)  # type: ignore[arg-type]
    targets = msgspec.structs.replace(TARGETS, learned=learned)
    found = record(make_plan(selector().select("auto"), request, targets, SCORER, TARGETS.prior, 0.0))
    small = next(one for one in found.candidates if one.target == "acme/small@acme")
    assert small.learned_quality == pytest.approx(0.03)
    assert small.prior == {"quality": pytest.approx(0.77)}


def test_a_chain_is_recorded_leg_by_leg() -> None:
    found = record(decided("", ("tiny/leaf", "quality")))
    assert found.candidates[0].router == "auto"
    assert {candidate.router for candidate in found.candidates[1:]} == {"quality"}
    assert len(found.candidates) == len(COLUMN)
    assert found.excluded == ()


def test_a_record_survives_json() -> None:
    encoded = msgspec.json.encode(record(decided(), "dec_1"))
    assert json.loads(encoded)["id"] == "dec_1"
    assert msgspec.json.decode(encoded, type=DecisionRecord) == record(decided(), "dec_1")


def test_the_request_is_recorded_as_it_was_weighed() -> None:
    selection = selector().select("auto")
    request = profile(needs=int(Ability.TOOLS | Ability.JSON_MODE), max_output_tokens=123.0, input_tokens=456.4)
    found = record(make_plan(selection, request, TARGETS, SCORER, TARGETS.prior, 0.0)).request
    assert (found.task, found.needs) == ("writing", ("tools", "json_mode"))
    assert (found.max_output_tokens, found.input_tokens) == (123, 456)


def with_weight(decision: Decision, row: int, weight: float) -> str:
    """Who wins when one weight is `weight` and the others keep their proportions."""
    policy = decision.policy
    weights = policy.vector.weights.astype(np.float64)
    scaled = weights * (1 - weight) / (1 - weights[row])
    scaled[row] = weight
    vector = policy.vector._replace(weights=scaled.astype(np.float32))
    ranking = SCORER.decide(TARGETS.prior, decision.profile.figures, vector, policy.allowed, 1)
    return TARGETS.ids[ranking.columns[0]]


@pytest.mark.parametrize("router", ROUTERS)
def test_the_choice_flips_just_beyond_the_stated_weight_and_not_before(router: str) -> None:
    decision = decided(router)
    found = record(decision)
    checked = 0
    for row, dimension in enumerate(DIMENSIONS):
        flip = found.flips[dimension.name]
        assert flip.weight == pytest.approx(found.weights[dimension.name])
        if flip.above is not None:
            assert with_weight(decision, row, flip.above - 1.1e-4) == found.winner
            assert with_weight(decision, row, flip.above) == flip.above_target
            checked += 1
        else:
            assert with_weight(decision, row, 0.99) == found.winner
        if flip.below is not None:
            assert with_weight(decision, row, flip.below + 1.1e-4) == found.winner
            assert with_weight(decision, row, flip.below) == flip.below_target
            checked += 1
        else:
            # At 0 itself there may be a tie, and ties go to the lower column.
            assert with_weight(decision, row, min(0.001, flip.weight)) == found.winner
    assert checked >= 2


def with_figure(decision: Decision, row: int, figure: float) -> str:
    """Who wins when one figure of the winner is another one, by the curves of the kernel's definition."""
    policy, column = decision.policy, decision.plan.candidates[0].column
    table = decision.cases()[0].table
    figures = table.figures.copy()
    figures[row, column] = figure
    score = policy.vector.weights @ _scorer_np._utility(figures, policy.vector)
    columns = [one.column for one in decision.plan.candidates]
    return TARGETS.ids[max(columns, key=lambda one: float(score[one]))]


MONEY = RouterSettings(worth=Worth(quality_point_usd=0.001, second_usd=0.001, kg_co2e_usd=0.5))


@pytest.mark.parametrize("router", [*ROUTERS, "money"])
def test_another_is_chosen_just_beyond_the_tipping_point_of_a_figure_and_not_before(router: str) -> None:
    decision = decided(router, money=MONEY)
    found = record(decision)
    assert found.tipping
    for row, dimension in enumerate(DIMENSIONS):
        tipping = found.tipping.get(dimension.name)
        if tipping is None:
            continue
        assert tipping.figure == pytest.approx(found.candidates[0].dimensions[dimension.name].figure)
        before = tipping.at + (tipping.figure - tipping.at) * 0.01
        assert with_figure(decision, row, before) == found.winner
        beyond = tipping.at - (tipping.figure - tipping.at) * 0.01
        assert with_figure(decision, row, beyond) == tipping.target


def test_a_choice_without_rivals_cannot_flip() -> None:
    assert record(decided("tiny/leaf")).flips == {}


def test_the_only_weight_has_no_proportions_to_change() -> None:
    flips = record(decided("mine", mine=RouterSettings(weights={"cost": 1}))).flips
    assert flips["cost"].above is None
    assert flips["cost"].below is None


def test_the_summary_tells_of_who_answered_and_who_came_next() -> None:
    decision = decided()
    first, second = decision.plan.candidates[:2]
    found = summary(decision, first.column)
    assert [standing.target for standing in found.standings] == [first.target, second.target]
    assert found.standings[0].dimensions == record(decision).candidates[0].dimensions
    assert found.margin == decision.plan.margin
    assert found.excluded == {}


@pytest.mark.parametrize("chain", [(), ("acme/large", "tiny/leaf", "quality")], ids=["router", "chain"])
@pytest.mark.parametrize("place", range(4))
def test_the_summary_says_the_same_as_the_record_whoever_answered(chain: tuple[str, ...], place: int) -> None:
    decision = decided("" if chain else "auto", chain)
    listed = {candidate.target: candidate for candidate in record(decision).candidates}
    answered = decision.plan.candidates[place]
    found = summary(decision, answered.column, count=len(COLUMN))
    assert found.standings[0].target == answered.target
    assert {standing.target for standing in found.standings} == listed.keys()
    for standing in found.standings:
        candidate = listed[standing.target]
        assert (standing.score, standing.dimensions) == (candidate.score, candidate.dimensions)
    assert found.excluded == record(decision).excluded_counts


def test_the_summary_counts_what_was_ruled_out_as_the_record_does() -> None:
    mine = RouterSettings(deny=("rapid/*", "cloud/*"), limits=Limits(max_cost_usd=0.002))
    for model in ("mine", "acme/large", "tiny/leaf@rapid"):
        decision = decided(model, mine=mine)
        found = summary(decision, None)
        assert found.excluded == record(decision).excluded_counts
        assert sum(found.excluded.values()) == len(record(decision).excluded) > 0


def test_numbers_for_people_have_six_digits_at_most() -> None:
    decision = decided()
    encoded = msgspec.json.encode([record(decision), summary(decision, None)])
    numbers: list[str] = []
    json.loads(encoded, parse_float=numbers.append)
    long = [number for number in numbers if len(number.partition("e")[0].replace(".", "").strip("-0")) > 6]
    assert long == []
    assert "0.15" in numbers


def test_the_summary_after_a_fallback_starts_with_who_answered() -> None:
    decision = decided()
    first, _, third = decision.plan.candidates[:3]
    found = summary(decision, third.column)
    assert [(standing.target, standing.rank) for standing in found.standings] == [(third.target, 3), (first.target, 1)]
    assert found.margin is None
    assert [standing.target for standing in summary(decision, None, count=1).standings] == [first.target]
