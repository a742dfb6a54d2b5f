"""Offsets from outcomes: the truth is found again, little evidence moves little, and strictness is nobody's fault."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.learned import ANY_TASK
from gateway.learning.fit import Outcome, fit, losses

MODELS = {"acme/good": 0.8, "acme/plain": 0.0, "acme/poor": -0.8}  # log odds beyond what is expected
TASKS = ("chat", "reasoning")


def outcomes(count: int, seed: int = 1, strictness: float = 0.0, source: str = "caller:a") -> list[Outcome]:
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        model = list(MODELS)[rng.integers(len(MODELS))]
        share = 1 / (1 + np.exp(-(np.log(0.7 / 0.3) + MODELS[model] + strictness)))
        task = TASKS[rng.integers(len(TASKS))]
        made.append(Outcome(float(number), model, task, source, float(rng.random() < share), 0.7))
    return made


def offset(found: dict[str, dict[str, float]], model: str, task: str = "chat") -> float:
    own = found.get(model, {})
    return own.get(ANY_TASK, 0.0) + own.get(task, 0.0)


@pytest.mark.parametrize("strictness", [-2.0, 0.0, 1.0])
def test_what_models_are_better_by_is_found_whoever_judges_however_strictly(strictness: float) -> None:
    found = fit(outcomes(6_000, strictness=strictness)).offsets
    spans = [offset(found, "acme/good") - offset(found, other) for other in ("acme/plain", "acme/poor")]
    assert spans == pytest.approx([0.8, 1.6], abs=0.3)


def test_two_sources_of_different_strictness_agree_about_the_models() -> None:
    mixed = outcomes(3_000, 1, -1.5, "caller:a") + outcomes(3_000, 2, 1.0, "judge:")
    found = fit(mixed)
    assert found.sources["judge:"] - found.sources["caller:a"] == pytest.approx(2.5, abs=0.4)
    assert offset(found.offsets, "acme/good") - offset(found.offsets, "acme/poor") == pytest.approx(1.6, abs=0.3)


def test_little_evidence_moves_little_and_more_moves_more() -> None:
    moves = [
        offset(fit([Outcome(0.0, "acme/good", "chat", "a", 1.0, 0.5)] * count + BOTH).offsets, "acme/good")
        for count in (1, 4, 40)
    ]
    assert 0 < moves[0] < 0.2
    assert moves[0] < moves[1] < moves[2]


BOTH = [Outcome(0.0, "acme/plain", "chat", "a", score, 0.5) for score in (0.0, 1.0)] * 20


def test_a_model_that_is_bad_at_one_task_only_is_worse_there() -> None:
    bad_at_it = [Outcome(0.0, "acme/good", "reasoning", "a", 0.0, 0.7)] * 30
    fine = [Outcome(0.0, "acme/good", "chat", "a", score, 0.7) for score in (1.0, 1.0, 0.4)] * 10
    found = fit(bad_at_it + fine + BOTH).offsets
    assert offset(found, "acme/good", "reasoning") < offset(found, "acme/good", "chat") - 0.3


LEVELS = {"easy": 2.0, "hard": -2.0}  # log odds by which the requests of a pair are easier than expected
PAIRS = (("acme/good", "acme/plain", "easy"), ("acme/poor", "acme/last", "hard"))


def compared(count: int, better: float, scale: float = 1.0, expected: float = 0.6) -> list[Outcome]:
    """Two pairs of models that never meet. In each the first is `better` in log odds than the second."""
    made = []
    for number in range(count):
        first, second, level = PAIRS[number % 2]
        base = np.log(expected / (1 - expected)) + LEVELS[level]
        share, other = (1 / (1 + np.exp(-(base + shift))) for shift in (better, 0.0))
        score = (1 + scale * (share - other)) / 2
        made.append(Outcome(float(number), first, "chat", "judge:x", score, expected, 1.0, second, expected))
    return made


def test_of_two_answers_to_one_request_it_does_not_matter_how_hard_the_request_was() -> None:
    level = fit(compared(400, 0.0)).offsets
    assert {model: offset(level, model) for model in level} == pytest.approx(dict.fromkeys(level, 0.0), abs=1e-6)
    found = fit(compared(400, 1.0)).offsets
    for first, second, _ in PAIRS:
        assert offset(found, first) - offset(found, second) > 0.1
        assert offset(found, first) + offset(found, second) == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_a_judge_who_puts_everything_close_together_makes_nothing_equal(scale: float) -> None:
    expected = np.linspace(0.3, 0.9, 7)
    made = [
        Outcome(0.0, f"m/{a}", "chat", "judge:x", (1 + scale * (one - other)) / 2, one, 1.0, f"m/{b}", other)
        for a, one in enumerate(expected)
        for b, other in enumerate(expected)
        if a != b
    ] * 20
    found = fit(made)
    assert found.scales["judge:x"] == pytest.approx(scale, abs=0.05)
    assert max(abs(offset(found.offsets, f"m/{number}")) for number in range(7)) < 0.1
    assert losses(made, found).sum() <= losses(made, fit([])).sum() + 1e-6


def test_comparisons_and_judgements_teach_together() -> None:
    pairs = [Outcome(0.0, "acme/good", "chat", "judge:x", 1.0, 0.6, 1.0, "acme/plain", 0.6)] * 50
    both = fit(pairs + outcomes(500))
    alone = fit(outcomes(500))
    assert offset(both.offsets, "acme/good") > offset(alone.offsets, "acme/good")
    assert set(both.sources) == {"judge:x", "caller:a"}


def test_no_outcomes_teach_nothing() -> None:
    assert fit([]).offsets == {}
    assert losses([], fit([])).size == 0


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.floats(0.01, 0.99))
def test_the_fit_is_no_worse_than_nothing_on_what_it_was_made_from(seed: int, count: int, expected: float) -> None:
    rng = np.random.default_rng(seed)
    made = [
        Outcome(0.0, f"m/{rng.integers(5)}", TASKS[rng.integers(2)], "a", float(rng.random()), expected)
        for _ in range(count)
    ]
    assert losses(made, fit(made)).sum() <= losses(made, fit(made, {})).sum() + 1e-6


def test_the_order_of_outcomes_does_not_matter() -> None:
    made = outcomes(300)
    forth, back = fit(made).offsets, fit(made[::-1]).offsets
    for model in MODELS:
        assert offset(forth, model) == pytest.approx(offset(back, model), abs=1e-3)
