"""Children of ours run our code, whatever lies in the folder of the start."""

import subprocess
from pathlib import Path

import pytest

from gateway import child


@pytest.mark.parametrize("named", ["", ":", "/nowhere:"], ids=["none", "empty", "ends empty"])
def test_a_child_imports_nothing_from_the_folder_of_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", named)
    for name in ("gateway", "asyncio", "msgspec"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('somebody else')\n")
    words = child.command("gateway.simulator", "--help")
    told = subprocess.run(words, cwd=tmp_path, env=child.environment(), capture_output=True, text=True, check=False)
    assert (told.returncode, "--provider" in told.stdout, told.stderr) == (0, True, "")
