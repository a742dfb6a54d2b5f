"""The commands as a person types them, with the same rules as the file."""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from gateway.cli.explain import base_url
from gateway.server.auth import new_key
from tests.cli.commands import steelyard
from tests.running import Gateway, Process, stopped_after

PIECEMEAL = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "Tell me a story"}]}
STALLED = {"x-steelyard-simulate": "F56;after=5"}  # the provider falls silent after five tokens


def test_the_command_line_cannot_open_a_keyless_server_to_others(tmp_path: Path) -> None:
    told = steelyard(tmp_path, "serve", "--host", "0.0.0.0", "--port", "0")
    assert told.returncode == 2
    assert "caller keys" in told.stderr


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    told = steelyard(tmp_path, "check", "missing.yaml")
    assert told.returncode == 2
    assert "missing.yaml" in told.stderr


def test_weights_that_cancel_a_preset_are_a_finding_and_no_traceback(tmp_path: Path) -> None:
    weights = "{cost: 0, latency: 0, quality: 0, availability: 0}"
    (tmp_path / "steelyard.yaml").write_text(f"routers: {{none: {{preset: fast, weights: {weights}}}}}\n")
    told = steelyard(tmp_path, "check")
    assert told.returncode == 2
    assert "routers.none.weights" in told.stderr
    assert "Traceback" not in told.stderr


def test_init_writes_a_file_that_check_accepts(tmp_path: Path) -> None:
    key = {"GROQ_API_KEY": "not-a-real-key"}
    assert steelyard(tmp_path, "init", **key).returncode == 0
    told = steelyard(tmp_path, "check", **key)
    assert told.returncode == 0, told.stderr
    assert "5 routers" in told.stdout
    assert "not-a-real-key" not in told.stdout + (tmp_path / "steelyard.yaml").read_text()
    assert steelyard(tmp_path, "init").returncode != 0, "it must not overwrite"


def test_explain_offline_ranks_every_simulated_target(tmp_path: Path) -> None:
    told = steelyard(tmp_path, "explain", "Write a binary search in Python", "--model", "quality")
    assert told.returncode == 0, told.stderr
    assert "wins under router quality" in told.stdout
    assert "task code_generation" in told.stdout
    record = json.loads(steelyard(tmp_path, "explain", "hello", "--json").stdout)
    assert len(record["candidates"]) + len(record["excluded"]) > 30


def test_explain_shows_dollars_where_the_router_says_what_things_are_worth(tmp_path: Path) -> None:
    worth = "routers: {mine: {worth: {quality_point_usd: 0.001, second_usd: 0.0005}}}\ncatalog: {refresh: false}\n"
    (tmp_path / "steelyard.yaml").write_text(worth)
    told = steelyard(tmp_path, "explain", "hello", "--model", "mine")
    assert re.search(r"wins under router mine, \+\$0\.\d+ ahead of sim/", told.stdout), told.stderr
    assert "quality $0.1 " in told.stdout
    assert re.search(r"latency at \$0\.\d+ or (more|less) would choose sim/", told.stdout)


