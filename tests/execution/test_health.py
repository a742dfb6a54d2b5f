"""What is learned of targets: who must be left alone and for how long, how fast and how reliable they are."""

import math
import random

import numpy as np
import pytest
from msgspec.structs import replace

from gateway.catalog.card import Catalog, ModelCard, Offer
from gateway.catalog.columns import Targets, build_targets
from gateway.execution.health import VIEW_SECONDS, Cooldown, Health
from gateway.providers.faults import Fault, FaultKind

NOW = 5_000.0
OFFERS = ("a/one@cloud", "a/one@other", "a/two@cloud")


def targets_of(*ids: str, retired: str = "", renamed: str = "") -> Targets:
    """Targets of these ids. Its provider has switched `retired` off, and calls `renamed` by another name."""
    pairs = [target.split("@") for target in ids]
    offers = tuple(
        Offer(
            model,
            provider,
            "new-name" if f"{model}@{provider}" == renamed else model,
            retires="2026-01-01" if f"{model}@{provider}" == retired else "",
        )
        for model, provider in pairs
    )
    cards = {model: ModelCard(id=model, name=model, maker="a") for model, _ in pairs}
    catalog = Catalog(version="t", date="2026-11-22", sources={}, models=cards, offers=offers)
    return build_targets(catalog, {provider for _, provider in pairs}, ("chat",))


def health_of(*ids: str) -> Health:
    return Health(targets_of(*(ids or OFFERS)))


def fault(kind: FaultKind, wait: float | None = None) -> Fault:
    return Fault(kind, None, wait, "words", b"", "")


def waits(health: Health, now: float) -> list[float]:
    """Seconds for which each target cools."""
    cooldowns = [health.cooldown(column, now) for column in range(3)]
    return [0.0 if cooldown is None else cooldown.until - now for cooldown in cooldowns]


def test_a_rate_limit_puts_out_the_target_and_a_refused_key_the_provider() -> None:
    health = health_of()
    health.failed(0, NOW, fault(FaultKind.RATE_LIMITED, 7.0))
    assert waits(health, NOW) == [7.0, 0.0, 0.0]
    health.failed(0, NOW, fault(FaultKind.CREDENTIALS))
    assert waits(health, NOW) == [300.0, 0.0, 300.0]
    assert list(health.view(NOW).out) == [1, 0, 1]


def test_a_fault_of_the_request_puts_nobody_out() -> None:
    health = health_of()
    for kind in (FaultKind.INVALID_REQUEST, FaultKind.CONTEXT_TOO_LONG, FaultKind.CONTENT_FILTER, FaultKind.TOO_LARGE):
        for _ in range(10):
            health.failed(0, NOW, fault(kind, 60.0))
    assert waits(health, NOW) == [0.0, 0.0, 0.0]
    assert list(health.view(NOW).out) == [0, 0, 0]
    assert health.view(NOW).availability[0] == health.view(NOW).availability[1]


def test_a_longer_wait_extends_the_cooldown_and_a_shorter_one_does_not_shorten_it() -> None:
    health = health_of()
    for kind in (FaultKind.RATE_LIMITED, FaultKind.QUOTA_EXHAUSTED):
        health.failed(0, NOW, fault(kind, 400.0))
        health.failed(0, NOW + 1.0, fault(kind, 2.0))
        assert health.cooldown(0, NOW + 1.0) == Cooldown(NOW + 400.0, FaultKind.RATE_LIMITED)
    health.failed(0, NOW + 1.0, fault(FaultKind.RATE_LIMITED, 500.0))
    assert waits(health, NOW + 1.0) == [500.0, 0.0, 399.0]


@pytest.mark.parametrize("kind", [FaultKind.RATE_LIMITED, FaultKind.CREDENTIALS])
def test_a_cooldown_ends_by_itself(kind: FaultKind) -> None:
    health = health_of()
    health.failed(0, NOW, fault(kind, 7.0))
    assert health.cooldown(0, NOW + 6.9) is not None
    assert health.cooldown(0, NOW + 7.0) is None
    assert health.view(NOW + 6.9).out[0] == 1
    assert list(health.view(NOW + 7.0).out) == [0, 0, 0]


def test_an_answer_from_one_target_does_not_end_anybodys_cooldown() -> None:
    health = health_of()
    health.failed(0, NOW, fault(FaultKind.CREDENTIALS))
    health.answered(2, NOW, 0.5, 0.01)
    assert waits(health, NOW) == [300.0, 0.0, 300.0]


