"""Several workers on one port, and a port that is handed over: real processes, killed and stopped while they are asked.

Which worker a connection comes to is the kernel's choice. What must not depend on it is tried over many connections.
"""

import asyncio
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateway.errors import SettingsError
from gateway.server.handover import Offer, take
from gateway.server.listen import open_shared
from tests.running import ROOT, Gateway, Simulator, stopped_after

pytestmark = pytest.mark.long

TWO = ("--workers", "2")
FAST = {"STEELYARD_SIMULATOR_PACE": "0"}
CONNECTIONS = 12  # that all come to one of two workers once in 2,000 times
HELLO = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}


def children(gateway: Gateway) -> list[int]:
    """The workers' process ids. The simulator, if there is one, is a child too."""
    pid = gateway.child.pid
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in found if b"serve" in Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0")]


def anew(gateway: Gateway, method: str, path: str, **arguments: Any) -> httpx2.Response:
    """Ask over a connection of its own."""
    return httpx2.request(method, f"{gateway.url}{path}", timeout=30.0, **arguments)


def all_see(gateway: Gateway, decision: str) -> None:
    """Every worker has answered about a decision by now, and so has heard all that was told before."""
    for _ in range(CONNECTIONS):
        assert anew(gateway, "GET", f"/v1/decisions/{decision}").json()["decision"] is not None


def until_both_serve(gateway: Gateway) -> None:
    """Each worker tells its figures, so both are there."""
    while not all(f'{{worker="{number}"}}' in anew(gateway, "GET", "/metrics").text for number in (0, 1)):
        assert len(children(gateway)) <= 2


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path_factory.mktemp("pair"), environ=FAST, more=TWO)
    with stopped_after(gateway):
        yield gateway


def test_the_announcement_says_how_many_workers_there_are(pair: Gateway) -> None:
    assert pair.wait_for(r"Workers +2 processes share the port")
    assert len(children(pair)) == 2


def test_a_decision_is_found_whichever_worker_made_it(pair: Gateway) -> None:
    all_see(pair, pair.chat("hello").headers["x-steelyard-decision"])
    assert anew(pair, "GET", "/v1/decisions/dec_0").status_code == 404


def test_the_metrics_are_those_of_both_workers(pair: Gateway) -> None:
    for _ in range(CONNECTIONS):
        text = anew(pair, "GET", "/metrics").text
        assert all(f'steelyard_requests_in_flight{{worker="{number}"}}' in text for number in (0, 1))


def test_a_response_is_gone_on_from_shown_and_deleted_at_any_worker(pair: Gateway) -> None:
    first = pair.http.post("/v1/responses", json={"model": "auto", "input": "hello"}).json()["id"]
    for _ in range(CONNECTIONS):
        body = {"model": "auto", "input": "and then?", "previous_response_id": first, "store": False}
        assert anew(pair, "POST", "/v1/responses", json=body).status_code == 200
        assert anew(pair, "GET", f"/v1/responses/{first}").json()["id"] == first
    assert anew(pair, "DELETE", f"/v1/responses/{first}").json()["deleted"] is True
    all_see(pair, pair.chat("hello").headers["x-steelyard-decision"])
    assert {anew(pair, "GET", f"/v1/responses/{first}").status_code for _ in range(CONNECTIONS)} == {404}


OWN = """
providers:
  one: {{base_url: 'http://127.0.0.1:{alpha}/v1', api_key: env:ONE_KEY, models: [{first}]}}
  two: {{base_url: 'http://127.0.0.1:{bravo}/v1', models: [{second}]}}
routers:
  cheap: {{weights: {{cost: 1}}}}
"""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Gateway, Simulator]]:
    """Two workers, two providers of which the first is cheaper, and their logs."""
    simulator = Simulator(tmp_path, "sim-alpha", "sim-bravo")
    with stopped_after(simulator):
        model = "{{id: own/{0}, upstream_name: sim/swift-mini, input_price_usd: {1}, output_price_usd: {1}}}"
        settings = OWN.format(
            alpha=simulator.ports["sim-alpha"],
            bravo=simulator.ports["sim-bravo"],
            first=model.format("a", 1),
            second=model.format("b", 2),
        )
        gateway = Gateway(tmp_path, settings, {"ONE_KEY": "sk-one-0123456789"}, more=TWO)
        with stopped_after(gateway):
            yield gateway, simulator


