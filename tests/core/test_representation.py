"""The compiled representation and its correction are the plain ones', to the last bit; a correction of 0 moves none."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import _representation_cy, _representation_np
from core._grams_np import Reader
from core.features import extract
from core.grams import BUCKETS, COLUMNS
from core.predictor import TASKS, Prediction, Shape, predict
from core.representation import CONSTANT, MOST_MOVED, MOST_WEIGHT, SIZE, STEP, SUMS
from core.tasks import TEXT_TASKS
from core.wording import MODEL, Correction

TABLE = Reader(np.random.default_rng(1).integers(-127, 128, (2 * BUCKETS, COLUMNS), np.int8))
FACTORS = tuple(np.random.default_rng(2).uniform(0.001, 0.03, SUMS).tolist())
TWINS = (_representation_cy, _representation_np)
PLAIN, NOTHING = Shape(), np.zeros((SIZE, SUMS), np.int32)


def representations(text: str, familiar: float = 0.5) -> list[bytes]:
    focus = json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")
    sums, features = TABLE.read(b"", focus), extract([focus], 0)
    return [twin.Representer(1, FACTORS).write(sums, familiar, features) for twin in TWINS]


@given(st.text(max_size=400), st.floats(0, 1))
def test_both_write_the_same_of_any_text(text: str, familiar: float) -> None:
    compiled, plain = representations(text, familiar)
    assert compiled == plain
    assert (len(plain), plain[0]) == (SIZE, 1)


@given(
    st.integers(0, 2**32 - 1), st.binary(min_size=SIZE, max_size=SIZE), st.sampled_from([1, 100, 20_000, MOST_WEIGHT])
)
def test_both_move_the_same_odds_alike_and_never_too_far(seed: int, representation: bytes, most: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(-most, most + 1, (SIZE, SUMS)).astype(np.int32)
    odds = rng.exponential(1.0, SUMS).tolist()
    compiled, plain = (twin.Correction(weights).moved(odds, representation) for twin in TWINS)
    assert compiled == plain
    assert np.abs(np.log(np.array(plain) / odds)).max() <= MOST_MOVED + 1e-9


@pytest.mark.parametrize("twin", TWINS)
def test_what_does_not_fit_is_refused(twin: type[_representation_np.Correction]) -> None:
    for wrong in (np.zeros((3, SUMS), np.int32), NOTHING.astype(np.int64), NOTHING + np.int32(MOST_WEIGHT + 1)):
        with pytest.raises(ValueError, match="must be int32"):
            twin.Correction(wrong)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="40 bytes and 10 odds"):
        twin.Correction(NOTHING).moved([1.0] * SUMS, b"short")  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="10 factors"):
        twin.Representer(1, FACTORS[1:])  # type: ignore[attr-defined]


def predicted(text: str, correction: Correction | None, shape: Shape = PLAIN) -> Prediction:
    focus = json.dumps(text).encode()
    return predict(extract([focus], 0), shape, b"", focus, correction)


def test_a_correction_of_nothing_changes_nothing_but_what_is_told() -> None:
    text = "Write a poem about a function that sorts a list"
    without, with_it = predicted(text, None), predicted(text, Correction(NOTHING))
    assert without.wording is None
    assert with_it.wording is not None
    assert with_it.wording.representation[0] == MODEL.version
    assert with_it._replace(wording=None) == without


def test_a_correction_makes_a_task_likelier_and_leaves_structure_alone() -> None:
    weights = NOTHING.copy()
    weights[0, :] = round(-3.0 / STEP / CONSTANT)
    weights[0, TEXT_TASKS.index("translation")] = round(6.0 / STEP / CONSTANT)  # log odds, whatever the prompt
    text = "tell me about your garden, then"
    before, after = predicted(text, None), predicted(text, Correction(weights))
    assert (TASKS[before.task], TASKS[after.task]) == ("knowledge", "translation")
    told = predicted(text, Correction(weights), Shape(last_role="tool"))
    assert (TASKS[told.task], told.wording) == ("agent_step", None)
