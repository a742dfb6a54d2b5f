"""The simulator as a process: how it starts, what it says, how it ends."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.wire import Seen, ask, chat_body, connect, control, post, read_reply

ROOT = Path(__file__).parents[2]


def start(*arguments: str, environ: dict[str, str] | None = None) -> tuple[subprocess.Popen[bytes], dict[str, object]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "gateway.simulator", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    )
    assert child.stdout is not None
    return child, json.loads(child.stdout.readline())


@contextlib.contextmanager
def running(*arguments: str, environ: dict[str, str] | None = None) -> Iterator[dict[str, int]]:
    """The ports of a simulator that is told to end when the block is left."""
    child, ready = start(*arguments, environ=environ)
    try:
        yield ports_of(ready)
    finally:
        child.terminate()
        ended(child)


def ended(child: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    _, errors = child.communicate(timeout=10)
    return child.returncode, errors


def ports_of(ready: dict[str, object]) -> dict[str, int]:
    ports = ready["ports"]
    assert isinstance(ports, dict)
    return ports


def test_it_ends_with_its_parent_quietly() -> None:
    child, ready = start("--provider", "sim-alpha", "--pace", "0", "--exit-with-parent")
    assert ready["ready"] is True
    assert ask(ports_of(ready)["sim-alpha"]).status == 200
    assert ended(child) == (0, b"")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_even_while_it_answers(number: signal.Signals) -> None:
    child, ready = start("--provider", "sim-alpha", "--exit-with-parent")
    with connect(ports_of(ready)["sim-alpha"]) as caller:
        caller.sendall(post("/v1/chat/completions", chat_body(), {"x-steelyard-simulate": "F08"}))
        child.send_signal(number)
        assert child.wait(10) == 0
        assert read_reply(caller, Seen()).ending in ("fin", "rst")
    assert ended(child) == (0, b"")


def test_all_providers_can_share_one_port() -> None:
    with running("--single-port", "--pace", "0", "--coalesce") as ports:
        (port,) = set(ports.values())
        for provider, model in (("sim-alpha", "sim/swift-mini"), ("sim-delta", "swift-mini")):
            with connect(port) as caller:
                caller.sendall(post(f"/{provider}/v1/chat/completions", chat_body(model, stream=True), {}))
                seen = read_reply(caller, Seen())
            assert seen.status == 200
            assert seen.events[-1] == b"[DONE]"
        entries = control(port, "log")
        assert isinstance(entries, list)
        assert [entry["provider"] for entry in entries] == ["sim-alpha", "sim-delta"]
        assert ask(port).status == 404


def test_given_a_port_the_providers_stand_in_a_row() -> None:
    port = two_free_ports()
    with running("--port", str(port), "--provider", "sim-alpha", "--provider", "sim-bravo") as ports:
        assert ports == {"sim-alpha": port, "sim-bravo": port + 1}


def two_free_ports() -> int:
    """The first of two neighbours that were free just now."""
    for number in range(20_000, 30_000, 2):  # below the range from which the kernel gives out ports
        with contextlib.suppress(OSError):
            for port in (number, number + 1):
                socket.create_server(("127.0.0.1", port)).close()
            return number
    raise AssertionError("no two free ports")


def test_a_port_that_is_taken_is_named_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "gateway.simulator", "--provider", "sim-alpha", "--port", str(port)]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert told.returncode == 1
    assert told.stderr.decode() == f"simulator: cannot listen: 127.0.0.1:{port}: Address already in use\n"


def test_the_process_stays_lean() -> None:
    code = (
        "import gateway.simulator.run, sys; print([m for m in ('numpy', 'aiohttp', 'starlette') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert told.stdout.strip() == b"[]"


def test_the_pace_comes_from_the_environment_when_none_is_given() -> None:
    with running("--provider", "sim-alpha", environ={"STEELYARD_SIMULATOR_PACE": "0"}) as ports:
        assert ask(ports["sim-alpha"], model="sim/thinker-max").ending == "whole"  # 2.2 s at pace 1


def test_at_a_pace_tokens_come_one_by_one() -> None:
    with running("--provider", "sim-alpha", "--pace", "1") as ports, connect(ports["sim-alpha"]) as caller:
        caller.sendall(post("/v1/chat/completions", chat_body(stream=True), {"x-steelyard-simulate": "OK;tokens=20"}))
        reads = 0
        raw = b""
        while not raw.endswith(b"\r\n0\r\n\r\n"):
            raw += caller.recv(1 << 16)
            reads += 1
    assert raw.count(b'"content"') == 21
    assert reads >= 5  # at pace 0 and coalesced it would be one
