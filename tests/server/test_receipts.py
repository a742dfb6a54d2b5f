"""Every request leaves one receipt, however it ended, and it outlives the process."""

import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2

from tests.running import ROOT, Gateway, Simulator, stopped_after

FAST = {"STEELYARD_SIMULATOR_PACE": "0"}


def usage(folder: Path, *words: str) -> Any:
    """`steelyard usage --json` in the gateway's folder."""
    told = subprocess.run(
        [sys.executable, "-m", "gateway", "usage", "--json", *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        check=True,
        timeout=30,
    )
    return json.loads(told.stdout)


def in_ledger(folder: Path) -> dict[str, str]:
    """Decision id -> outcome, straight from the file."""
    connection = sqlite3.connect(folder / ".steelyard" / "ledger.db")
    try:
        return dict(connection.execute("SELECT id, outcome FROM receipt"))
    finally:
        connection.close()


def test_each_way_to_end_leaves_its_receipt(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ=FAST)
    with stopped_after(gateway):
        answers = {
            "ok": gateway.chat(),
            "ok streamed": gateway.chat(stream=True),
            "cut": gateway.chat(stream=True, headers={"x-steelyard-simulate": "F53;after=3"}),
            "failed": gateway.chat(headers={"x-steelyard-simulate": "F29"}),
            "refused": gateway.chat(headers={"x-steelyard-simulate": "F26"}),
            "refused unread": gateway.http.post("/v1/chat/completions", content=b"{"),
            "refused unknown": gateway.chat(model="nobody"),
        }
    expected = {answer.headers["x-steelyard-decision"]: how.split()[0] for how, answer in answers.items()}
    assert in_ledger(tmp_path) == expected
    report = usage(tmp_path, "--by", "outcome")
    assert {group["group"]: group["requests"] for group in report["groups"]} == {
        "ok": 2,
        "cut": 1,
        "failed": 1,
        "refused": 3,
    }


def test_the_ledger_bills_what_the_provider_billed(tmp_path: Path) -> None:
    simulator = Simulator(tmp_path, "sim-alpha")
    settings = (
        f"providers: {{own: {{base_url: 'http://127.0.0.1:{simulator.ports['sim-alpha']}/v1', models: "
        "[{id: sim/swift-mini, input_price_usd: 3, output_price_usd: 15, cached_input_price_usd: 0.3}]}}"
    )
    gateway = Gateway(tmp_path, settings)
    with stopped_after(simulator, gateway):
        long = "the same beginning " * 400
        for turn in range(6):
            gateway.chat(long + str(turn), stream=bool(turn % 2))
        gateway.stop()
        billed = [entry for entry in simulator.log("sim-alpha") if entry["outcome"] == "done"]
    total = usage(tmp_path, "--by", "model")["total"]
    for ours, theirs in (
        ("input_tokens", "prompt_tokens"),
        ("cached_tokens", "cached_tokens"),
        ("output_tokens", "output_tokens"),
    ):
        assert total[ours] == sum(int(str(entry[theirs])) for entry in billed), ours
    assert total["cached_tokens"] > 0
    fresh = total["input_tokens"] - total["cached_tokens"]
    assert total["cost_nano_usd"] == 3000 * fresh + 300 * total["cached_tokens"] + 15000 * total["output_tokens"]


def test_a_killed_gateway_loses_no_answered_request(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ=FAST)
    with stopped_after(gateway):
        answered = [gateway.chat(str(turn)).headers["x-steelyard-decision"] for turn in range(50)]
        gateway.stop(signal.SIGKILL)
    again = Gateway(tmp_path, environ=FAST)
    with stopped_after(again):
        answered.append(again.chat().headers["x-steelyard-decision"])
    assert sorted(in_ledger(tmp_path)) == sorted(answered)


def test_a_price_that_nobody_states_is_unknown_and_not_zero(tmp_path: Path) -> None:
    simulator = Simulator(tmp_path, "sim-alpha")
    url = f"http://127.0.0.1:{simulator.ports['sim-alpha']}/v1"
    settings = f"providers: {{own: {{base_url: '{url}', models: [{{id: my/model, upstream_name: sim/swift-mini}}]}}}}"
    gateway = Gateway(tmp_path, settings)
    with stopped_after(simulator, gateway):
        answer = gateway.chat()
        assert "x-steelyard-cost-usd" not in answer.headers
        assert answer.json()["steelyard"]["cost_usd"] is None
    assert usage(tmp_path)["total"]["unpriced_requests"] == 1


def test_usage_that_the_provider_does_not_send_is_estimated_and_marked(keyless: Gateway) -> None:
    story = keyless.chat(headers={"x-steelyard-simulate": "F39;v=nousage"}).json()["steelyard"]
    assert story["cost_estimated"] is True
    assert story["usage"]["output_tokens"] > 0


def test_a_caller_sees_its_own_usage_and_decisions(tmp_path: Path) -> None:
    digests = {"a": "key-of-a", "b": "key-of-b"}
    keys = "".join(f"  - {{name: {name}, sha256: '{sha256(key)}'}}\n" for name, key in digests.items())
    gateway = Gateway(tmp_path, "keys:\n" + keys, environ=FAST)
    with stopped_after(gateway):
        as_a, as_b = ({"authorization": f"Bearer {key}"} for key in digests.values())
        assert gateway.chat().status_code == 401
        assert gateway.chat(headers={"authorization": "Bearer wrong"}).json()["error"]["code"] == "invalid_api_key"
        decision = gateway.chat(headers=as_a).headers["x-steelyard-decision"]
        path = f"/v1/decisions/{decision}"
        assert gateway.http.get(path, headers=as_a).status_code == 200
        assert gateway.http.get(path, headers=as_b).status_code == 404
        assert "key-of" not in gateway.http.get(path, headers=as_a).text


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_decision_is_told_in_full(keyless: Gateway) -> None:
    answer = keyless.chat(model="quality", tools=[])
    told = keyless.http.get(f"/v1/decisions/{answer.headers['x-steelyard-decision']}").json()
    assert told["receipt"]["target"] == told["decision"]["winner"] == answer.json()["steelyard"]["target"]
    targets = {one["target"] for one in told["decision"]["candidates"] + told["decision"]["excluded"]}
    assert len(targets) == keyless.http.get("/readyz").json()["targets"]
    for candidate in told["decision"]["candidates"]:
        parts = sum(share["contribution"] for share in candidate["dimensions"].values())
        assert abs(parts - candidate["score"]) < 1e-4


def test_the_dry_run_calls_nobody_and_agrees_with_the_real_run(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ=FAST)
    with stopped_after(gateway):
        body = {"model": "economy", "messages": [{"role": "user", "content": "hello"}]}
        dry = gateway.http.post("/v1/route", json=body).json()
        real: httpx2.Response = gateway.http.post("/v1/chat/completions", json=body)
        assert dry["winner"] == real.json()["steelyard"]["target"]
    assert len(in_ledger(tmp_path)) == 1