def test_explain_a_past_decision_of_a_running_server(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway):
        decision = gateway.chat(model="green").headers["x-steelyard-decision"]
        told = steelyard(tmp_path, "explain", decision, "--url", gateway.url)
        assert "wins under router green" in told.stdout
        unknown = steelyard(tmp_path, "explain", "dec_0", "--url", gateway.url)
        assert unknown.returncode == 1
        assert "dec_0" in unknown.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("catalog", "list", "gpt-5-mini"), "openai/gpt-5-mini@openai"),
        (("catalog", "show", "openai/gpt-5"), "models.dev"),
        (("catalog", "diff"), "no difference"),
        (("usage",), "requests"),
        (("keys", "new", "bot"), "sha256: '"),
        (("check",), "set OPENAI_API_KEY"),
        (("check", "--schema"), "max_body_bytes"),
        (("--help",), "explain"),
    ],
)
def test_each_command_tells_what_it_is_for(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    done = steelyard(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert told in done.stdout


def test_an_unknown_model_in_the_catalog_is_met_with_a_suggestion(tmp_path: Path) -> None:
    done = steelyard(tmp_path, "catalog", "show", "openai/gtp-5")
    assert done.returncode == 1
    assert "openai/gpt-5" in done.stderr


def test_piped_tables_are_one_whole_line_a_row_whatever_the_terminal(tmp_path: Path) -> None:
    offers = steelyard(tmp_path, "catalog", "list", "gpt-5", COLUMNS="40").stdout.splitlines()
    assert offers[0].startswith("target  ")
    assert offers[0].split()[-3:] == ["abilities", "own", "scores"]
    assert "openai/gpt-5@openai" in [line.split()[0] for line in offers[1:]]
    assert {len(line.split()) for line in offers[1:]} == {8}, "every row has a word for each column"
    told = steelyard(tmp_path, "explain", "hello", "--limit", "5", COLUMNS="40").stdout.splitlines()
    ranked = [line.split() for line in told if "@sim-" in line and line.split()[0].isdigit()]
    assert [row[0] for row in ranked] == list("12345")
    assert {len(row) for row in ranked} == {3 + 2 * 5}
    assert "\x1b" not in "".join(offers + told)


def test_without_a_live_provider_the_simulator_is_what_is_shown(tmp_path: Path) -> None:
    assert "Flagship (sim/flagship)" in steelyard(tmp_path, "catalog", "show", "sim/flagship").stdout
    assert "sim/flagship@sim-alpha" in steelyard(tmp_path, "catalog", "list", "sim/").stdout
    assert "43 targets and 5 for embeddings of the built-in simulator" in steelyard(tmp_path, "check").stdout
    with_a_key = steelyard(tmp_path, "catalog", "show", "sim/flagship", GROQ_API_KEY="not-a-real-key")
    assert (with_a_key.returncode, with_a_key.stdout) == (1, "")
    assert "simulator" not in steelyard(tmp_path, "check", GROQ_API_KEY="not-a-real-key").stdout


def test_models_of_the_settings_are_in_the_catalog(tmp_path: Path) -> None:
    own = "providers: {mine: {base_url: 'http://127.0.0.1:1/v1', models: [{id: me/own, input_price_usd: 0.125}]}}\n"
    (tmp_path / "steelyard.yaml").write_text(own)
    assert steelyard(tmp_path, "catalog", "list", "@mine").stdout.splitlines()[1].startswith("me/own@mine  ")
    assert "1 target\n" in steelyard(tmp_path, "check").stdout


def test_an_empty_ledger_says_so(tmp_path: Path) -> None:
    assert steelyard(tmp_path, "usage").stdout.startswith("no requests from ")


def a_taken_port(folder: Path, stack: ExitStack) -> tuple[tuple[str, ...], str]:
    port = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
    return ("serve", "--port", str(port)), f"127.0.0.1:{port} is in use by another program; stop it, or "


def a_foreign_host(folder: Path, stack: ExitStack) -> tuple[tuple[str, ...], str]:
    (folder / "steelyard.yaml").write_text(f"server: {{host: 192.0.2.1}}\nkeys: [{{name: me, sha256: {'a' * 64}}}]\n")
    return (
        "serve",
        "--port",
        "0",
        "--allow-root",
    ), "server.host is 192.0.2.1, which is no address of this machine; "


def a_folder_as_settings(folder: Path, stack: ExitStack) -> tuple[tuple[str, ...], str]:
    return ("serve", "--config", "."), ".: cannot be read: Is a directory; name a file "


def a_ledger_nowhere(folder: Path, stack: ExitStack) -> tuple[tuple[str, ...], str]:
    (folder / "steelyard.yaml").write_text("ledger: {path: /dev/null/ledger.db}\n")
    return ("serve", "--port", "0"), "ledger.path is /dev/null/ledger.db, but the folder /dev/null cannot be made: "


def a_ledger_that_is_none(folder: Path, stack: ExitStack) -> tuple[tuple[str, ...], str]:
    (folder / "steelyard.yaml").write_text("ledger: {path: steelyard.yaml}\n")
    return ("serve", "--port", "0"), "ledger.path is steelyard.yaml, which is not a SQLite database; "


def a_key_that_others_can_read(folder: Path, stack: ExitStack) -> tuple[tuple[str, ...], str]:
    (folder / "key").write_text("not-a-real-key")
    (folder / "key").chmod(0o644)
    (folder / "steelyard.yaml").write_text(f"providers: {{groq: {{api_key: 'file:{folder}/key'}}}}\n")
    return ("serve", "--port", "0"), "steelyard.yaml:1:29: providers.groq.api_key refers to "


def settings_into_nowhere(folder: Path, stack: ExitStack) -> tuple[tuple[str, ...], str]:
    return ("init", "no/such/folder.yaml"), "Error: no/such/folder.yaml cannot be written: No such file or directory; "


def a_server_that_is_not_there(folder: Path, stack: ExitStack) -> tuple[tuple[str, ...], str]:
    taken = stack.enter_context(socket.socket())  # bound, but it does not listen
    taken.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    told = f"Error: nothing answers at {url} (Connection refused); start a server with steelyard serve, or "
    return ("explain", "dec_1", "--url", url), told


@pytest.mark.parametrize(
    "trouble",
    [
        a_taken_port,
        a_foreign_host,
        a_folder_as_settings,
        a_ledger_nowhere,
        a_ledger_that_is_none,
        a_key_that_others_can_read,
        settings_into_nowhere,
        a_server_that_is_not_there,
    ],
)
def test_what_a_person_can_put_right_is_one_line_and_no_traceback(
    tmp_path: Path, trouble: Callable[[Path, ExitStack], tuple[tuple[str, ...], str]]
) -> None:
    with ExitStack() as stack:
        words, told = trouble(tmp_path, stack)
        done = steelyard(tmp_path, *words)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert done.stderr.startswith(told)
    assert len(done.stderr.splitlines()) == 1


def test_a_pace_that_is_no_number_is_named(tmp_path: Path) -> None:
    done = steelyard(tmp_path, "serve", "--port", "0", STEELYARD_SIMULATOR_PACE="fast")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('STEELYARD_SIMULATOR_PACE is "fast"; a number is expected')


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("localhost", "http://localhost:8080"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://gateway/v1/", "http://gateway"),
        ("https://gateway.example/steelyard", "https://gateway.example/steelyard"),
        ("[::1]", "http://[::1]:8080"),
    ],
)
def test_a_server_may_be_named_as_people_do(written: str, meant: str) -> None:
    assert base_url(written) == meant


def test_a_list_without_a_match_says_what_there_is(tmp_path: Path) -> None:
    done = steelyard(tmp_path, "catalog", "list", "openai/gtp-5")
    assert (done.returncode, done.stdout) == (1, "")
    assert "openai/gpt-5" in done.stderr
    assert "did you mean groq" in steelyard(tmp_path, "catalog", "list", "--provider", "grok").stderr
    assert json.loads(steelyard(tmp_path, "catalog", "list", "openai/gtp-5", "--json").stdout) == []


def test_the_name_of_a_new_key_can_be_any_that_is_printable(tmp_path: Path) -> None:
    _, _, lines = steelyard(tmp_path, "keys", "new", "a: [b]").stdout.partition("Into steelyard.yaml:")
    (tmp_path / "steelyard.yaml").write_text(lines)
    assert steelyard(tmp_path, "check").returncode == 0
    assert steelyard(tmp_path, "keys", "new", "a\nb").returncode == 2


def test_an_address_with_colons_is_told_as_a_url(tmp_path: Path) -> None:
    gateway = Process(["-m", "gateway", "serve", "--host", "::1", "--port", "0"], tmp_path, {})
    with stopped_after(gateway):
        url = gateway.wait_for(r"serves (http://\[::1\]:\d+)/v1").group(1)
        assert httpx2.get(f"{url}/healthz").status_code == 200
        gateway.wait_for(re.escape(f"curl '{url}/v1/chat/completions' -H"))  # in zsh brackets are a pattern


def test_the_hash_of_a_piped_key_is_that_of_its_text_alone(tmp_path: Path) -> None:
    key, digest = new_key()
    assert steelyard(tmp_path, "keys", "hash", piped=f"{key}\r\n").stdout == f"{digest}\n"
    empty = steelyard(tmp_path, "keys", "hash", piped="\n")
    assert (empty.returncode, empty.stdout) == (1, "")


@pytest.mark.parametrize(("routers", "model"), [("[]", "auto"), ("[green]", "green")])
def test_with_keys_of_callers_the_line_to_try_sends_one(tmp_path: Path, routers: str, model: str) -> None:
    key, digest = new_key()
    keyed = f"keys: [{{name: me, sha256: {digest}, routers: {routers}}}]\n"
    gateway = Gateway(tmp_path, keyed, {"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway):
        gateway.wait_for("Say hello")
        first = next(number for number, line in enumerate(gateway.lines) if "curl" in line)
        curl = "\n".join(gateway.lines[first : first + 3])
        assert "in place of KEY" in gateway.lines[first - 2]
        answer = subprocess.run(
            ["sh", "-c", curl],
            env={"PATH": os.environ["PATH"], "STEELYARD_API_KEY": key},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert json.loads(answer.stdout)["steelyard"]["router"] == model


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_is_being_answered_end(tmp_path: Path, number: signal.Signals) -> None:
    gateway = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "1"})
    with stopped_after(gateway), gateway.http.stream("POST", "/v1/chat/completions", json=PIECEMEAL) as answer:
        pieces = answer.iter_text()
        next(pieces)
        gateway.child.send_signal(number)
        gateway.wait_for("stopping when 1 in flight")
        assert "".join(pieces).endswith("data: [DONE]\n\n")
        assert gateway.stop(number) == 0
    assert json.loads(gateway.lines[-1])["message"] == "stopped"
    assert not [line for line in gateway.lines if "Traceback" in line or "rror" in line]


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "1"})
    with (
        stopped_after(gateway),
        gateway.http.stream("POST", "/v1/chat/completions", json=PIECEMEAL, headers=STALLED) as answer,
    ):
        pieces = answer.iter_text()
        next(pieces)
        gateway.child.send_signal(signal.SIGTERM)
        gateway.wait_for("stopping when 1 in flight")
        assert gateway.stop(signal.SIGTERM) == 0
    assert json.loads(gateway.lines[-1])["message"] == "stopped"
    assert not [line for line in gateway.lines if "Traceback" in line or "rror" in line]
