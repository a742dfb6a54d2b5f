"""What the features of a prompt say about it, over both twins."""

import base64
import json
from pathlib import Path
from types import ModuleType

import pytest

from core import _features_cy, _features_np, features
from core.text import Cue, Features

CHINESE = "请把下面的句子翻译成英文:今天天气很好。"
PYTHON = """\
def area(radius):
    return 3.14159 * radius ** 2

print(area(2));
rows = [row for row in table if row["id"] > 3]"""
PICTURE = "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 400).decode()


@pytest.fixture(params=[_features_np, _features_cy], ids=["python", "cython"])
def twin(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


def of(twin: ModuleType, *contents: object, focus: int = -1, ascii_only: bool = False) -> Features:
    found: Features = twin.extract([json.dumps(c, ensure_ascii=ascii_only).encode() for c in contents], focus)
    return found


# Counts by OpenAI's o200k_base; the estimate is held to the error that core.text states.
@pytest.mark.parametrize(
    ("text", "tokens", "tolerance"),
    [
        ("The quick brown fox jumps over the lazy dog, while the cat watches from the garden wall.", 19, 0.18),
        (PYTHON, 39, 0.25),
        ("¿Puedes decirme cómo llegar a la estación de tren más cercana, por favor?", 18, 0.25),
        (CHINESE, 16, 0.25),
        ("1234567 + 89 = ?", 8, 0.25),
    ],
)
def test_the_token_estimate_is_near_a_real_tokenizer(
    twin: ModuleType, text: str, tokens: int, tolerance: float
) -> None:
    framing = of(twin, "").tokens
    assert of(twin, text).tokens - framing == pytest.approx(tokens, rel=tolerance)


@pytest.mark.parametrize("text", ["Général, où est-ce ?", CHINESE, "naïve 🚀 ≤ 3 “quoted” Привет", PYTHON])
def test_escaped_text_means_the_same_as_plain_text(twin: ModuleType, text: str) -> None:
    plain, escaped = of(twin, text), of(twin, text, ascii_only=True)
    assert escaped._replace(text_bytes=plain.text_bytes) == plain


OWN_PAGES = sorted((Path(__file__).parents[2] / "docs").glob("*.md"))


@pytest.mark.parametrize("length", [50_000, 400_000])
def test_a_long_text_has_about_as_many_tokens_as_its_parts(length: int) -> None:
    pages = "".join(page.read_text() for page in OWN_PAGES)
    text = (pages * (1 + length // len(pages)))[:length]
    framing = of(_features_cy, "").tokens
    parts = [text[start : start + 4_000] for start in range(0, length, 4_000)]
    whole = sum(of(_features_cy, part).tokens - framing for part in parts)
    assert of(_features_cy, text).tokens == pytest.approx(whole, rel=0.06)
    assert of(_features_cy, *parts, "Go on").tokens - len(parts) * framing == pytest.approx(whole, rel=0.06)
    in_parts = of(_features_cy, [{"type": "text", "text": part} for part in parts])
    assert in_parts.focus_characters == pytest.approx(length, rel=0.06)


def test_what_a_long_text_asks_for_at_either_end_is_heard(twin: ModuleType) -> None:
    material = "The harbour was quiet. " * 4_000
    cues = of(twin, "Please translate this.\n" + material + "\nNow summarize it.").cues
    assert (cues[Cue.TRANSLATION], cues[Cue.SUMMARY]) == (1, 1)


def test_base64_pictures_and_sounds_are_not_text(twin: ModuleType) -> None:
    question = {"type": "text", "text": "What is in this picture?"}
    seen = of(twin, [question, {"type": "image_url", "image_url": {"url": PICTURE}}])
    heard = of(twin, [question, {"type": "input_audio", "input_audio": {"data": PICTURE[22:], "format": "wav"}}])
    for found in (seen, heard):
        assert found.tokens < 40
        assert found.text_bytes < 80


def test_base64_that_the_caller_pasted_into_the_text_is_text(twin: ModuleType) -> None:
    assert of(twin, PICTURE).tokens > 10_000


def test_code_is_told_from_prose(twin: ModuleType) -> None:
    assert of(twin, PYTHON).code_share > 0.4
    assert of(twin, "Please tell me a story about a brave knight.\nIt should be short.").code_share == 0


def test_shares_and_cues_are_of_the_text_in_focus(twin: ModuleType) -> None:
    schema = [{"type": "function", "function": {"name": "translate", "description": "Translate a text"}}]
    features_of_ask = of(twin, "You translate.", "Summarise 2024!", schema, focus=1)
    assert features_of_ask.cues[Cue.SUMMARY] == 1
    assert features_of_ask.cues[Cue.TRANSLATION] == 0
    assert features_of_ask.digit_share == pytest.approx(4 / 15)


def test_cues_are_found_in_head_and_tail_but_not_in_the_material_between(twin: ModuleType) -> None:
    material = "lorem ipsum " * 400
    assert of(twin, "Translate this: " + material).cues[Cue.TRANSLATION] == 1
    assert of(twin, material + " Now translate it.").cues[Cue.TRANSLATION] == 1
    assert of(twin, material + " translate " + material).cues[Cue.TRANSLATION] == 0


def test_cues_are_known_by_their_stem_and_in_any_case(twin: ModuleType) -> None:
    assert of(twin, "TRANSLATION translating Translator translate").cues[Cue.TRANSLATION] == 4
    assert of(twin, "trans late").cues[Cue.TRANSLATION] == 0


def test_lines_words_questions_and_fences_are_counted(twin: ModuleType) -> None:
    found = of(twin, "one two\nthree?", "```python\nx = 1\n```\nwhy? how?")
    assert (found.lines, found.words, found.focus_words) == (6, 7, 4)
    assert (found.question_marks, found.code_fences) == (2, 2)


def test_scripts_capitals_and_mathematics_have_their_shares(twin: ModuleType) -> None:
    assert of(twin, "Привет, мир").non_latin_share > 0.7
    assert of(twin, "SHOUT quietly").upper_share == pytest.approx(5 / 13)
    assert of(twin, r"\frac{a}{b} ≤ x^2").math_share > 0.15
    assert of(twin, "plain words only").math_share == 0


def test_nothing_at_all_has_features_too(twin: ModuleType) -> None:
    found = twin.extract([])
    assert (found.tokens, found.text_bytes, found.code_share) == (0, 0, 0)


@pytest.mark.parametrize(
    "raw", [b'"', b'"abc', b'"\\', b'"\\u12', b'"\xff\xc3', b"", b"null", b'"\\ud83d"', b'[{"data":"', b'"\0"']
)
def test_broken_text_is_read_as_far_as_it_goes(raw: bytes) -> None:
    assert _features_cy.extract([raw]) == _features_np.extract([raw])


def test_a_focus_that_does_not_exist_is_an_error(twin: ModuleType) -> None:
    with pytest.raises(IndexError):
        twin.extract([b'"a"'], 1)


def test_the_server_can_say_which_twin_is_live() -> None:
    assert features.IMPLEMENTATION in ("cython", "python")
