"""What a settings file is told: each case is a file, and every finding that it gets."""

import re
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.routing.policy import PRESETS
from gateway.settings.load import MAX_BYTES, LoadedSettings, load_file, load_text
from gateway.settings.rules import PRESET_NAMES

FOLDER = Path(__file__).parents[1] / "fixtures" / "settings"
RULE = "----------\n"
ENVIRON = {"OPENAI_API_KEY": "test-value"}
PROVIDERS = ("openai", "groq", "anthropic")
HIDDEN = "canaryword"  # stands in the cases wherever a key could
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


def load(text: str) -> LoadedSettings:
    return load_text(text, "s.yaml", ENVIRON, PROVIDERS)


def findings(text: str) -> list[str]:
    """Everything that is said about a file, excerpts included."""
    try:
        load(text)
    except SettingsError as error:
        return error.findings
    return []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.case")), ids=lambda path: path.stem)
def test_a_file_gets_every_finding_with_its_place(path: Path) -> None:
    text, expected = path.read_text().split(RULE)
    found = findings(text)
    assert [one.partition("\n")[0].removeprefix("s.yaml:") for one in found] == expected.splitlines()
    assert HIDDEN not in "\n".join(found)


def test_a_finding_ends_with_its_line_and_a_caret_under_the_column() -> None:
    assert findings("server:\n  log: loud\n")[0].splitlines()[1:] == ["      log: loud", "           ^"]


@pytest.mark.parametrize(
    "text",
    [
        "server: {log: loud}  # key: sk-canary-0123456789",
        "{server: {log: loud}, providers: {openai: {api_key: canaryword}}}",
        "{server: {log: loud}, keys: [{name: a, sha256: canaryword}]}",
        "{server: {log: loud}, openai_key: canaryword}",
    ],
)
def test_a_line_that_holds_a_key_is_not_shown(text: str) -> None:
    found = findings(text)
    assert any("server.log" in one for one in found)
    assert all("\n" not in one and "canary" not in one for one in found)


@pytest.mark.parametrize(
    "text",
    [BOMB, "[" * 200_000, "{a: " * 100_000, "- " * 50_000, "a: [" + "1, " * 300_000 + "]", "k" * 100_000 + ": 1"],
    ids=["aliases", "brackets", "braces", "dashes", "a long list", "a long key"],
)
def test_a_file_made_to_exhaust_us_is_given_up_early(text: str) -> None:
    (found,) = findings(text)
    assert re.search("more than 50000 values|deeper than 20 levels|not valid YAML", found)
    assert len(found) < 300


def test_values_reach_their_settings() -> None:
    loaded = load("server: {port: 0}\nrouters:\n  x: {weights: {cost: 1, quality: 1e-3}, allow: [a/*]}\n")
    assert loaded.settings.server.port == 0
    assert loaded.settings.routers["x"].weights == {"cost": 1.0, "quality": 0.001}
    assert loaded.settings.routers["x"].allow == ("a/*",)
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            "providers:\n  my: {base_url: 'http://127.0.0.1:8000/v1'}\n",
            "s.yaml:2:3: providers.my .*no model of it is known",
        ),
        (
            "providers:\n  openai: {base_url: 'http://proxy.example/v1', api_key: 'env:OPENAI_API_KEY'}",
            "2:22.*plain text",
        ),
    ],
)
def test_what_is_hardly_meant_is_a_warning(text: str, warning: str) -> None:
    (told,) = load(text).warnings
    assert re.search(warning, told)


@pytest.mark.parametrize(
    "text",
    [
        "providers:\n  my: {base_url: 'http://127.0.0.1:8000/v1', models: [{id: a}]}\n",
        "providers:\n  my: {base_url: 'http://127.0.0.1:8000/v1', enabled: false}\n",
        "providers:\n  openai: {base_url: 'http://10.0.0.1/v1', api_key: 'env:OPENAI_API_KEY'}\n",
        "providers:\n  openai: {base_url: 'https://proxy.example/v1', api_key: 'env:OPENAI_API_KEY'}\n",
    ],
)
def test_what_may_well_be_meant_is_none(text: str) -> None:
    assert load(text).warnings == ()


def test_a_missing_file_is_told_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no\.yaml: does not exist; steelyard init writes a new one"):
        load_file(tmp_path / "no.yaml", {}, ())


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load_file(tmp_path, {}, ())


def test_a_file_that_is_not_utf_8_is_told_where(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"server:\n  log: \xff canaryword\n")
    with pytest.raises(SettingsError, match=":2:8: this is not UTF-8") as refusal:
        load_file(path, {}, ())
    assert refusal.value.__context__ is None, "the decoder's error carries the file"


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"\xef\xbb\xbfserver:\r\n  port: 1\r\n")
    assert load_file(path, {}, ()).settings.server.port == 1


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(SettingsError, match="is larger than"):
        load_file(path, {}, ())


def test_the_presets_that_settings_may_name_are_those_that_routing_has() -> None:
    assert tuple(PRESETS) == PRESET_NAMES
