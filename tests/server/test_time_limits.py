"""The time limits of a router, as they are written in the file, through the whole server."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.running import Gateway, Simulator, stopped_after

SETTINGS = """
default_router: hasty
routers:
  hasty: {{preset: auto, fallback: {{first_token_seconds: 0.3, idle_seconds: 0.3, total_seconds: 1.5}}}}
  patient: {{preset: auto, fallback: {{first_token_seconds: 20, idle_seconds: 20, total_seconds: 60}}}}
providers:
  own:
    base_url: http://127.0.0.1:{port}/v1
    models:
      - {{id: own/good, upstream_name: "sim/swift-mini"}}
      - {{id: own/silent, upstream_name: "sim/swift-mini:F08"}}
      - {{id: own/stalling, upstream_name: "sim/swift-mini:F56;after=2"}}
      - {{id: own/slow, upstream_name: "sim/swift-mini:F73;gap=100;tokens=22"}}
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("limits")
    simulator = Simulator(folder, "sim-alpha")
    with stopped_after(simulator):
        gateway = Gateway(folder, SETTINGS.format(port=simulator.ports["sim-alpha"]))
        with stopped_after(gateway):
            yield gateway


def last_of(answer: httpx2.Response) -> Any:
    """The last chunk of a stream, or the whole document."""
    lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
    return json.loads(lines[-1] if lines else answer.text)


def faults(answer: httpx2.Response) -> list[str]:
    return [attempt.get("fault", "") for attempt in last_of(answer)["steelyard"]["attempts"]]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_silent_provider_costs_no_more_than_the_first_token_may_take(gateway: Gateway, stream: bool) -> None:
    messages = [{"role": "user", "content": "hello"}]
    body = {"models": ["own/silent", "own/good"], "stream": stream, "max_tokens": 1, "messages": messages}
    answer = gateway.http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200
    assert faults(answer) == ["header_timeout", ""]


def test_when_nobody_answers_in_time_the_caller_hears_that(gateway: Gateway) -> None:
    answer = gateway.chat(model="own/silent", max_tokens=1)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    assert faults(answer) == ["header_timeout"]
    assert answer.headers["x-should-retry"] == "false"


def test_a_stream_that_stalls_is_cut_after_the_idle_time(gateway: Gateway) -> None:
    answer = gateway.chat(model="own/stalling", stream=True)
    assert faults(answer) == ["idle_timeout"]
    assert last_of(answer)["choices"][0]["finish_reason"] == "error"
    assert "[DONE]" not in answer.text


def test_a_stream_that_goes_on_is_cut_at_the_total_time(gateway: Gateway) -> None:
    answer = gateway.chat(model="own/slow", stream=True)
    assert faults(answer) == ["total_timeout"]
    assert "[DONE]" not in answer.text


def test_a_router_with_longer_limits_waits_for_the_same_stream(gateway: Gateway) -> None:
    body = {"model": "own/slow", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    answer = gateway.http.post("/routers/patient/v1/chat/completions", json=body)
    assert faults(answer) == [""]
    assert answer.text.endswith("data: [DONE]\n\n")
