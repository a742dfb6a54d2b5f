"""Tasks are told by structure first, then by words."""

import json

import pytest

from core.features import extract
from core.predictor import TASKS, TRAITS, Prediction, Shape, predict
from core.steps import Step

FENCED = "Fix this bug:\n```python\ndef half(x):\n    retrun x / 2\n```"


PLAIN = Shape()


def predicted(text: str, shape: Shape = PLAIN, opening: str = "") -> Prediction:
    focus = json.dumps(text, ensure_ascii=False).encode()
    begun = json.dumps(opening).encode() if opening else b""
    return predict(extract([focus]), shape, begun, focus)


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
        ("hello there, how are you doing?", "chat"),
        ("Übersetze bitte diesen Brief ins Englische: Sehr geehrte Damen und Herren", "translation"),
        ("用Python写一个快速排序函数", "code_generation"),
        ("Escribe un poema sobre el mar", "writing"),
        ("why does my code throw a NullPointerException when I call list.add()?", "code_editing"),
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
    assert predicted("xqzt wvvk pfffg").confidence < 0.2


def test_confidence_falls_far_from_what_was_seen() -> None:
    assert (
        predicted("Write a poem about autumn").confidence
        > 2 * predicted("Zorble the frimpy quangs, snarkly").confidence
    )


def test_chances_of_the_tasks_add_up_to_one_and_the_likeliest_comes_first() -> None:
    found = predicted("Can you look at this for me and tell me what you think")
    chances = [chance for _, chance in found.shares]
    assert sum(chances) == pytest.approx(1)
    assert chances == sorted(chances, reverse=True)
    assert found.task == found.shares[0][0]


@pytest.mark.parametrize(
    ("text", "opening", "shape", "expected"),
    [
        ("Fix the bug", "You are a coding agent.", Shape(tool_count=9, message_count=2), Step.FIRST_TURN),
        ("Done", "", Shape(tool_count=9, last_role="tool", message_count=4), Step.TOOL_LOOP),
        ("Read HEARTBEAT.md if it exists.", "", Shape(tool_count=9, message_count=2), Step.HEARTBEAT),
        ("Create a detailed summary of the conversation so far", "", Shape(message_count=30), Step.COMPACTION),
        ("Find it", "# Subagent Context\nYou are a helper", Shape(tool_count=4, message_count=2), Step.SUB_AGENT),
        ("Summarize the conversation between Romeo and Juliet", "", PLAIN, Step.PLAIN),
    ],
)
def test_the_step_of_an_agents_work_is_told(text: str, opening: str, shape: Shape, expected: Step) -> None:
    assert predicted(text, shape, opening).step is expected


def test_a_heartbeat_is_an_easy_step_and_a_compaction_a_summary() -> None:
    agent = Shape(tool_count=9, message_count=20)
    work, heartbeat = predicted("Fix the bug", agent), predicted("Read HEARTBEAT.md if it exists", agent)
    assert (TASKS[heartbeat.task], heartbeat.odds > work.odds) == ("agent_step", True)
    assert TASKS[predicted("Summarize the conversation", agent).task] == "summarisation"


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
