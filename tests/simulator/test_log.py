"""The log is the truth: what came in, what went out and what it costs, however a request ended."""

import json
import socket
import struct
from collections.abc import Callable

import pytest

from gateway.simulator.models import OFFERS
from gateway.simulator.spawn import SimulatorProcess
from tests.simulator.wire import Seen, ask, chat_body, connect, control, log_of, post, read_reply, until

OFFER = next(offer for offer in OFFERS if offer.id == "sim/swift-mini@sim-alpha")


def wait_until(port: int, ready: Callable[[dict[str, object]], bool]) -> dict[str, object]:
    """The newest entry, once it is ready."""
    until(lambda: ready(log_of(port)[-1]))
    return log_of(port)[-1]


@pytest.mark.parametrize("stream", [False, True])
def test_a_finished_request_is_billed_what_its_usage_says(port: int, stream: bool) -> None:
    more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    seen = ask(port, **more)  # type: ignore[arg-type]
    usage = seen.chunks[-1]["usage"] if stream else json.loads(seen.body)["usage"]
    assert isinstance(usage, dict)
    (entry,) = log_of(port)
    assert entry["outcome"] == "done"
    assert entry["status"] == 200
    assert entry["stream"] is stream
    assert entry["bytes_sent"] == len(seen.raw)
    assert (entry["prompt_tokens"], entry["output_tokens"]) == (usage["prompt_tokens"], usage["completion_tokens"])
    assert entry["cost_nano_usd"] == OFFER.cost_nano_usd(usage["prompt_tokens"], 0, usage["completion_tokens"])
    assert entry["id"] == (seen.chunks[0] if stream else json.loads(seen.body))["id"]


@pytest.mark.parametrize(
    ("fault", "billed", "outcome"), [("F53;after=4", 4, "cut"), ("F29", 0, "done"), ("F37", 0, "cut")]
)
def test_a_fault_is_billed_for_the_tokens_that_were_written(port: int, fault: str, billed: int, outcome: str) -> None:
    ask(port, fault, stream=True)
    (entry,) = log_of(port)
    assert (entry["fault"], entry["output_tokens"], entry["outcome"]) == (fault, billed, outcome)
    assert bool(entry["cost_nano_usd"]) == bool(billed)


def test_a_caller_who_leaves_pays_for_what_he_was_sent(port: int) -> None:
    with connect(port) as caller:
        caller.sendall(post("/v1/chat/completions", chat_body(stream=True), {"x-steelyard-simulate": "F56;after=6"}))
        seen = read_reply(caller, Seen())
        assert seen.ending == "silent"
        assert log_of(port)[-1]["outcome"] == "open"
    entry = wait_until(port, lambda entry: entry["outcome"] != "open")
    assert (entry["outcome"], entry["output_tokens"]) == ("gone", 6)
    assert entry["gone_ms"] is not None
    assert entry["cost_nano_usd"] == OFFER.cost_nano_usd(int(str(entry["prompt_tokens"])), 0, 6)


def test_a_caller_who_resets_is_noticed_before_the_first_byte(port: int) -> None:
    with connect(port) as caller:
        caller.sendall(post("/v1/chat/completions", chat_body(), {"x-steelyard-simulate": "F08"}))
        wait_until(port, lambda entry: entry["outcome"] == "open")
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    entry = wait_until(port, lambda entry: entry["outcome"] != "open")
    assert (entry["outcome"], entry["output_tokens"], entry["bytes_sent"], entry["cost_nano_usd"]) == ("gone", 0, 0, 0)


def test_a_slow_reader_is_not_sent_the_whole_firehose(port: int) -> None:
    with connect(port) as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        caller.sendall(post("/v1/chat/completions", chat_body(stream=True), {"x-steelyard-simulate": "F72;n=200000"}))
        caller.recv(1000)
        before = wait_until(port, lambda entry: int(str(entry["output_tokens"])) > 0)
        settled = wait_until(port, lambda entry: entry["bytes_sent"] == log_of(port)[-1]["bytes_sent"])
        assert int(str(before["output_tokens"])) <= int(str(settled["output_tokens"])) < 100_000
    assert wait_until(port, lambda entry: entry["outcome"] != "open")["outcome"] == "gone"


def test_the_log_names_headers_but_keeps_no_value_of_them(port: int) -> None:
    ask(port, key="sk-secret")
    (entry,) = log_of(port)
    assert "authorization" in list(entry["header_names"])  # type: ignore[call-overload]
    assert "sk-secret" not in json.dumps(entry)


def test_one_connection_serves_many_requests_and_pipelined_ones_in_order(port: int) -> None:
    requests = [post("/v1/chat/completions", chat_body(text=f"question {turn}"), {}) for turn in range(3)]
    apart = [ask(port, text=f"question {turn}").text for turn in range(3)]
    together = []
    with connect(port) as caller:
        caller.sendall(requests[0] + requests[1])
        replies = read_all(caller, 2)
        caller.sendall(requests[2])
        replies += read_all(caller, 1)
        together = [reply["choices"][0]["message"]["content"] for reply in replies]
    assert together == apart
    assert len({entry["connection"] for entry in log_of(port)[-3:]}) == 1


def read_all(caller: socket.socket, count: int) -> list[dict[str, list[dict[str, dict[str, str]]]]]:
    """So many JSON documents of stated length."""
    made: list[dict[str, list[dict[str, dict[str, str]]]]] = []
    raw = b""
    while len(made) < count:
        head, found, rest = raw.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0) if found else 0
        if found and len(rest) >= length:
            made.append(json.loads(rest[:length]))
            raw = rest[length:]
        else:
            raw += caller.recv(1 << 16)
    return made


def test_each_port_tells_of_its_own_provider_and_the_control_port_of_all(simulator: SimulatorProcess) -> None:
    ask(simulator.ports["sim-alpha"])
    ask(simulator.ports["sim-bravo"])
    assert [entry["provider"] for entry in log_of(simulator.ports["sim-bravo"])] == ["sim-bravo"]
    assert [entry["provider"] for entry in log_of(simulator.control)] == ["sim-alpha", "sim-bravo"]
    after = control(simulator.control, "log?after=1")
    assert isinstance(after, list)
    assert [entry["number"] for entry in after] == [2]
