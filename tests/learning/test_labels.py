"""A correction of tasks is taken into use only when it is better on later days, whatever one key says."""

from datetime import UTC, datetime

import numpy as np
import pytest
from msgspec.structs import replace

from core.representation import SIZE
from core.tasks import TEXT_TASKS
from core.wording import MODEL
from gateway.catalog.learned import LearnedWeights, TaskWeights, correction_of
from gateway.errors import SettingsError
from gateway.learning.held_out import LEAST
from gateway.learning.labels import Label, arrays, learn_tasks
from gateway.learning.learn import learn
from tests.learning.test_fit import outcomes

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CHAT, WRITING = TEXT_TASKS.index("chat"), TEXT_TASKS.index("writing")
DAY = 86_400.0


def labels(count: int, source: str = "caller:a", seed: int = 1, is_right: bool = True) -> list[Label]:
    """Over ten days: the wording says chat or writing, and what it takes for chat is a translation here."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        is_chat = rng.random() < 0.5
        written = rng.integers(-4, 5, SIZE).astype(np.int8)
        written[0] = MODEL.version
        written[1 + (CHAT if is_chat else WRITING)] = 40
        task = ("translation" if is_chat else "writing") if is_right else ("chat" if is_chat else "writing")
        made.append(Label(number * 10 * DAY / count, source, task, written.tobytes()))
    return made


def test_labels_that_contradict_the_wording_are_learned_and_better_beyond_the_error_bar() -> None:
    lesson = learn_tasks(labels(200), None)
    assert lesson.is_better
    assert (lesson.right_before or 0) < 0.7 < 0.9 < (lesson.right_after or 0)
    assert lesson.weights is not None
    again = learn_tasks(labels(200), lesson.weights)
    assert not again.is_better


def test_labels_that_agree_with_the_wording_bring_nothing_worth_a_change() -> None:
    sure = [replace(one, task=one.task) for one in labels(300, is_right=False)]
    assert (learn_tasks(sure, None).right_before or 0) > 0.99


@pytest.mark.parametrize("count", [0, 1, LEAST - 1])
def test_too_few_labels_teach_nothing_and_say_how_many_it_takes(count: int) -> None:
    lesson = learn_tasks(labels(count), None)
    assert (lesson.weights, lesson.is_better) == (None, False)
    assert f"{LEAST}" in lesson.verdict


def test_no_key_weighs_more_than_all_others_together() -> None:
    many, few = labels(900, "caller:flood"), labels(60, "caller:a") + labels(40, "caller:b")
    read = arrays(many + few, ["caller:flood", "caller:a", "caller:b"])
    assert read.weights[:900].sum() == pytest.approx(100)
    assert (read.weights[900:] == 1).all()
    assert (arrays(many, ["caller:flood"]).weights == 1).all()


def test_a_key_that_floods_with_false_labels_is_named_and_does_not_win() -> None:
    honest = labels(100, "caller:a") + labels(100, "caller:b", seed=2)
    flood = [replace(one, task="extraction") for one in labels(250, "caller:flood", seed=3)]
    lesson = learn_tasks(honest + flood, None)
    noise = {name: source.noise for name, source in lesson.by_source.items()}
    assert max(noise["caller:a"], noise["caller:b"]) < 0.4 < 0.7 < noise["caller:flood"]
    assert lesson.weights is not None
    moved = correction_of(LearnedWeights(tasks=lesson.weights)).moved([1.0] * 10, labels(1)[0].representation)
    assert TEXT_TASKS[int(np.argmax(moved))] != "extraction"


def test_what_is_better_is_taken_and_the_rest_stays_as_it_is_in_use() -> None:
    in_use = LearnedWeights(name="before", offsets={"acme/good": {"": 0.1}}, outcomes=7)
    lesson = learn(outcomes(20), in_use, NOW, labels(200))
    assert lesson.is_better
    assert not lesson.is_better_of_models
    assert lesson.weights is not None
    assert (lesson.weights.offsets, lesson.weights.outcomes, lesson.weights.based_on) == (in_use.offsets, 7, "before")
    assert lesson.weights.tasks == lesson.tasks.weights


def test_models_can_be_better_while_the_tasks_in_use_stay() -> None:
    tasks = TaskWeights(MODEL.version, 200, 0.1, 0.05, 0.15, [[0] * 10] * SIZE)
    spread = [replace(one, time=one.time / 4_000 * 8 * DAY) for one in outcomes(4_000)]
    lesson = learn(spread, LearnedWeights(name="before", tasks=tasks), NOW)
    assert lesson.is_better_of_models
    assert lesson.weights is not None
    assert lesson.weights.tasks == tasks


def test_a_correction_for_another_wording_model_moves_nothing_and_a_broken_one_is_refused() -> None:
    row = [4_000] * 5 + [0] * 5
    tasks = TaskWeights(MODEL.version, 200, 0.1, 0.05, 0.15, [row] * SIZE)
    representation, odds = labels(1)[0].representation, [1.0] * 10
    assert correction_of(LearnedWeights(tasks=tasks)).moved(odds, representation) != odds
    other = replace(tasks, wording=MODEL.version + 1)
    assert correction_of(LearnedWeights(tasks=other)).moved(odds, representation) == odds
    for broken in ([row], [row[1:]] * SIZE, [[2**40] * 10] * SIZE):
        with pytest.raises(SettingsError, match="take others: steelyard weights use"):
            correction_of(LearnedWeights(tasks=replace(tasks, weights=broken)))
