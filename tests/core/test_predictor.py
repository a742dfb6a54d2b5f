"""Tasks are told by structure first, then by words."""

import json

import pytest
from msgspec import Struct

from core.features import extract
from core.predictor import TASKS, TRAITS, Prediction, predict

FENCED = "Fix this bug:\n```python\ndef half(x):\n    retrun x / 2\n```"


class Shape(Struct, frozen=True):
    """The structure around a text."""

    tool_count: int = 0
    last_role: str = "user"
    message_count: int = 1
    image_count: int = 0
    structured_output: bool = False
    max_output_tokens: int | None = None


PLAIN = Shape()


def predicted(text: str, shape: Shape = PLAIN) -> Prediction:
    return predict(
        extract([json.dumps(text).encode()]),
        tool_count=shape.tool_count,
        last_role=shape.last_role,
        message_count=shape.message_count,
        image_count=shape.image_count,
        structured_output=shape.structured_output,
        max_output_tokens=shape.max_output_tokens,
    )


def task(text: str, shape: Shape = PLAIN) -> str:
    return TASKS[predicted(text, shape).task]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write a Python function that reverses a string", "code_generation"),
        (FENCED, "code_editing"),
        ("What is 17 * 23?", "mathematics"),
        ("Solve x^2 + 3x - 4 = 0", "mathematics"),
        ("Who won the world cup in 1998?", "knowledge"),
        ("Translate 'good morning' into French", "translation"),
        ("Summarize the following article for a manager: the council met on Monday.", "summarisation"),
        ("Write a poem about autumn", "writing"),
        ("Extract all names and classify each by sentiment", "extraction"),
        ("hi there", "chat"),
        ("", "chat"),
    ],
)
def test_words_tell_the_task(text: str, expected: str) -> None:
    assert task(text) == expected


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Shape(last_role="tool", image_count=1, tool_count=3), "agent_step"),
        (Shape(image_count=2, structured_output=True), "vision"),
        (Shape(structured_output=True, tool_count=1), "extraction"),
        (Shape(tool_count=1), "agent_step"),
    ],
)
def test_structure_goes_before_words(shape: Shape, expected: str) -> None:
    assert task("Write a poem about autumn", shape) == expected


def test_a_very_long_prompt_is_reading() -> None:
    assert task("Translate this. " + "some words of a book " * 20_000) == "long_context"


def test_structure_is_surer_than_words() -> None:
    assert predicted("hi", Shape(last_role="tool")).confidence > 0.9
    assert predicted("Write a poem about autumn").confidence <= 0.6


def test_longer_asks_with_formulas_in_longer_talks_are_harder() -> None:
    easy = predicted("What is 2 + 2?")
    hard = predicted("What is 2 + 2? " + "Mind that x^2 = y * z. " * 60, Shape(message_count=30))
    assert 0 <= easy.difficulty < hard.difficulty <= 1


def test_the_answer_is_never_expected_to_pass_the_limit_that_the_caller_set() -> None:
    assert predicted("Write a long story", Shape(max_output_tokens=5)).output_tokens == 5
    assert predicted("Write a long story").output_tokens > 300


def test_a_translation_is_as_long_as_its_source() -> None:
    short, long = "Translate: good morning", "Translate: " + "good morning to you all " * 200
    assert predicted(long).output_tokens > 5 * predicted(short).output_tokens


def test_every_task_has_traits() -> None:
    assert len(TRAITS) == len(TASKS)
    assert all(0 < traits.difficulty < 1 and traits.output_tokens > 0 for traits in TRAITS)
