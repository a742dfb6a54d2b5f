"""Keys by reference, and what a message says when a reference leads nowhere."""

import os
from pathlib import Path

import pytest

from gateway.settings.secrets import MAX_FILE_BYTES, resolve

KEY = "sk-canary-0123456789"


def key_file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "key"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("reference", ["env:GROQ_API_KEY", "env: GROQ_API_KEY"])
def test_a_variable_gives_its_value(reference: str) -> None:
    assert resolve(reference, {"GROQ_API_KEY": f" {KEY}\n"}) == KEY


@pytest.mark.parametrize("content", [KEY, KEY + "\n", KEY + "\r\n", f"  {KEY}\n\n"], ids=repr)
def test_a_file_gives_its_text_without_the_space_around_it(tmp_path: Path, content: str) -> None:
    assert resolve(f"file:{key_file(tmp_path, content.encode())}", {}) == KEY


def test_a_file_may_stand_below_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    key_file(tmp_path, KEY.encode())
    assert resolve("file:~/key", {}) == KEY


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (KEY, "looks like a key itself"),
        ("", "looks like a key itself"),
        (f"ENV:{KEY}", "looks like a key itself"),
        ("env:", "has no name of a variable after env:"),
        (f"env:{KEY}", "has no name of a variable after env:"),
        ("env:sk_canary_0123456789", "refers to a variable, which is not set"),
        ("env:UNSET_KEY", "refers to env:UNSET_KEY, which is not set"),
        ("env:EMPTY_KEY", "refers to env:EMPTY_KEY, which is not set"),
        ("${GROQ_API_KEY}", "did you mean env:GROQ_API_KEY?"),
        ("$GROQ_API_KEY", "did you mean env:GROQ_API_KEY?"),
        ("os.environ/GROQ_API_KEY", "did you mean env:GROQ_API_KEY?"),
        ("file:", "has no absolute path"),
        (f"file:{KEY}", "has no absolute path"),
        ("file:/no/such/file", "refers to /no/such/file, which cannot be read: No such file or directory"),
        ("file:/dev", "refers to /dev, which cannot be read: Is a directory"),
        ("file:/dev/null", "refers to /dev/null, which is not a file"),
        ("file:/tmp/a\0b", "null byte"),
    ],
)
def test_a_reference_that_leads_nowhere_says_why_and_shows_no_key(reference: str, message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        resolve(reference, {"EMPTY_KEY": "  "})
    assert message in str(refusal.value)
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_file_that_others_can_use_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = key_file(tmp_path, KEY.encode(), mode)
    with pytest.raises(ValueError, match=f"others can use .mode {mode:04o}.; run: chmod 600 {path}"):
        resolve(f"file:{path}", {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff" + KEY.encode(), "is not text"),
        (b"k" * (MAX_FILE_BYTES + 1), "larger"),
    ],
    ids=["empty", "blank", "binary", "large"],
)
def test_a_file_without_a_key_is_refused_and_not_shown(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        resolve(f"file:{key_file(tmp_path, content)}", {})
    assert "canary" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_named_pipe_does_not_hold_us_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ValueError, match="is not a file"):
        resolve(f"file:{tmp_path / 'pipe'}", {})