def script(simulator: Simulator, **rule: Any) -> None:
    url = f"http://127.0.0.1:{simulator.ports['sim-alpha']}/_sim/script"
    assert httpx2.post(url, json=[{"provider": "sim-alpha", **rule}]).status_code < 300


@pytest.mark.parametrize("fault", ["F11;ra=60", "F21"], ids=["limited", "refused"])
def test_what_one_worker_is_told_of_a_key_all_heed_also_one_that_comes_later(
    own: tuple[Gateway, Simulator], fault: str
) -> None:
    gateway, simulator = own
    script(simulator, fault=fault)
    answer = anew(gateway, "POST", "/v1/chat/completions", json={**HELLO, "model": "cheap"})
    assert answer.headers["x-steelyard-provider"] == "two"
    all_see(gateway, answer.headers["x-steelyard-decision"])
    for _ in range(CONNECTIONS):
        assert anew(gateway, "POST", "/v1/chat/completions", json={**HELLO, "model": "cheap"}).status_code == 200
    os.kill(children(gateway)[-1], signal.SIGKILL)
    gateway.wait_for("another takes its place")
    until_both_serve(gateway)
    for _ in range(CONNECTIONS):
        assert anew(gateway, "POST", "/v1/chat/completions", json={**HELLO, "model": "cheap"}).status_code == 200
    assert len(simulator.log("sim-alpha")) == 1
    gateway.stop()
    assert sum("is refused" in line for line in gateway.lines) == (fault == "F21")


def test_a_request_with_a_key_of_its_own_is_carried_out_once_however_many_workers_get_it(
    own: tuple[Gateway, Simulator],
) -> None:
    gateway, simulator = own

    def send(_: int) -> tuple[int, bytes]:
        headers = {"idempotency-key": "once"}
        answer = anew(gateway, "POST", "/v1/chat/completions", json={**HELLO, "model": "cheap"}, headers=headers)
        return answer.status_code, answer.content

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        answers = set(threads.map(send, range(CONNECTIONS)))
    answers |= {send(0) for _ in range(CONNECTIONS)}
    assert len(answers) == 1
    assert next(iter(answers))[0] == 200
    assert len(simulator.log("sim-alpha")) == 1
    other = {**HELLO, "model": "cheap", "temperature": 0.5}
    for _ in range(CONNECTIONS):
        answer = anew(gateway, "POST", "/v1/chat/completions", json=other, headers={"idempotency-key": "once"})
        assert answer.status_code == 422


