"""Real processes on loopback for the tests: a gateway, a simulator, each with its own folder and its own output."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2

ROOT = Path(__file__).parents[1]
DEADLINE_SECONDS = 30.0


class Process:
    """A child whose lines of output can be waited for."""

    def __init__(self, arguments: list[str], folder: Path, environ: Mapping[str, str]) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_TOKEN", "_PROXY", "_proxy"))}
        self.lines: list[str] = []
        self.child = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env={**clean, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "STEELYARD_ALLOW_ROOT": "1", **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._buffer = b""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first line of output, past or coming, that matches; fails after 30 s or when the process ends."""
        for line in self.lines:
            if found := re.search(pattern, line):
                return found
        assert self.child.stdout is not None
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.child.stdout], [], [], left)[0]:
                break
            chunk = os.read(self.child.stdout.fileno(), 65536)
            if not chunk:
                break
            *whole, self._buffer = (self._buffer + chunk).split(b"\n")
            new = [line.decode() for line in whole]
            self.lines += new
            for line in new:
                if found := re.search(pattern, line):
                    return found
        Process.stop(self)  # a subclass may not be ready to stop
        raise AssertionError(
            f"no line {pattern!r} within {DEADLINE_SECONDS:g} s; output so far:\n" + "\n".join(self.lines)
        )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it, if it still runs, and return its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        assert self.child.stdout is not None
        if self.child.stdout.closed:
            return self.child.wait()
        with self.child.stdout:
            rest = self.child.stdout.read()
        self.child.wait(DEADLINE_SECONDS)
        self.lines += (self._buffer + rest).decode().splitlines()
        self._buffer = b""
        return self.child.returncode


class Gateway(Process):
    """`steelyard serve` in a folder of its own."""

    def __init__(
        self,
        folder: Path,
        settings: str | None = None,
        environ: Mapping[str, str] = {},
        more: Sequence[str] = (),
        port: int = 0,
    ) -> None:
        """more: of the command line."""
        arguments = ["-m", "gateway", "serve", "--port", str(port), *more]
        if settings is not None:
            # Nothing but loopback is ever asked by a test.
            quiet = "" if "\ncatalog:" in settings else "\ncatalog: {refresh: false}\n"
            (folder / "steelyard.yaml").write_text(settings + quiet)
        super().__init__(arguments, folder, {"STEELYARD_ALLOW_ROOT": "1", **environ})  # whoever runs the tests
        self.url = self.wait_for(r"serves (http://\S+)/v1").group(1)
        self.http = httpx2.Client(base_url=self.url, timeout=DEADLINE_SECONDS)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.http.close()
        return super().stop(number)

    def chat(self, text: str = "hello", **fields: object) -> httpx2.Response:
        """One non-streaming chat completion."""
        headers = fields.pop("headers", {})
        body = {"model": "auto", "messages": [{"role": "user", "content": text}], **fields}
        return self.http.post("/v1/chat/completions", json=body, headers=headers)  # type: ignore[arg-type]

    def models(self) -> list[dict[str, Any]]:
        """GET /v1/models."""
        rows: list[dict[str, Any]] = self.http.get("/v1/models").json()["data"]
        return rows


class Simulator(Process):
    """Simulated providers by themselves; `ports` maps provider to port."""

    def __init__(self, folder: Path, *providers: str, pace: float = 0.0, seed: int = 0) -> None:
        chosen = [word for provider in providers for word in ("--provider", provider)]
        super().__init__(["-m", "gateway", "simulator", *chosen, "--pace", str(pace), "--seed", str(seed)], folder, {})
        self.ports: dict[str, int] = json.loads(self.wait_for(r'^{"ready".*}$').group(0))["ports"]

    def log(self, provider: str) -> list[dict[str, object]]:
        """What this provider received and billed."""
        answer = httpx2.get(f"http://127.0.0.1:{self.ports[provider]}/_sim/log")
        entries: list[dict[str, object]] = answer.json()
        return entries


@contextlib.contextmanager
def stopped_after(*processes: Process) -> Iterator[None]:
    """End the processes when the block is left, however it is left."""
    try:
        yield
    finally:
        for process in reversed(processes):
            process.stop()
