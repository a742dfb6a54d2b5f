"""Client programs are told of Steelyard in their own files, and nothing of theirs is lost."""

import json
import tomllib
from pathlib import Path

import pytest
import yaml

from gateway.cli.clients import CLIENTS, Place
from gateway.cli.setup import CannotMerge, told, write

PLACE = Place("http://127.0.0.1:9000", "sk-steelyard-x", "support")
FILES = [client for client in CLIENTS.values() if client.file]


@pytest.mark.parametrize("name", CLIENTS)
def test_what_is_printed_names_the_place_the_model_and_the_next_step(name: str) -> None:
    text = told(CLIENTS[name], PLACE)
    assert "http://127.0.0.1:9000" in text
    assert "support" in text or name in ("openai", "anthropic", "google-genai")
    assert "{" not in CLIENTS[name].then.format(key="", model="")


@pytest.mark.parametrize("name", [client.name for client in FILES])
def test_a_file_that_was_not_there_is_written_for_its_owner_only_and_can_be_read(name: str, tmp_path: Path) -> None:
    client = CLIENTS[name]
    assert "wrote" in write(client, PLACE, tmp_path)
    path = tmp_path / client.file
    text = path.read_text()
    document = yaml.safe_load(text) if client.form != "toml" else tomllib.loads(text)  # JSON is YAML
    assert document
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", [client.name for client in FILES])
def test_writing_twice_changes_nothing_the_second_time(name: str, tmp_path: Path) -> None:
    write(CLIENTS[name], PLACE, tmp_path)
    before = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert "already" in write(CLIENTS[name], PLACE, tmp_path)
    assert {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_a_json_file_said_before_stays_and_is_backed_up(tmp_path: Path) -> None:
    path = tmp_path / ".claude/settings.json"
    path.parent.mkdir()
    path.write_text('{"permissions": {"allow": ["Bash"]}, "env": {"MINE": "1", "ANTHROPIC_MODEL": "old"}}')
    said = write(CLIENTS["claude-code"], PLACE, tmp_path)
    now = json.loads(path.read_text())
    assert now["permissions"] == {"allow": ["Bash"]}
    assert (now["env"]["MINE"], now["env"]["ANTHROPIC_MODEL"]) == ("1", "support")
    backup = path.with_name("settings.json.before-steelyard-1")
    assert str(backup) in said
    assert json.loads(backup.read_text())["env"]["ANTHROPIC_MODEL"] == "old"


def test_comments_of_a_toml_file_stay(tmp_path: Path) -> None:
    path = tmp_path / ".codex/config.toml"
    path.parent.mkdir()
    path.write_text('# mine\nmodel = "gpt-5"\n\n[model_providers.other]\nname = "Other"')
    write(CLIENTS["codex"], PLACE, tmp_path)
    text = path.read_text()
    assert text.startswith("# mine\n")
    document = tomllib.loads(text)
    assert document["model"] == "gpt-5"
    assert set(document["model_providers"]) == {"other", "steelyard"}


def test_another_backup_takes_another_name(tmp_path: Path) -> None:
    client = CLIENTS["opencode"]
    write(client, PLACE, tmp_path)
    for number, model in enumerate(("fast", "green"), 1):
        said = write(client, Place(PLACE.root, PLACE.key, model), tmp_path)
        assert said.endswith(f"opencode.json.before-steelyard-{number}")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("openclaw", "{ models: {} } // JSON5", "is not plain JSON"),
        ("openclaw", "[]", "does not hold an object"),
        ("codex", '[profiles.steelyard]\nmodel = "mine"\n', "has profiles.steelyard already"),
        ("codex", "= broken", "cannot be read"),
        ("aider", "model: mine\n", "has model already"),
        ("aider", "- a list\n", "laid out otherwise"),
        ("continue", "models: []\n", "has models already"),
        ("aider", "a: [broken", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_merged_is_left_as_it_is(name: str, text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / CLIENTS[name].file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    with pytest.raises(CannotMerge, match=reason):
        write(CLIENTS[name], PLACE, tmp_path)
    assert path.read_text() == text
    assert [*path.parent.iterdir()] == [path]


def test_a_client_without_a_file_says_what_to_do_instead(tmp_path: Path) -> None:
    with pytest.raises(CannotMerge, match="run the lines above"):
        write(CLIENTS["cline"], PLACE, tmp_path)


def test_entries_of_a_list_are_added_behind_those_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / CLIENTS["llm"].file
    path.parent.mkdir(parents=True)
    path.write_text("- model_id: mine\n  model_name: x\n")
    write(CLIENTS["llm"], PLACE, tmp_path)
    assert [entry["model_id"] for entry in yaml.safe_load(path.read_text())] == ["mine", "steelyard"]