def ledger_ids(folder: Path) -> list[str]:
    with sqlite3.connect(folder / ".steelyard" / "ledger.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [row[0] for row in connection.execute("SELECT id FROM receipt")]


def test_a_killed_worker_is_replaced_and_no_answered_request_is_lost(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ=FAST, more=TWO)
    answered: list[str] = []
    failed: list[Exception] = []
    enough = threading.Event()

    def keep_asking() -> None:
        while not enough.is_set():
            try:
                answer = anew(gateway, "POST", "/v1/chat/completions", json=HELLO)
                assert answer.status_code == 200
                answered.append(answer.headers["x-steelyard-decision"])
            except httpx2.HTTPError as error:
                failed.append(error)

    with stopped_after(gateway):
        askers = [threading.Thread(target=keep_asking) for _ in range(4)]
        for asker in askers:
            asker.start()
        for _ in range(2):
            victim = children(gateway)[-1]
            gateway.lines.clear()
            os.kill(victim, signal.SIGKILL)
            gateway.wait_for("another takes its place")
            before = len(answered)
            while len(answered) < before + 40:  # served by the other, and by the new one
                assert enough.wait(0.01) is False
        enough.set()
        for asker in askers:
            asker.join()
        assert len(children(gateway)) == 2
    assert len(failed) <= 8  # those that the killed ones had in hand: each asker has one at a time
    kept = ledger_ids(tmp_path)
    assert len(kept) == len(set(kept))
    assert set(answered) <= set(kept)


class Open:
    """A stream that has begun, over a connection of its own."""

    def __init__(self, gateway: Gateway, tokens: int = 0) -> None:
        self._client = httpx2.Client(timeout=30.0)
        asked = {**HELLO, "stream": True}
        headers = {"x-steelyard-simulate": f"OK;tokens={tokens}"} if tokens else {}
        request = self._client.build_request("POST", f"{gateway.url}/v1/chat/completions", json=asked, headers=headers)
        self._answer = self._client.send(request, stream=True)
        self._lines = self._answer.iter_lines()
        self._first = next(self._lines)

    def rest(self) -> str:
        """All that comes, to the end."""
        text = "\n".join(self._lines)
        self._answer.close()
        self._client.close()
        return text


def test_workers_that_are_stopped_let_their_streams_end(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "0.2"}, more=TWO)
    with stopped_after(gateway):
        opened = [Open(gateway) for _ in range(6)]
        gateway.child.send_signal(signal.SIGTERM)
        assert all("data: [DONE]" in stream.rest() for stream in opened)
        assert gateway.child.wait(30) == 0
    assert len(ledger_ids(tmp_path)) == 6


def test_a_worker_that_is_stopped_before_it_serves_is_no_failure(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ=FAST, more=TWO)
    with stopped_after(gateway):
        os.kill(children(gateway)[-1], signal.SIGKILL)
        gateway.wait_for("another takes its place")
        gateway.child.send_signal(signal.SIGHUP)
        gateway.child.send_signal(signal.SIGTERM)
        assert gateway.child.wait(30) == 0


def test_a_second_signal_ends_the_streams_and_bills_them(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "0.5"}, more=TWO)
    with stopped_after(gateway):
        opened = [Open(gateway, tokens=2_000) for _ in range(4)]
        gateway.child.send_signal(signal.SIGTERM)
        gateway.wait_for("another signal ends them now")
        gateway.child.send_signal(signal.SIGTERM)
        ends = [stream.rest() for stream in opened]
        assert gateway.child.wait(30) == 0
    for end in ends:
        assert '"fault":"stopped"' in end
        assert "[DONE]" not in end
    assert len(ledger_ids(tmp_path)) == 4


def test_workers_do_not_outlive_the_process_that_started_them(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ=FAST, more=TWO)
    workers = children(gateway)
    ends = [os.pidfd_open(pid) for pid in workers]
    gateway.stop(signal.SIGKILL)
    for end in ends:
        signalled, _, _ = select.select([end], [], [], 30.0)
        assert signalled
        os.close(end)


def test_a_file_that_changes_is_followed_by_all_workers(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, "routers:\n  early: {preset: fast}\n", FAST, more=TWO)
    with stopped_after(gateway):
        file = tmp_path / "steelyard.yaml"
        file.write_text(file.read_text().replace("early", "late"))
        gateway.child.send_signal(signal.SIGHUP)
        for _ in range(2):
            gateway.wait_for("reloaded: generation 2")
            gateway.lines.remove(next(line for line in gateway.lines if "reloaded: generation 2" in line))
        for _ in range(CONNECTIONS):
            assert anew(gateway, "POST", "/v1/chat/completions", json={**HELLO, "model": "late"}).status_code == 200


def test_settings_that_are_wrong_end_the_start_with_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "steelyard.yaml").write_text("server: {workers: 2, log: loud}\n")
    ended = started_badly(tmp_path)
    assert (ended.returncode, ended.stderr.count("server.log")) == (2, 1)


