"""Whatever the prompt, a prediction stays within its units."""

import json

from hypothesis import given
from hypothesis import strategies as st

from core.features import extract
from core.predictor import TASKS, predict


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
    found = predict(
        extract([json.dumps(text).encode()]),
        tool_count=tools,
        last_role=role,
        message_count=messages,
        image_count=0,
        structured_output=structured,
        max_output_tokens=limit,
    )
    assert found.task in range(len(TASKS))
    assert 0 <= found.confidence <= 1
    assert 0 <= found.difficulty <= 1
    assert 0 < found.output_tokens <= (limit or found.output_tokens)