def test_an_open_breaker_shows_in_the_view_until_it_has_cooled() -> None:
    health = health_of()
    for _ in range(5):
        health.failed(1, NOW, fault(FaultKind.SERVER_ERROR))
    assert list(health.view(NOW).out) == [0, 1, 0]
    assert not health.admits(1, NOW)
    assert list(health.view(NOW + 5.0).out) == [0, 0, 0]
    assert [health.admits(1, NOW + 5.0), health.admits(1, NOW + 5.0)] == [True, False]
    assert list(health.view(NOW + 5.2).out) == [0, 1, 0]  # a probe is under way
    health.answered(1, NOW + 6.0, 0.5, 0.01)
    assert list(health.view(NOW + 6.0).out) == [0, 0, 0]


def test_availability_follows_outcomes_and_returns_to_what_was_expected() -> None:
    health = health_of()
    prior = health.view(NOW).availability[0]
    for _ in range(20):
        health.failed(0, NOW, fault(FaultKind.SERVER_ERROR))
    low = health.view(NOW).availability
    assert low[0] == pytest.approx(prior / 2, abs=0.01)
    assert low[1] == prior
    for _ in range(60):
        health.answered(0, NOW, None, None)
    assert low[0] < health.view(NOW + VIEW_SECONDS).availability[0] < prior
    later = [float(health.view(NOW + minutes * 60.0).availability[0]) for minutes in (10, 30, 100)]
    assert later == sorted(later)
    assert later[-1] == pytest.approx(prior, abs=0.001)


def test_each_target_begins_with_the_availability_that_is_expected_of_it() -> None:
    health = Health(targets_of("a/one@cloud", "a/two@cloud", retired="a/two@cloud"))
    assert health.view(NOW).availability.tolist() == pytest.approx([0.99, 0.25])


def test_a_target_that_nobody_has_asked_stays_exactly_what_was_expected() -> None:
    targets = targets_of("a/one@cloud", "a/two@cloud", "a/two@other")
    rng = random.Random(1)
    drawn = np.array([[rng.random() for _ in targets.ids] for _ in range(1_000)], np.float32)
    for availability in drawn:
        health = Health(replace(targets, prior=targets.prior._replace(availability=availability)))
        assert health.view(NOW).availability.tolist() == availability.tolist()


def test_latency_moves_from_the_expectation_to_what_answers_show() -> None:
    health = health_of()
    before = health.view(NOW)
    slow = 10.0 * before.first_token_seconds[0], 10.0 * before.seconds_per_output_token[0]
    first, pace = [], []
    for step in (1.0, 2.0, 3.0):
        for _ in range(10):
            health.answered(0, NOW + step, float(slow[0]), float(slow[1]))
        view = health.view(NOW + step)
        first.append(view.first_token_seconds[0])
        pace.append(view.seconds_per_output_token[0])
    assert before.first_token_seconds[0] < first[0] < first[1] < first[2] < slow[0]
    assert before.seconds_per_output_token[0] < pace[0] < pace[1] < pace[2] < slow[1]
    assert health.view(NOW + 3.0).first_token_seconds[1] == before.first_token_seconds[1]


def test_a_fault_says_nothing_of_latency() -> None:
    health = health_of()
    before = health.view(NOW).first_token_seconds.copy()
    health.failed(0, NOW, fault(FaultKind.HEADER_TIMEOUT))
    assert list(health.view(NOW).first_token_seconds) == list(before)


def test_views_are_shared_for_a_tenth_of_a_second_and_renewed_at_once_after_a_fault() -> None:
    health = health_of()
    view = health.view(NOW)
    health.answered(0, NOW + 0.01, 0.5, 0.01)
    assert health.view(NOW + 0.09) is view
    assert health.view(NOW + VIEW_SECONDS) is not view
    view = health.view(NOW + VIEW_SECONDS)
    health.failed(0, NOW + VIEW_SECONDS, fault(FaultKind.RATE_LIMITED))
    assert health.view(NOW + VIEW_SECONDS) is not view


def test_a_view_cannot_be_changed_by_those_who_decide_with_it() -> None:
    health = health_of()
    health.answered(0, NOW, 0.5, 0.01)
    for array in health.view(NOW):
        assert not array.flags.writeable


