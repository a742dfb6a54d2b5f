"""A prompt becomes the figures that targets are weighed by."""

import json

from gateway.routing.describe import describe
from gateway.wire.ability import Ability
from tests.routing.market import prompt


def test_the_callers_numbers_are_taken_as_they_are() -> None:
    figures = describe(prompt(max_output_tokens=77, image_count=2, needs=Ability.IMAGES, stream=True)).figures
    assert (figures.max_output_tokens, figures.images, figures.needs, figures.stream) == (77, 2, Ability.IMAGES, True)
    assert figures.output_tokens <= 77


def test_a_limit_that_was_not_stated_is_zero() -> None:
    assert describe(prompt()).figures.max_output_tokens == 0


def test_the_task_has_the_same_row_as_the_catalog() -> None:
    profile = describe(prompt(b'"Translate good morning into French"'))
    assert profile.task == "translation"
    assert profile.figures.task == profile.prediction.task


def test_a_json_schema_makes_it_extraction() -> None:
    assert describe(prompt(needs=Ability.JSON_SCHEMA)).task == "extraction"


def test_the_last_message_is_looked_at_even_when_tool_schemas_follow_it() -> None:
    schema = json.dumps({"function": {"name": "f", "description": "Summarise a text"}}).encode()
    texts = (b'"You are a poet."', b'"Translate this sentence"', schema)
    assert describe(prompt(texts=texts)).task == "translation"


def test_longer_prompts_have_more_input_tokens() -> None:
    short = describe(prompt(b'"one two three"')).figures.input_tokens
    long = describe(prompt(b'"' + b"one two three " * 100 + b'"')).figures.input_tokens
    assert long > 50 * short / 2


def test_a_prompt_without_any_text_can_be_described() -> None:
    assert describe(prompt(texts=())).figures.input_tokens == 0
