"""The language of a prompt, however its letters are escaped; nothing is said where nothing tells."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.language import LITTLE_WORDS, language_of
from core.training.corpus import LANGUAGES, real

KNOWN = {*LITTLE_WORDS, "ja", "ko", "zh", "ru", "uk", "ar", "fa", "hi", "el", "he", "th", ""}


def told(text: str, ensure_ascii: bool = False) -> str:
    return language_of(json.dumps(text, ensure_ascii=ensure_ascii).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("ensure_ascii", [False, True], ids=["as it is", "escaped"])
def test_nearly_all_prompts_written_to_judge_by_are_told_right_and_the_others_not_told(ensure_ascii: bool) -> None:
    rows = [json.loads(row) for row in LANGUAGES.read_text().splitlines()]
    said = [(row["language"], told(row["text"], ensure_ascii)) for row in rows]
    assert sum(true == found for true, found in said) >= 66  # of 70
    assert {found for true, found in said if true != found} <= {""}


def test_real_users_prompts_are_english_or_not_told() -> None:
    said = Counter(told(example.focus) for example in real())
    assert said.keys() == {"en", ""}
    assert said["en"] >= 475  # of 500; most others are code


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Say hello in five words, please", "en"),
        ("hej, kan du hjælpe mig med at skrive en mail?", "da"),
        ("Kun je deze tekst voor mij korter maken?", "nl"),
        ("Czy możesz mi to napisać po polsku?", "pl"),
        ("Bu metni kısaltır mısın, lütfen?", "tr"),  # noqa: RUF001
        ("Hãy viết cho tôi một bài thơ", "vi"),
        ("Tolong buat surat untuk saya", "id"),
        ("Переведи это на английский", "ru"),
        ("Напиши листа моїй бабусі", "uk"),  # noqa: RUF001
        ("이 글을 요약해 주세요", "ko"),
        ("اكتب رسالة إلى صديقي", "ar"),
        ("मुझे एक कविता लिखो", "hi"),
        ("What is the meaning of 你好 in English, and how do I say it?", "en"),
        ("SELECT id FROM t WHERE x = 1;", ""),
        ("def f(x):\n    return x + 1", ""),
        ("1 + 1", ""),
        ("", ""),
    ],
)
def test_a_prompt_is_told_by_its_script_or_its_little_words(text: str, language: str) -> None:
    assert told(text) == told(text, ensure_ascii=True) == language


@given(st.text(max_size=300))
def test_any_text_has_a_known_language_or_none(text: str) -> None:
    assert language_of(json.dumps(text).encode()) in KNOWN


@given(st.binary(max_size=300))
def test_no_bytes_are_too_odd(focus: bytes) -> None:
    assert language_of(focus) in KNOWN
