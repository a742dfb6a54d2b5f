"""Client programs are told of Steelyard in their own files, and nothing of theirs is lost."""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from gateway.cli.clients import CLIENTS, Place
from gateway.cli.setup import CannotMerge, place, told, write
from tests.clients.actor import Actor
from tests.running import ROOT, Gateway, stopped_after

NOWHERE = "http://127.0.0.1:9"  # the discard port; nobody is asked by accident
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
    path = tmp_path / CLIENTS["codex"].file
    path.parent.mkdir()
    path.write_text('# mine\nsandbox_mode = "read-only"')
    write(CLIENTS["codex"], PLACE, tmp_path)
    text = path.read_text()
    assert text.startswith("# mine\n")
    document = tomllib.loads(text)
    assert (document["sandbox_mode"], document["model"]) == ("read-only", "support")
    assert set(document["model_providers"]) == {"steelyard"}


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
        ("codex", 'model = "mine"\n', "has model already"),
        ("codex", '[model_providers.steelyard]\nname = "mine"\n', "has model_providers.steelyard already"),
        ("codex", '[model_providers.other]\nname = "Other"\n', "laid out otherwise"),
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


def steelyard(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, as somebody whose home is `home`."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", "setup", *words],
        cwd=home,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_without_a_client_lists_all_one_a_line(tmp_path: Path) -> None:
    listed = steelyard(tmp_path).stdout.splitlines()
    assert listed[0].split() == ["client", "program", "speaks", "file"]
    assert [line.split()[0] for line in listed[1:]] == list(CLIENTS)


def test_the_command_prints_and_touches_nothing(tmp_path: Path) -> None:
    done = steelyard(tmp_path, "codex", "--url", "localhost:9/v1", "--key", "sk-mine", "--model", "green")
    assert done.returncode == 0
    assert "nothing answers at http://localhost:9 yet" in done.stderr
    settings = tomllib.loads(done.stdout)
    assert settings["model_providers"]["steelyard"]["base_url"] == "http://localhost:9/v1"
    assert settings["model"] == "green"
    assert "# then: STEELYARD_API_KEY=sk-mine codex" in done.stdout
    assert [*tmp_path.iterdir()] == []


def test_the_command_writes_into_the_home_folder_or_another(tmp_path: Path) -> None:
    done = steelyard(tmp_path, "claude-code", "--write", "--url", NOWHERE)
    assert done.returncode == 0
    assert done.stdout == f"wrote {tmp_path}/.claude/settings.json\nthen: claude\n"
    other = tmp_path / "other"
    assert steelyard(tmp_path, "claude-code", "--write", "--home", str(other), "--url", NOWHERE).returncode == 0
    assert (other / ".claude/settings.json").read_text() == (tmp_path / ".claude/settings.json").read_text()


def test_what_cannot_be_merged_is_printed_to_be_put_in_by_hand(tmp_path: Path) -> None:
    (tmp_path / ".openclaw").mkdir()
    (tmp_path / ".openclaw/openclaw.json").write_text("{ models: {} } // mine")
    done = steelyard(tmp_path, "openclaw", "--write", "--url", NOWHERE)
    assert done.returncode == 1
    assert f'"baseUrl": "{NOWHERE}/v1"' in done.stdout
    assert "is not plain JSON" in done.stderr
    assert (tmp_path / ".openclaw/openclaw.json").read_text() == "{ models: {} } // mine"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("clawde-code",), "did you mean claude-code"),
        (("zzz",), "steelyard setup lists them"),
        (("aider", "--url", "nowhere:x"), "--url"),
        (("aider", "--key", "a b"), "the key has characters"),
        (("aider", "--model", "auto: {x"), "--model"),
        (("aider", "--write", "--home", "/dev/null", "--url", NOWHERE), "/dev/null"),
    ],
)
def test_what_a_person_can_put_right_is_told_without_a_traceback(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    done = steelyard(tmp_path, *words)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_the_limits_are_those_that_the_server_states(keyless: Gateway) -> None:
    row = keyless.http.get("/v1/models/fast").json()
    there = place(keyless.url, "unused", "fast")
    assert (there.context_window, there.max_output_tokens) == (row["context_window"], row["max_output_tokens"])
    assert there.takes_images == ("image" in row["architecture"]["input_modalities"])
    model = json.loads(CLIENTS["openclaw"].text(there))["models"]["providers"]["steelyard"]["models"][0]
    assert (model["contextWindow"], model["maxTokens"]) == (row["context_window"], row["max_output_tokens"])


def test_what_the_server_would_refuse_is_told_before_anything_is_written(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"sk-mine").hexdigest()
    gateway = Gateway(tmp_path, f"keys: [{{name: me, sha256: '{digest}'}}]")
    with stopped_after(gateway):
        done = steelyard(tmp_path, "aider", "--write", "--url", gateway.url)
        with pytest.raises(click.BadParameter, match="no router or model 'atuo'"):
            place(gateway.url, "sk-mine", "atuo")
        assert place(f"{gateway.url}/routers/green", "sk-mine", "auto").v1 == f"{gateway.url}/routers/green/v1"
    assert (done.returncode, done.stdout) == (1, "")
    assert "--key, or STEELYARD_API_KEY" in done.stderr
    assert not (tmp_path / ".aider.conf.yml").exists()


def test_another_server_is_told_from_ours() -> None:
    somebody_else = Actor()
    try:
        with pytest.raises(click.ClickException, match="is no Steelyard"):
            place(somebody_else.url, "unused", "auto")
    finally:
        somebody_else.stop()