def learned() -> Health:
    """Health in which every kind of thing has been learned of the first target."""
    health = health_of()
    for _ in range(10):
        health.answered(0, NOW, 3.0, 0.3)
    for _ in range(5):
        health.failed(0, NOW, fault(FaultKind.SERVER_ERROR))
    health.failed(0, NOW, fault(FaultKind.RATE_LIMITED, 7.0))
    health.failed(0, NOW, fault(FaultKind.QUOTA_EXHAUSTED, 400.0))
    return health


def test_what_was_learned_moves_to_the_columns_of_the_next_snapshot() -> None:
    old, new = learned(), health_of("a/new@cloud", "a/one@cloud", "a/two@new")
    new.adopt(old, changed=())
    before, after = old.view(NOW), new.view(NOW)
    for figures_before, figures_after in zip(before[:3], after[:3], strict=True):
        assert figures_after[1] == figures_before[0]
    assert waits(new, NOW) == [400.0, 400.0, 0.0]
    assert list(after.out) == [1, 1, 0]
    assert not new.admits(1, NOW)
    assert new.view(NOW + 400.0).availability[0] == new.view(NOW + 400.0).availability[2]


def test_a_target_that_is_gone_takes_what_was_learned_with_it() -> None:
    new = health_of("a/one@other", "a/two@other", "a/three@other")
    new.adopt(learned(), changed=())
    assert list(new.view(NOW).out) == [0, 0, 0]
    assert len({*new.view(NOW).availability}) == 1


def test_a_target_that_goes_by_another_name_begins_anew() -> None:
    old = learned()
    old.failed(2, NOW, fault(FaultKind.MODEL_GONE))
    old.failed(1, NOW, fault(FaultKind.MODEL_GONE))
    new = Health(targets_of(*OFFERS, renamed="a/one@other"))
    new.adopt(old, changed=())
    assert waits(new, NOW) == [400.0, 0.0, 600.0]


@pytest.mark.parametrize("given_up", [True, False], ids=["given up", "not its fault"])
def test_a_probe_that_says_nothing_of_the_target_makes_room_for_another(given_up: bool) -> None:
    health = health_of()
    for _ in range(5):
        health.failed(0, NOW, fault(FaultKind.SERVER_ERROR))
    assert health.admits(0, NOW + 5.0)
    assert not health.admits(0, NOW + 5.1)
    if given_up:
        health.released(0)
    else:
        health.failed(0, NOW + 5.2, fault(FaultKind.INVALID_REQUEST))
    assert health.admits(0, NOW + 5.3)
    assert not health.admits(0, NOW + 5.4)


def test_a_provider_with_another_key_begins_anew() -> None:
    old, new = learned(), health_of()
    old.failed(1, NOW, fault(FaultKind.CREDENTIALS))
    new.adopt(old, changed={"cloud"})
    assert waits(new, NOW) == [0.0, 300.0, 0.0]
    assert new.admits(0, NOW)
    assert new.view(NOW).availability[0] == new.view(NOW).availability[2]


def keyed(count: int) -> Health:
    """The provider `cloud` has several keys."""
    return Health(targets_of(*OFFERS), {"cloud": count})


def test_keys_take_turns() -> None:
    health = keyed(3)
    assert [health.take_key(0, NOW) for _ in range(4)] == [0, 1, 2, 0]
    assert [health.take_key(2, NOW), health.take_key(1, NOW), health.take_key(0, NOW)] == [1, 0, 2]


def test_a_rate_limit_is_that_of_one_key_for_one_model() -> None:
    health = keyed(2)
    health.failed(0, NOW, fault(FaultKind.RATE_LIMITED, 7.0), key=0)
    assert waits(health, NOW) == [0.0, 0.0, 0.0]
    assert [health.take_key(0, NOW) for _ in range(3)] == [1, 1, 1]
    assert {health.take_key(2, NOW) for _ in range(2)} == {0, 1}
    health.failed(0, NOW, fault(FaultKind.RATE_LIMITED, 3.0), key=1)
    assert waits(health, NOW) == [3.0, 0.0, 0.0]
    assert health.take_key(0, NOW + 3.5) == 1


def test_a_refused_key_is_out_for_every_model_and_the_others_stay() -> None:
    health = keyed(2)
    health.failed(0, NOW, fault(FaultKind.CREDENTIALS), key=1)
    assert waits(health, NOW) == [0.0, 0.0, 0.0]
    assert {health.take_key(column, NOW) for column in (0, 2, 0, 2)} == {0}
    health.failed(2, NOW, fault(FaultKind.QUOTA_EXHAUSTED), key=0)
    assert waits(health, NOW) == [300.0, 0.0, 300.0]
    assert list(health.view(NOW).out) == [1, 0, 1]


