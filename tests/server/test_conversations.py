"""A conversation stays where it is warm, over real requests to a gateway on its simulator."""

from pathlib import Path
from typing import Any

import httpx2

from tests.running import Gateway, Simulator, stopped_after

SYSTEM = {"role": "system", "content": "You are a careful agent who reads everything twice. " * 300}
QUESTION = {"role": "user", "content": "Which file holds the parser?"}
GOES_ON = [SYSTEM, QUESTION, {"role": "assistant", "content": "core/parser.py"}, {"role": "user", "content": "Fix it."}]


def decided(gateway: Gateway, decision: str) -> dict[str, Any]:
    record: dict[str, Any] = gateway.http.get(f"/v1/decisions/{decision}").json()
    return record


def test_the_second_turn_goes_on_where_the_first_is_warm_and_says_what_that_saves(keyless: Gateway) -> None:
    first = keyless.chat(messages=[SYSTEM, QUESTION])
    record = decided(keyless, first.headers["x-steelyard-decision"])
    assert record["decision"]["session"] is None
    second = keyless.chat(messages=GOES_ON)
    record = decided(keyless, second.headers["x-steelyard-decision"])
    session = record["decision"]["session"]
    assert session["target"] == record["receipt"]["target"]
    assert session["stays"]
    (warm,) = session["warm"]
    assert warm["cost_usd"] < 0.7 * warm["cost_without_cache_usd"]
    assert record["receipt"]["usage"]["cached_tokens"] > 0.9 * warm["cached_tokens"]


def test_a_dry_run_knows_the_conversation_too_and_notes_nothing(keyless: Gateway) -> None:
    opening = {"role": "user", "content": "Where does the dry run begin?"}
    for _ in range(2):
        dry = keyless.http.post("/v1/route", json={"model": "auto", "messages": [SYSTEM, opening]}).json()
        assert dry["session"] is None or dry["session"]["target"] is None
    keyless.chat(messages=[SYSTEM, opening])
    dry = keyless.http.post("/v1/route", json={"model": "auto", "messages": [SYSTEM, opening]}).json()
    assert dry["session"]["stays"]


def test_a_router_may_ignore_conversations(tmp_path: Path) -> None:
    settings = "routers:\n  loose:\n    preset: auto\n    sessions: false\n"
    gateway = Gateway(tmp_path, settings, environ={"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway):
        gateway.chat(model="loose", messages=[SYSTEM, QUESTION])
        answer = gateway.chat(model="loose", messages=GOES_ON)
        assert decided(gateway, answer.headers["x-steelyard-decision"])["decision"]["session"] is None


PAIR = """
providers:
  one:
    base_url: http://127.0.0.1:{alpha}/v1
    models:
      - id: own/a
        upstream_name: sim/swift-mini
        input_price_usd: 1
        cached_input_price_usd: 0.1
        output_price_usd: 4
  two:
    base_url: http://127.0.0.1:{bravo}/v1
    models:
      - id: own/b
        upstream_name: sim/swift-mini
        input_price_usd: 2
        cached_input_price_usd: 0.1
        output_price_usd: 4
routers:
  cheap: {{weights: {{cost: 1}}}}
"""


def test_a_target_that_fails_is_left_at_once_and_the_conversation_goes_on_at_the_next(tmp_path: Path) -> None:
    simulator = Simulator(tmp_path, "sim-alpha", "sim-bravo")
    with stopped_after(simulator):
        settings = PAIR.format(alpha=simulator.ports["sim-alpha"], bravo=simulator.ports["sim-bravo"])
        gateway = Gateway(tmp_path, settings)
        with stopped_after(gateway):
            first = gateway.chat(model="cheap", messages=[SYSTEM, QUESTION])
            assert first.headers["x-steelyard-provider"] == "one"
            rule = {"provider": "sim-alpha", "fault": "F33", "times": 1}
            httpx2.post(f"http://127.0.0.1:{simulator.ports['sim-alpha']}/_sim/script", json=[rule])
            moved = gateway.chat(model="cheap", messages=GOES_ON)
            assert moved.headers["x-steelyard-provider"] == "two"
            later = [*GOES_ON, {"role": "assistant", "content": "Done."}, {"role": "user", "content": "Thanks."}]
            settled = gateway.chat(model="cheap", messages=later)
            assert settled.headers["x-steelyard-provider"] == "two"
            session = decided(gateway, settled.headers["x-steelyard-decision"])["decision"]["session"]
            assert session["target"] == "own/b@two"
            assert session["stays"]


ASKED = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
IN_A_TOOL_LOOP = [
    QUESTION,
    {"role": "assistant", "content": None, "tool_calls": [ASKED]},
    {"role": "tool", "tool_call_id": "call_1", "content": "def parse(): ..."},
]


def test_a_router_that_explores_asks_whom_nobody_asked_of_late_but_never_in_a_tool_loop(tmp_path: Path) -> None:
    simulator = Simulator(tmp_path, "sim-alpha", "sim-bravo")
    with stopped_after(simulator):
        pair = PAIR.format(alpha=simulator.ports["sim-alpha"], bravo=simulator.ports["sim-bravo"])
        curious = "  curious: {weights: {cost: 1}, explore: 1.0, stay_margin: 0.2}\n"
        gateway = Gateway(tmp_path, pair + curious)
        with stopped_after(gateway):
            looping = gateway.chat(model="curious", messages=IN_A_TOOL_LOOP)
            record = decided(gateway, looping.headers["x-steelyard-decision"])
            assert looping.headers["x-steelyard-provider"] == "one"
            assert (record["decision"]["explored"], record["receipt"]["explored"]) == (False, False)
            asked = [gateway.chat(model="curious", messages=[QUESTION]) for _ in range(5)]
            assert [answer.headers["x-steelyard-provider"] for answer in asked] == ["two"] * 5
            record = decided(gateway, asked[-1].headers["x-steelyard-decision"])
            assert (record["decision"]["explored"], record["receipt"]["explored"]) == (True, True)
            assert record["decision"]["candidates"][0]["recent_calls"] < 5.0
