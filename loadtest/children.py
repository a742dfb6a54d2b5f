"""Processes of a measurement: started on their core, waited for, and stopped again whatever happens."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path

from msgspec import Struct

from loadtest.cores import pinned

ROOT = Path(__file__).parents[1]
READY_SECONDS = 30.0
LOOK_SECONDS = 0.005


class Child(Struct, frozen=True):
    """A server that answers."""

    name: str
    pid: int
    port: int
    start_seconds: float  # from its start to its first answer


@contextlib.contextmanager
def running(name: str, command: list[str], port: int, core: int | None, folder: Path) -> Iterator[Child]:
    """The command's server, from its first answer on; stopped at the end."""
    log = folder / f"{name}.log"
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            pinned(core, command), stdout=output, stderr=subprocess.STDOUT, env=environment(), cwd=folder
        )
    try:
        wait_until_it_answers(port, process, log)
        yield Child(name, process.pid, port, time.perf_counter() - started)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment() -> Mapping[str, str]:
    """Ours, without any provider's key: nothing here may leave the machine."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_TOKEN", "_proxy"))}
    return {**kept, "PYTHONPATH": str(ROOT)}


def python(*arguments: str) -> list[str]:
    """The command of a module of this project."""
    return [sys.executable, "-m", *arguments]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until_it_answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return at the first HTTP answer of any status. Raises when it ends before, or takes longer than 30 s."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse()
            return
        except OSError:
            time.sleep(LOOK_SECONDS)
        finally:
            connection.close()
    raise RuntimeError(f"{log.stem} does not answer on port {port}:\n{log.read_text(errors='replace')[-2000:]}")
