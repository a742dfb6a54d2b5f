"""The commands as a person types them, with the same rules as the file."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT, Gateway, stopped_after


def steelyard(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """One command, in a folder of its own, without any provider key."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "COLUMNS": "200", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


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


@pytest.mark.parametrize("columns", ["40", "200"])
def test_tables_never_wrap_so_that_they_can_be_searched(tmp_path: Path, columns: str) -> None:
    offers = steelyard(tmp_path, "catalog", "list", "gpt-5", COLUMNS=columns).stdout.splitlines()
    ids = [line.split()[0] for line in offers[1:-1]]
    assert "openai/gpt-5@openai" in ids
    assert all("@" in one for one in ids)
    told = steelyard(tmp_path, "explain", "hello", "--limit", "5", COLUMNS=columns).stdout
    assert [line.split()[0] for line in told.splitlines() if "@sim-" in line and line[0].isdigit()] == list("12345")


def test_without_a_live_provider_the_simulator_is_what_is_shown(tmp_path: Path) -> None:
    assert "Flagship (sim/flagship)" in steelyard(tmp_path, "catalog", "show", "sim/flagship").stdout
    assert "the built-in simulator would answer" in steelyard(tmp_path, "check").stdout
    with_a_key = steelyard(tmp_path, "catalog", "show", "sim/flagship", GROQ_API_KEY="not-a-real-key")
    assert (with_a_key.returncode, with_a_key.stdout) == (1, "")


def test_an_empty_ledger_says_so(tmp_path: Path) -> None:
    assert steelyard(tmp_path, "usage").stdout.startswith("no requests from ")


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = steelyard(tmp_path, "serve", "--port", str(port))
    assert told.returncode != 0
    assert str(port) in told.stderr
    assert "Traceback" not in told.stderr


def test_with_keys_of_callers_the_line_to_try_sends_one(tmp_path: Path) -> None:
    (tmp_path / "steelyard.yaml").write_text(f"keys: [{{name: me, sha256: {'a' * 64}}}]\n")
    gateway = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway):
        assert gateway.wait_for(r'-H "authorization: Bearer \$STEELYARD_API_KEY"')
