"""A caller who hangs up: the provider is released, and what was delivered is billed."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import Gateway, Simulator, stopped_after

DEADLINE_SECONDS = 10.0


def request(gateway: Gateway, stream: bool, text: str = "hello", times: int = 1) -> socket.socket:
    """An open connection on which a chat request has been sent, so often without waiting for an answer."""
    body = json.dumps({"model": "auto", "stream": stream, "messages": [{"role": "user", "content": text}]}).encode()
    port = int(gateway.url.rpartition(":")[2])
    connection = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n\r\n"
    connection.sendall((head.encode() + body) * times)
    return connection


def eventually(holds: Callable[[], bool]) -> bool:
    """Ask again until it holds or the deadline is over."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            return False
    return True


@pytest.mark.parametrize(
    ("stream", "text"),
    [(False, "hello"), (True, "hello"), (False, "hello" * 60_000)],  # the last is more than uvicorn takes in at once
    ids=["whole", "stream", "long"],
)
def test_a_caller_who_hangs_up_releases_the_provider(tmp_path: Path, stream: bool, text: str) -> None:
    simulator = Simulator(tmp_path, "sim-bravo", pace=2.0)
    url = f"http://127.0.0.1:{simulator.ports['sim-bravo']}/v1"
    model = "{id: sim/long-scroll, context_window: 2000000, input_price_usd: 1, output_price_usd: 1}"
    gateway = Gateway(tmp_path, f"providers: {{own: {{base_url: '{url}', models: [{model}]}}}}")
    with stopped_after(simulator, gateway):
        connection = request(gateway, stream, text)
        if stream:
            received = b""
            while received.count(b"data: ") < 3:
                received += connection.recv(65536)
        else:
            assert eventually(lambda: len(simulator.log("sim-bravo")) == 1)
        connection.close()
        assert eventually(lambda: simulator.log("sim-bravo")[0]["outcome"] == "gone")
        assert simulator.log("sim-bravo")[0]["gone_ms"] is not None
        assert eventually(lambda: gateway.http.get("/v1/usage?by=outcome").json()["total"] is not None)
        report = gateway.http.get("/v1/usage?by=outcome").json()
        assert [group["group"] for group in report["groups"]] == ["disconnected"]
        assert (report["total"]["output_tokens"] > 0) is stream
        assert gateway.chat("next", max_tokens=1).status_code == 200


def test_a_caller_who_hangs_up_while_a_long_request_is_read_costs_nothing(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway):
        request(gateway, False, "hello" + " " * 30_000_000).close()  # the connection ends long before the reading does
        assert eventually(lambda: gateway.http.get("/v1/usage?by=outcome").json()["total"] is not None)
        report = gateway.http.get("/v1/usage?by=outcome").json()
        assert [group["group"] for group in report["groups"]] == ["disconnected"]
        assert report["total"]["cost_nano_usd"] == 0


@pytest.mark.parametrize("path", ["/v1/route", "/v1/messages/count_tokens", "/v1/chat/completions"])
def test_a_caller_who_leaves_in_the_middle_of_his_request_is_no_error_of_ours(keyless: Gateway, path: str) -> None:
    port = int(keyless.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{{".encode())
    decision = keyless.chat().headers["x-steelyard-decision"]
    keyless.wait_for(decision)
    assert not [line for line in keyless.lines if "Traceback" in line]


def test_who_hangs_up_with_another_request_waiting_leaves_no_error_behind(tmp_path: Path) -> None:
    simulator = Simulator(tmp_path, "sim-bravo", pace=2.0)
    url = f"http://127.0.0.1:{simulator.ports['sim-bravo']}/v1"
    model = "{id: sim/long-scroll, context_window: 2000000, input_price_usd: 1, output_price_usd: 1}"
    gateway = Gateway(tmp_path, f"providers: {{own: {{base_url: '{url}', models: [{model}]}}}}")
    with stopped_after(simulator, gateway):
        connection = request(gateway, stream=False, times=2)
        assert eventually(lambda: len(simulator.log("sim-bravo")) == 1)
        connection.close()
        assert eventually(lambda: simulator.log("sim-bravo")[0]["outcome"] == "gone")
        assert gateway.chat("next", max_tokens=1).status_code == 200
        assert len(simulator.log("sim-bravo")) == 2
    assert "ASGI" not in "".join(gateway.lines)
