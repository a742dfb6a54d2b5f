"""Modules of ours as child processes: imported from where this process has them, never from the folder of the start."""

import os
import sys
import sysconfig
from pathlib import Path

NICENESS = 10  # requests come first
ROOT = Path(__file__).parents[1]  # where `gateway` and `core` are, installed or not


def command(module: str, *arguments: str) -> list[str]:
    """What starts a module; with `environment`, else it may not be found."""
    # Without -P Python would look for it in the current folder first, where anybody's gateway.py may be.
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """This process's own, in which a child finds our modules. An empty entry would be the current folder."""
    named = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    is_installed = str(ROOT) in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    # Where packages are installed must not come before the standard library, as all of PYTHONPATH does.
    paths = named if is_installed else [str(ROOT), *named]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
