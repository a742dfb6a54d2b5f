"""Servers for the clients. A test that asks for faults that a gateway remembers takes one of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Gateway, stopped_after


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Gateway]:
    """A keyless gateway that no other test has asked."""
    gateway = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway):
        yield gateway
