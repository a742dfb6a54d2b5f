"""Commands as a person types them, in a folder of their own and without any provider key."""

import os
import subprocess
import sys
from pathlib import Path

from tests.running import ROOT

TIMEOUT_SECONDS = 60.0


def steelyard(folder: Path, *words: str, piped: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """One command whose output is read by a program."""
    return subprocess.run(
        arguments(words),
        cwd=folder,
        env=environment(environ),
        input=piped,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def on_terminal(folder: Path, *words: str, **environ: str) -> str:
    """All that a command shows at a terminal, which must be less than 4 KiB: nobody reads while it runs."""
    reader, terminal = os.openpty()
    try:
        subprocess.run(
            arguments(words),
            cwd=folder,
            env=environment(environ),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
        return os.read(reader, 65_536).decode().replace("\r\n", "\n")
    finally:
        os.close(terminal)
        os.close(reader)


def arguments(words: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "gateway", *words]


def environment(environ: dict[str, str]) -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "COLUMNS": "200", **environ}
