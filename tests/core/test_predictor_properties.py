"""Whatever the prompt, a prediction stays within its units."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.features import extract
from core.predictor import TASKS, Shape, predict


@given(
    st.text(max_size=400),
    st.integers(0, 3),
    st.sampled_from(["user", "tool", "assistant", "system"]),
    st.integers(1, 10_000),
    st.booleans(),
    st.none() | st.integers(1, 10_000),
)
def test_predictions_stay_in_range(
    text: str, tools: int, role: str, messages: int, structured: bool, limit: int | None
) -> None:
    focus = json.dumps(text).encode()
    shape = Shape(tools, role, messages, 0, structured, limit)
    found = predict(extract([focus]), shape, b"", focus)
    assert found.task in range(len(TASKS))
    assert 0 <= found.confidence <= 1
    assert 0 <= found.difficulty <= 1
    assert 0 < found.output_tokens <= (limit or found.output_tokens)
    assert sum([chance for _, chance in found.shares]) == pytest.approx(1)
    assert 0 < found.odds < 100
