"""Faults that are set beforehand, and those that befall a port itself."""

import json
import socket

import pytest

from gateway.simulator.spawn import SimulatorProcess
from tests.simulator.wire import Seen, ask, chat_body, connect, control, log_of, post, read_reply, until


def statuses(port: int, count: int, **fields: object) -> list[int]:
    return [ask(port, **fields).status for _ in range(count)]  # type: ignore[arg-type]


def test_a_rule_lasts_for_its_number_of_requests(port: int) -> None:
    control(port, "script", {"provider": "sim-alpha", "fault": "F31", "times": 2})
    assert statuses(port, 3) == [503, 503, 200]


def test_a_rule_for_one_model_or_key_leaves_the_others_alone(port: int) -> None:
    control(port, "script", [
        {"provider": "*", "fault": "F29", "model": "sim/swift-pro"},
        {"provider": "sim-alpha", "fault": "F21", "key": "sk-dead"},
    ])  # fmt: skip
    assert statuses(port, 1, model="sim/swift-pro") == [500]
    assert statuses(port, 1, key="sk-dead") == [401]
    assert statuses(port, 1, key="sk-alive") == [200]


def test_a_rule_of_another_provider_does_not_count(simulator: SimulatorProcess) -> None:
    control(simulator.control, "script", {"provider": "sim-bravo", "fault": "F33"})
    assert statuses(simulator.ports["sim-alpha"], 1) == [200]
    assert statuses(simulator.ports["sim-bravo"], 1) == [529]


def test_a_rule_that_has_not_begun_or_is_over_does_nothing(port: int) -> None:
    control(port, "script", {"provider": "*", "fault": "F29", "from_s": 1000})
    control(port, "script", {"provider": "*", "fault": "F29", "to_s": 0})
    assert statuses(port, 1) == [200]


def test_the_header_wins_over_the_script_and_the_newest_rule_over_older_ones(port: int) -> None:
    control(port, "script", {"provider": "*", "fault": "F29"})
    control(port, "script", {"provider": "*", "fault": "F32"})
    assert statuses(port, 1) == [504]
    assert ask(port, "F33").status == 529
    assert ask(port, "OK").status == 200


def test_reset_ends_every_rule_and_forgets_every_request(port: int) -> None:
    control(port, "script", {"provider": "*", "fault": "F29"})
    assert statuses(port, 1) == [500]
    control(port, "reset")
    assert log_of(port) == []
    assert statuses(port, 1) == [200]


@pytest.mark.parametrize(
    "rule",
    [
        {"provider": "sim-zulu", "fault": "F29"},
        {"provider": "*", "fault": "F00"},
        {"provider": "*", "fault": "F29", "times": 0},
        {"provider": "*", "fault": "F29", "until": 3},
        {"provider": "*", "fault": "F01", "times": 3},
        {"provider": "*"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(port: int, rule: dict[str, object]) -> None:
    with connect(port) as caller:
        caller.sendall(post("/_sim/script", json.dumps(rule).encode(), {}))
        assert read_reply(caller, Seen()).status == 400


def test_a_closed_port_refuses_cuts_open_connections_and_comes_back(simulator: SimulatorProcess) -> None:
    port = simulator.ports["sim-bravo"]
    with connect(port) as kept:
        kept.sendall(post("/v1/chat/completions", chat_body(), {"x-steelyard-simulate": "F08"}))
        control(simulator.control, "script", {"provider": "sim-bravo", "fault": "F01"})
        assert read_reply(kept, Seen()).ending in ("fin", "rst")
    with pytest.raises(ConnectionRefusedError):
        connect(port)
    assert statuses(simulator.ports["sim-alpha"], 1) == [200]
    control(simulator.control, "reset")
    assert statuses(port, 2) == [200, 200]


def test_a_choked_port_drops_connection_attempts_and_comes_back(simulator: SimulatorProcess) -> None:
    port = simulator.ports["sim-charlie"]
    control(simulator.control, "script", {"provider": "sim-charlie", "fault": "F03"})
    with pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", port), timeout=0.3)
    control(simulator.control, "reset")
    assert statuses(port, 1, model="accounts/sim/models/thinker") == [200]


def test_a_resetting_port_resets_before_it_reads(simulator: SimulatorProcess) -> None:
    port = simulator.ports["sim-delta"]
    control(simulator.control, "script", {"provider": "sim-delta", "fault": "F06"})
    with pytest.raises(ConnectionResetError), socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
        caller.recv(1)
    assert log_of(simulator.control) == []


def test_a_port_fails_for_its_span_of_time_only(simulator: SimulatorProcess) -> None:
    port = simulator.ports["sim-alpha"]
    control(simulator.control, "script", {"provider": "*", "fault": "F01", "to_s": 0.2})
    assert not listens(port)
    until(lambda: log_of(simulator.control) == [] and listens(port))
    assert statuses(port, 1) == [200]


def listens(port: int) -> bool:
    try:
        connect(port).close()
    except ConnectionRefusedError:
        return False
    return True