def started_badly(folder: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **FAST}
    command = [sys.executable, "-m", "gateway", "serve", *more]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environ, timeout=30, check=False)


@pytest.mark.parametrize("more", [(), TWO], ids=["one", "two"])
def test_an_upgrade_takes_the_port_over_and_nobody_is_turned_away(tmp_path: Path, more: tuple[str, ...]) -> None:
    old = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "0.2"}, more=more)
    port = int(old.url.rpartition(":")[2])
    wrong: list[object] = []
    enough = threading.Event()
    asked = 0

    def keep_asking() -> None:
        nonlocal asked
        while not enough.is_set():
            try:
                answer = anew(old, "GET", "/healthz")
                if answer.status_code != 200:
                    wrong.append(answer)
            except httpx2.HTTPError as error:
                wrong.append(error)
            asked += 1

    with stopped_after(old):
        opened = [Open(old) for _ in range(3)]
        askers = [threading.Thread(target=keep_asking) for _ in range(3)]
        for asker in askers:
            asker.start()
        new = Gateway(tmp_path, environ=FAST, more=(*more, "--take-over"), port=port)
        with stopped_after(new):
            assert all("data: [DONE]" in stream.rest() for stream in opened)
            assert old.child.wait(30) == 0
            before = asked
            while asked < before + 20:
                assert enough.wait(0.01) is False
            enough.set()
            for asker in askers:
                asker.join()
            assert wrong == []
            assert new.chat("hello").status_code == 200


def test_a_port_in_use_is_not_shared_by_accident(pair: Gateway, tmp_path: Path) -> None:
    for more in ((), TWO):
        ended = started_badly(tmp_path, "--port", pair.url.rpartition(":")[2], *more)
        assert ended.returncode == 2
        assert "is in use by another program" in ended.stderr


def test_a_worker_that_hangs_is_ended_says_where_it_hung_and_is_replaced(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, "server: {worker_silence_seconds: 1}\n", FAST, more=TWO)
    with stopped_after(gateway):
        hung = children(gateway)
        for one in hung:
            os.kill(one, signal.SIGSTOP)
        for number in (0, 1):
            gateway.wait_for(f"worker {number} of 2 has said nothing for 1 s and is ended")
        os.kill(hung[0], signal.SIGCONT)
        gateway.wait_for("Fatal Python error: Aborted")
        gateway.wait_for(f"of 2 ended with -{signal.SIGABRT:d}; another takes its place")
        gateway.wait_for(f"of 2 ended with -{signal.SIGKILL:d}; another takes its place")
        until_both_serve(gateway)
        assert not set(hung) & set(children(gateway))
        assert anew(gateway, "POST", "/v1/chat/completions", json=HELLO).status_code == 200


def test_whoever_starts_second_finds_the_port_taken_while_the_first_is_still_starting(tmp_path: Path) -> None:
    opened = open_shared("127.0.0.1", 0, 2)
    port = opened[0].getsockname()[1]
    try:
        for count in (1, 2):
            with pytest.raises(SettingsError, match="is in use by another program"):
                open_shared("127.0.0.1", port, count)
    finally:
        for one in opened:
            one.close()


async def test_only_one_at_a_time_is_handed_the_sockets(tmp_path: Path) -> None:
    taken_over = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = tmp_path / "serve.sock"
        offer = Offer(place, [listener], taken_over.set)
        offer.open()
        first = await asyncio.to_thread(take, place)
        assert first is not None
        with pytest.raises(SettingsError, match=f"process {os.getpid()} is handing its sockets over"):
            await asyncio.to_thread(take, place)
        first.confirm()
        async with asyncio.timeout(5):
            await taken_over.wait()
        offer.close()
        for one in first.sockets:
            assert one.getsockname() == listener.getsockname()
            one.close()
