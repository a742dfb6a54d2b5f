"""Every call to the disk fails in turn, Python's and SQLite's alike: nothing acknowledged is lost, nothing doubled.

The calls are write, open, close, fsync, ftruncate, flock, mkdir, rmdir and unlink, each on whatever file or folder of
the journal and the ledger it comes to. No call of theirs renames anything.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.accounting.disk.failing import Way

pytestmark = pytest.mark.long

SOURCE = Path(__file__).parent / "disk" / "failing.c"
COMPILER = sysconfig.get_config_var("CC") or "cc"  # the one that compiles the core
FEWEST_CALLS = {Way.ONCE: 150, Way.FROM_THEN_ON: 20, Way.IN_HALF: 20, Way.BY_DEATH: 150, Way.NO_MORE_FILES: 10}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """failing.c, compiled."""
    path = tmp_path_factory.mktemp("disk") / "failing.so"
    subprocess.run([*COMPILER.split(), "-shared", "-fPIC", "-O1", "-o", path, SOURCE, "-ldl"], check=True)
    return path


@pytest.mark.parametrize("way", Way, ids=lambda way: way.name.lower())
def test_whichever_call_fails_every_receipt_arrives_once_and_the_next_is_good(
    way: Way, library: Path, tmp_path: Path
) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.accounting.disk.failing", tmp_path, way.name],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) >= FEWEST_CALLS[way], "so many calls there were to fail"
