"""Servers that many tests share. A test that changes a server's state starts its own."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.running import Gateway, stopped_after

# How long an example takes is the machine's affair; the tests say what is right, and benchmarks how fast.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def keyless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway without any key or file, on its built-in simulator at full speed."""
    gateway = Gateway(tmp_path_factory.mktemp("keyless"), environ={"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway):
        yield gateway
