"""What is learned is taken into use only when it is better on days that it was not made from."""

from datetime import UTC, datetime

import numpy as np
import pytest

from core.predictor import TASKS
from gateway.accounting.feedback import Answered
from gateway.catalog.learned import LearnedWeights, moved, with_learned
from gateway.learning.held_out import LEAST
from gateway.learning.learn import Lesson, learn
from gateway.learning.signals import scores
from tests.learning.test_fit import outcomes
from tests.routing.market import COLUMN, TARGETS

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY = 86_400.0


def over_days(count: int, days: int = 8, seed: int = 1, shift: float = 0.0) -> Lesson:
    made = outcomes(count, seed)
    spread = [
        type(one)(day * DAY / count * days, one.model, one.task, one.source, one.score, one.expected + shift)
        for day, one in enumerate(made)
    ]
    return learn(spread, None, NOW)


def test_a_real_difference_is_better_beyond_the_error_bar() -> None:
    lesson = over_days(4_000)
    assert lesson.is_better
    assert lesson.weights is not None
    assert (lesson.weights.name, lesson.weights.based_on, lesson.weights.outcomes) == ("20261123-000000", "", 4_000)
    assert lesson.gain is not None
    assert 0 < lesson.gain.low <= lesson.gain.gain <= lesson.gain.high
    assert lesson.held_out >= 1_000


def test_noise_is_not_better_whatever_the_seed() -> None:
    """Every outcome is a coin toss of the expected odds; at 95 % one run in forty may think otherwise."""
    better = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        made = [
            type(one)(number * 100.0, f"m/{rng.integers(6)}", one.task, "a", float(rng.random() < 0.7), 0.7)
            for number, one in enumerate(outcomes(600, seed))
        ]
        better += learn(made, None, NOW).is_better
    assert better <= 1


def test_what_is_in_use_already_is_not_learned_again() -> None:
    first = over_days(4_000)
    made = outcomes(4_000)
    spread = [
        type(one)(day * DAY / 500, one.model, one.task, one.source, one.score, one.expected)
        for day, one in enumerate(made)
    ]
    again = learn(spread, first.weights, NOW)
    assert not again.is_better
    assert again.weights is not None
    assert again.weights.based_on == "20261123-000000"


@pytest.mark.parametrize("count", [0, 1, LEAST - 1])
def test_too_few_outcomes_teach_nothing_and_say_how_many_it_takes(count: int) -> None:
    lesson = over_days(count)
    assert (lesson.weights, lesson.is_better) == (None, False)
    assert str(LEAST) in lesson.verdict


def test_the_same_outcomes_teach_the_same() -> None:
    assert over_days(500) == over_days(500)


WEIGHTS = LearnedWeights(
    name="one",
    made="2026-11-23T00:00:00Z",
    based_on="",
    since="2026-11-01",
    until="2026-11-22",
    outcomes=200,
    gain=0.1,
    gain_low=0.05,
    gain_high=0.15,
    offsets={"acme/small": {"": -0.5, "chat": -0.5}, "gone/model": {"": 1.0}},
)


def test_learned_weights_move_the_quality_of_their_models_at_their_tasks_only() -> None:
    targets = with_learned(TARGETS, WEIGHTS)
    assert targets.learned is not None
    small, chat = COLUMN["acme/small@acme"], TASKS.index("chat")
    at_chat, elsewhere = targets.matrix.quality[chat, small], targets.matrix.quality[0, small]
    before = TARGETS.matrix.quality[chat, small]
    assert np.log(at_chat / (1 - at_chat)) == pytest.approx(np.log(before / (1 - before)) - 1.0, abs=1e-5)
    assert at_chat < elsewhere < before
    assert targets.learned[chat, small] == pytest.approx(at_chat - before)
    others = np.arange(len(TARGETS.ids)) != small
    assert (targets.matrix.quality[:, others] == TARGETS.matrix.quality[:, others]).all()


def test_a_share_stays_one_however_far_it_is_moved() -> None:
    share = np.array([0.0, 0.001, 0.5, 0.999, 1.0], np.float32)
    for offset in (-1e9, -1.0, 0.0, 1.0, 1e9):
        found = moved(share, np.full(5, offset, np.float32))
        assert ((found >= 0) & (found <= 1)).all()
        assert (found[0], found[4]) == (0.0, 1.0)
        assert (np.diff(found) >= 0).all()
    assert moved(share, np.zeros(5, np.float32)) == pytest.approx(share)


def answered(
    time: float, tokens: int, session: str = "s", finish: str = "stop", key: str = "", malformed_call: bool = False
) -> Answered:
    return Answered(time, "acme/small", "chat", key, session, finish, tokens, malformed_call)


@pytest.mark.parametrize(("finish", "score"), [("tool_calls", 0.0), ("length", 0.3), ("refusal", 0.0)])
def test_a_call_that_nobody_can_carry_out_was_of_no_use_unless_it_was_cut_short(finish: str, score: float) -> None:
    assert scores([answered(0, 100, finish=finish, malformed_call=True)])[0][1] == score


def test_a_turn_that_is_asked_again_was_of_no_use() -> None:
    turns = [answered(0, 100), answered(60, 100), answered(90, 180)]
    assert [score for _, score in scores(turns[::-1])] == [0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "second",
    [
        answered(60, 180),
        answered(60, 100, session="other"),
        answered(60, 100, key="another"),
        answered(1_000, 100),
    ],
    ids=["goes on", "another session", "another key", "much later"],
)
def test_what_is_not_the_same_turn_soon_after_says_nothing(second: Answered) -> None:
    assert scores([answered(0, 100), second])[0][1] == 1.0


def test_without_a_named_session_nobody_knows_whose_turn_it_was() -> None:
    assert [score for _, score in scores([answered(0, 100, session=""), answered(1, 100, session="")])] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("finish", "score"),
    [("stop", 1.0), ("tool_calls", 1.0), ("length", 0.3), ("MAX_TOKENS", 0.3), ("refusal", 0.0), ("SAFETY", 0.0)],
)
def test_an_answer_that_was_cut_short_or_refused_is_worth_less(finish: str, score: float) -> None:
    assert scores([answered(0, 100, finish=finish)])[0][1] == score
