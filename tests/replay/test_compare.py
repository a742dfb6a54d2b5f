"""What a replay and a tuning say of past requests, checked against a market that a reader can hold in the head."""

from math import isclose

import msgspec
import numpy as np
import pytest

from gateway.accounting.past import Past
from gateway.replay.compare import CANNOT_KNOW, compare, mean_and_half, parse_weights
from gateway.replay.engine import Rules
from gateway.replay.tune import NAMES, front_of, tune
from gateway.settings.schema import Limits, RouterSettings, Worth
from tests.replay.test_replayable import decided, past
from tests.routing.market import STALLS, TARGETS, make_targets, selector

BASE = Rules(TARGETS, selector())


def requests(count: int = 60, session: str = "") -> list[Past]:
    made = []
    for seed in range(count):
        one = past(decided(seed, "auto"), "auto")
        made.append(msgspec.structs.replace(one, id=f"dec_{seed}", time=1_000.0 + seed, session=session))
    return made


def with_auto(settings: RouterSettings) -> Rules:
    return Rules(TARGETS, selector(auto=settings))


def test_the_same_rules_change_nothing() -> None:
    found = compare("auto", requests(), BASE, BASE)
    assert (found.requests, found.changed, found.as_decided) == (60, 0, 1.0)
    assert all(one.change == one.low == one.high == 0 for one in found.figures.values())
    assert all(before == after for before, after in found.mix.values())
    assert sum(before for before, _ in found.mix.values()) == 60
    assert (found.since, found.until, found.cannot_know) == (1_000.0, 1_059.0, CANNOT_KNOW)


def test_a_router_that_saves_costs_less_and_its_interval_says_how_surely() -> None:
    found = compare("auto", requests(), BASE, with_auto(RouterSettings(preset="economy")))
    cost = found.figures["cost"]
    assert found.changed > 0
    assert cost.low <= cost.change <= cost.high < 0
    assert isclose(cost.after - cost.before, cost.change, rel_tol=1e-3)
    assert found.cost_usd_after < found.cost_usd_before
    assert isclose(found.cost_usd_before, 60 * cost.before, rel_tol=1e-3)


def test_requests_of_one_conversation_are_no_independent_evidence() -> None:
    """Each request twice: that is more to go by only if the two had nothing to do with each other."""
    saving = with_auto(RouterSettings(preset="economy"))
    replace = msgspec.structs.replace
    twice = [replace(one, id=f"{one.id}-{copy}") for one in requests() for copy in range(2)]
    widths = []
    for sessions in (False, True):
        asked = [replace(one, session=one.id.partition("-")[0] if sessions else "") for one in twice]
        change = compare("auto", asked, BASE, saving).figures["quality"]
        widths.append(change.high - change.low)
    assert widths[1] == pytest.approx(widths[0] * 2**0.5, rel=0.02)


def test_an_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        clusters = np.repeat(np.arange(60), 4)
        values = rng.normal(0.0, 1.0, 60)[clusters] + rng.normal(0.0, 1.0, 240) + 3.0
        mean, half = mean_and_half(values, clusters)
        hits += abs(mean - 3.0) <= half
    assert 0.91 <= hits / 400 <= 0.985


def test_what_nothing_could_serve_any_more_is_counted_and_left_out_of_the_means() -> None:
    found = compare("auto", requests(), BASE, with_auto(RouterSettings(limits=Limits(max_cost_usd=1e-12))))
    assert (found.unserved_before, found.unserved_after, found.changed) == (0, 60, 60)
    assert found.mix[""] == (0, 60)
    assert found.figures["cost"].change == 0


def test_another_catalog_is_compared_target_by_target() -> None:
    fewer = make_targets(STALLS[1:])
    rules = Rules(fewer, selector())
    same = compare("auto", requests(), BASE, Rules(TARGETS, selector()))
    assert same.changed == 0
    picky = [one for one in requests() if one.target == "acme/small@acme"]
    moved = compare("auto", picky, BASE, BASE)
    assert moved.mix == {"acme/small": (len(picky), len(picky))}
    assert rules.targets.ids == TARGETS.ids[1:]


@pytest.mark.parametrize("text", ["cost", "cost=x", "price=1", "cost=-1", "", "cost=.5;quality=.5", "cost=inf"])
def test_weights_that_make_no_sense_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"cost=\.5,quality=\.5 is expected"):
        parse_weights(text)


def test_weights_are_read_as_people_write_them() -> None:
    assert parse_weights("cost=.5, quality=1e-1") == {"cost": 0.5, "quality": 0.1}


def test_a_tuning_draws_a_front_that_nothing_beats() -> None:
    found = tune("auto", requests(), BASE)
    assert found.requests + sum(found.left_out.values()) == 60
    costs = [point.figures["cost"] for point in found.front]
    assert costs == sorted(costs)
    assert len(found.front) >= 3
    for one in found.front:
        for other in (*found.front, found.now):
            better = [
                other.figures["cost"] < one.figures["cost"],
                other.figures["latency"] < one.figures["latency"],
                other.figures["quality"] > one.figures["quality"],
            ]
            assert not all(better)


def test_a_proposal_gains_something_for_sure_and_replays_as_it_says() -> None:
    wasteful = with_auto(RouterSettings(weights={"cost": 0.01, "latency": 0.01, "availability": 0.98}))
    found = tune("auto", requests(), wasteful)
    assert found.proposals
    for proposal in found.proposals:
        name = {"cheaper": "cost", "better": "quality", "faster": "latency"}[proposal.role.partition(",")[0]]
        mean, low, high = proposal.change[name]
        assert low > 0 if name == "quality" else high < 0
        again = compare("auto", requests(), wasteful, with_auto(RouterSettings(weights=proposal.weights)))
        # Staying with a conversation's target is left aside in a tuning, and a replay heeds it.
        assert np.sign(again.figures[name].change) == np.sign(mean)


def test_a_router_in_money_has_no_weights_to_tune() -> None:
    with pytest.raises(ValueError, match="says what things are worth"):
        tune("auto", requests(3), with_auto(RouterSettings(worth=Worth(quality_point_usd=0.1))))


def test_without_requests_there_is_no_front() -> None:
    found = tune("auto", [], BASE)
    assert (found.requests, found.front, found.proposals) == (0, (), ())


def test_of_equal_points_one_is_on_the_front() -> None:
    means = np.tile(np.array([[1.0, 2.0, 0.5, 1.0, 1.0]]), (4, 1))
    means[2, NAMES.index("cost")] = 0.5
    means[2, NAMES.index("quality")] = 0.4
    assert front_of(means) == [2, 0]
