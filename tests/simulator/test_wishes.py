"""Who a wish in the header or in a model's name is for; faults that depend on chance and load; kept connections."""

import pytest

from gateway.simulator.spawn import SimulatorProcess
from tests.simulator.wire import Seen, ask, chat_body, connect, control, log_of, post, read_reply, until


@pytest.mark.parametrize(
    ("header", "alpha", "bravo"),
    [
        ("F29", 500, 500),
        ("sim-alpha=F29", 500, 200),
        ("sim-alpha=F29,sim-bravo=F31;ra=3", 500, 503),
        ("sim/swift-mini@sim-bravo=F33,F24", 408, 529),
        ("sim/swift-mini=F22", 403, 403),
        ("sim/other=F22", 200, 200),
        ("", 200, 200),
    ],
)
def test_a_wish_is_for_everyone_or_for_whom_it_names(
    simulator: SimulatorProcess, header: str, alpha: int, bravo: int
) -> None:
    assert ask(simulator.ports["sim-alpha"], header).status == alpha
    assert ask(simulator.ports["sim-bravo"], header).status == bravo


def test_a_models_name_may_carry_a_fault_that_wins_over_the_header(port: int) -> None:
    assert ask(port, "F29", model="sim/swift-mini:F31").status == 503
    assert ask(port, model="sim/swift-mini:F80;pr=1;v=529").status == 529


def test_chance_is_seeded_so_a_run_can_be_repeated(simulator: SimulatorProcess) -> None:
    port = simulator.ports["sim-alpha"]
    runs = []
    for _ in range(2):
        control(simulator.control, "reset")
        runs.append([ask(port, "F80;pr=0.3").status for _ in range(100)])
    assert runs[0] == runs[1]
    assert 15 < runs[0].count(500) < 45


def test_the_first_calls_of_each_key_fail(port: int) -> None:
    assert [ask(port, "F81;k=2", key="a").status for _ in range(4)] == [503, 503, 200, 200]
    assert ask(port, "F81;k=2", key="b").status == 503


def test_capacity_counts_open_requests_only(port: int) -> None:
    with connect(port) as first, connect(port) as second:
        for caller in (first, second):
            caller.sendall(post("/v1/chat/completions", chat_body(), {"x-steelyard-simulate": "F08"}))
        until(lambda: len(log_of(port)) == 2)
        assert ask(port, "F82;c=2").status == 529
        assert ask(port, "F82;c=3").status == 200
    until(lambda: all(entry["outcome"] != "open" for entry in log_of(port)))
    assert ask(port, "F82;c=1").status == 200


def test_a_model_with_a_habit_has_it_without_being_asked(simulator: SimulatorProcess) -> None:
    port = simulator.ports["sim-delta"]
    statuses = [ask(port, model="flaky-fox").status for _ in range(300)]
    assert 0 < statuses.count(503) < 20
    assert statuses.count(200) == 300 - statuses.count(503)
    assert ask(port, "OK", model="crowded-hall").status == 200


@pytest.mark.parametrize("variant", ["now", "next"])
def test_a_kept_alive_connection_closes_under_the_caller(port: int, variant: str) -> None:
    request = post("/v1/chat/completions", chat_body(), {"x-steelyard-simulate": f"F48;v={variant}"})
    with connect(port) as caller:
        caller.sendall(request)
        first = read_reply(caller, Seen())
        assert first.ending == "whole"
        assert "close" not in first.header("connection")
        if variant == "next":
            assert read_reply(caller, Seen()).ending == "silent"
            caller.sendall(request)
        assert read_reply(caller, Seen()).ending == "fin"


def test_a_caller_of_http_1_0_gets_a_body_without_chunks_and_a_close(port: int) -> None:
    body = chat_body(stream=True)
    with connect(port) as caller:
        caller.sendall(b"POST /v1/chat/completions HTTP/1.0\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        seen = read_reply(caller, Seen())
    assert b"chunked" not in seen.head
    assert seen.body.endswith(b"data: [DONE]\n\n")


def test_a_caller_who_waits_for_100_continue_gets_it(port: int) -> None:
    body = chat_body()
    head, _, _ = post("/v1/chat/completions", body, {"expect": "100-continue"}).partition(b"\r\n\r\n")
    with connect(port) as caller:
        caller.sendall(head + b"\r\n\r\n")
        assert caller.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        caller.sendall(body)
        assert read_reply(caller, Seen()).status == 200


def test_a_body_in_chunks_and_in_single_bytes_is_read(port: int) -> None:
    body = chat_body()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    request = b"POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n" + chunks
    with connect(port) as caller:
        for byte in request:
            caller.send(bytes([byte]))
        assert read_reply(caller, Seen()).text == ask(port).text