def test_a_fault_of_the_model_is_that_of_all_keys() -> None:
    health = keyed(2)
    health.failed(0, NOW, fault(FaultKind.MODEL_GONE), key=1)
    assert waits(health, NOW)[0] == 600.0


def test_one_request_at_a_time_tries_a_refused_key_again() -> None:
    health = keyed(1)
    health.failed(0, NOW, fault(FaultKind.CREDENTIALS))
    later = NOW + 301.0
    assert waits(health, later) == [0.0, 0.0, 0.0]
    assert health.take_key(0, later) == 0
    assert waits(health, later) == [30.0, 0.0, 30.0]
    health.answered(0, later + 1.0, None, None)
    assert waits(health, later + 1.0) == [0.0, 0.0, 0.0]
    health.failed(2, later, fault(FaultKind.PERMISSION))
    health.take_key(2, later + 301.0)
    health.failed(2, later + 302.0, fault(FaultKind.PERMISSION))
    assert waits(health, later + 302.0) == [300.0, 0.0, 300.0]


def test_a_refused_key_is_told_of_once_until_it_works_again(caplog: pytest.LogCaptureFixture) -> None:
    health = keyed(2)
    caplog.set_level("INFO", "steelyard")
    for _ in range(3):
        health.failed(0, NOW, fault(FaultKind.CREDENTIALS), key=1)
    while health.take_key(0, NOW + 400.0) != 1:
        pass
    health.answered(0, NOW + 401.0, None, None, key=1)
    assert [record.getMessage() for record in caplog.records] == [
        "key 2 of 2 of cloud is refused (credentials); one request tries it again",
        "key 2 of 2 of cloud works again",
    ]


def test_what_is_known_of_each_key_outlives_a_reload() -> None:
    old, new = keyed(2), keyed(2)
    old.failed(0, NOW, fault(FaultKind.RATE_LIMITED, 50.0), key=0)
    old.failed(0, NOW, fault(FaultKind.CREDENTIALS), key=1)
    new.adopt(old, ())
    assert waits(new, NOW) == [50.0, 0.0, 0.0]
    assert new.take_key(2, NOW) == 0


def test_a_process_that_begins_later_is_told_what_still_holds_and_alerts_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    health = keyed(2)
    health.failed(0, NOW - 60.0, fault(FaultKind.RATE_LIMITED, 7.0), 0)
    health.failed(1, NOW, fault(FaultKind.RATE_LIMITED, 9.0), 0)
    health.failed(2, NOW, fault(FaultKind.CREDENTIALS), 1)
    caplog.clear()
    new = keyed(2)
    for notice in health.standing(NOW):
        new.heed(notice)
    assert new.standing(NOW) == health.standing(NOW)
    assert waits(new, NOW) == waits(health, NOW) == [0.0, 9.0, 0.0]
    new.failed(0, NOW, fault(FaultKind.CREDENTIALS), 1)
    assert caplog.messages == []


def test_how_slow_a_target_gets_is_known_after_fifty_answers_and_forgotten_with_them() -> None:
    health = health_of()
    for step in range(49):
        health.answered(0, NOW + step / 10, 0.5, None)
    assert health.slowest_first_token_seconds(0, NOW + 5.0) == math.inf
    health.answered(0, NOW + 5.0, 2.0, None)
    health.view(NOW + 5.2)
    assert health.slowest_first_token_seconds(0, NOW + 5.2) == pytest.approx(2.0, rel=0.06)
    assert health.slowest_first_token_seconds(1, NOW + 5.2) == math.inf
    health.view(NOW + 7_200.0)
    assert health.slowest_first_token_seconds(0, NOW + 7_200.0) == math.inf


def late(health: Health, now: float) -> float:
    health.view(now)
    return health.late_first_token_seconds(0, now)


def test_an_answer_is_late_once_nineteen_of_twenty_have_been_faster() -> None:
    health = health_of()
    for answers in range(20):
        assert late(health, NOW + answers) == math.inf
        health.answered(0, NOW + answers, 1.0, None)
    for seconds in (*[0.5] * 70, *[4.0] * 10):
        health.answered(0, NOW + 20.0, seconds, None)
    assert late(health, NOW + 21.0) == pytest.approx(4.0, rel=0.06)


