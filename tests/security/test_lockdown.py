"""Who serves and what he leaves behind (S29): no root on an open address, no file for others, no core dump."""

import resource
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.server.lockdown import refuse_root
from tests.running import Gateway, stopped_after

ROOT, SOMEBODY = 0, 1000


def test_root_does_not_serve_other_machines_unless_it_is_told_to() -> None:
    with pytest.raises(SettingsError, match=r"runs as root and server\.host 0\.0\.0\.0 is open .* --allow-root"):
        refuse_root(ROOT, "0.0.0.0", is_local=False, may_be_root=False)
    assert refuse_root(ROOT, "0.0.0.0", is_local=False, may_be_root=True) == ""


def test_root_on_loopback_is_warned_of_itself() -> None:
    assert "serves as root" in refuse_root(ROOT, "127.0.0.1", is_local=True, may_be_root=False)
    assert refuse_root(ROOT, "127.0.0.1", is_local=True, may_be_root=True) == ""


@pytest.mark.parametrize("is_local", [False, True])
def test_anybody_else_serves_whom_he_likes(is_local: bool) -> None:
    assert refuse_root(SOMEBODY, "0.0.0.0", is_local, may_be_root=False) == ""


def test_a_server_dumps_no_core_and_makes_no_file_for_others(tmp_path: Path) -> None:
    with stopped_after(gateway := Gateway(tmp_path)):
        assert gateway.chat().status_code == 200
        assert resource.prlimit(gateway.child.pid, resource.RLIMIT_CORE) == (0, 0)
        status = Path(f"/proc/{gateway.child.pid}/status").read_text()
        assert "Umask:\t0077" in status
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert made
    assert not [path for path in made if path.stat().st_mode & 0o077]