def test_where_all_answers_take_about_the_same_nobody_is_late_by_a_hair() -> None:
    health = health_of()
    for _ in range(30):
        health.answered(0, NOW, 0.5, None)
    assert late(health, NOW + 1.0) == pytest.approx(1.0, rel=0.06)


def test_being_outpaced_counts_as_slow_once_it_was_late_and_as_nothing_before() -> None:
    health = health_of()
    for _ in range(30):
        health.answered(0, NOW, 0.5, None)
    before = health.view(NOW + 1.0).first_token_seconds[0]
    for _ in range(10):
        health.outpaced(0, NOW + 1.0, 0.4, health.take_key(0, NOW))
    assert health.view(NOW + 2.0).first_token_seconds[0] == pytest.approx(before, rel=1e-3)
    for _ in range(10):
        health.outpaced(0, NOW + 2.0, 5.0, health.take_key(0, NOW))
    assert health.view(NOW + 3.0).first_token_seconds[0] > 2.0 * before
    assert health.view(NOW + 3.0).out[0] == 0


def test_what_is_late_stays_what_it_was_when_the_late_ones_are_cut_off() -> None:
    chance = random.Random(4)
    plain, hedged = health_of(), health_of()
    for step in range(4_000):
        now, seconds = NOW + step / 10.0, chance.lognormvariate(0.0, 0.6)
        hedged.view(now)
        given_up_after = hedged.late_first_token_seconds(0, now) + 0.1
        plain.answered(0, now, seconds, None)
        if seconds > given_up_after:
            hedged.outpaced(0, now, given_up_after, hedged.take_key(0, now))
        else:
            hedged.answered(0, now, seconds, None, hedged.take_key(0, now))
    end = NOW + 401.0
    assert late(hedged, end) == pytest.approx(late(plain, end), rel=0.11)


def test_a_day_of_cooldowns_is_kept_to_the_second_without_waiting_for_any() -> None:
    """Three targets fail and recover for 24 hours of an injected clock; nobody is asked a moment too early."""
    dice = random.Random(11)
    health, now, asked, kept = health_of(), NOW, 0, 0
    due = [0.0, 0.0, 0.0]
    while now < NOW + 86_400.0:
        now += dice.choice((1.0, 7.0, 59.0))
        column = dice.randrange(3)
        cooldown = health.cooldown(column, now)
        assert (cooldown is not None) == (now < due[column])
        assert health.view(now + VIEW_SECONDS).out[column] == (now + VIEW_SECONDS < due[column])
        kept += cooldown is not None
        if cooldown is None:
            asked += 1
            wait = dice.choice((2.0, 30.0, 600.0))
            health.failed(column, now, fault(FaultKind.RATE_LIMITED, wait))
            due[column] = now + wait
    assert asked > 300
    assert kept > 1_000
    assert waits(health, NOW + 2 * 86_400.0) == [0.0, 0.0, 0.0]


def test_prompts_of_different_size_have_views_of_their_own() -> None:
    health = health_of()
    for _ in range(30):
        health.answered(0, NOW, 0.2, 0.01, input_tokens=200.0)
        health.answered(0, NOW, 20.0, 0.05, input_tokens=50_000.0)
    short, long = health.view(NOW, 200.0), health.view(NOW + 0.05, 50_000.0)
    assert short.first_token_seconds[0] < 0.5 < 10.0 < long.first_token_seconds[0]
    assert short.seconds_per_output_token[0] < long.seconds_per_output_token[0]
    assert short.availability is long.availability
    assert health.view(NOW + 0.09, 900.0) is short
    assert health.view(NOW + VIEW_SECONDS, 200.0) is not short


def test_what_is_late_is_late_for_prompts_of_that_size() -> None:
    health = health_of()
    for _ in range(60):
        health.answered(0, NOW, 0.2, 0.01, input_tokens=200.0)
        health.answered(0, NOW, 20.0, 0.05, input_tokens=50_000.0)
    assert health.late_first_token_seconds(0, NOW, 200.0) == pytest.approx(0.4, rel=0.06)
    assert health.late_first_token_seconds(0, NOW, 50_000.0) == pytest.approx(40.0, rel=0.06)
    assert health.slowest_first_token_seconds(0, NOW, 50_000.0) == pytest.approx(20.0, rel=0.06)
