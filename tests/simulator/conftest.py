"""One simulator process for the whole folder; every test begins with it reset."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from gateway.simulator.spawn import SimulatorProcess, spawn
from tests.simulator.wire import control


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def process() -> AsyncIterator[SimulatorProcess]:
    running = await spawn(pace=0, seed=1)
    yield running
    await running.stop()


@pytest.fixture
def simulator(process: SimulatorProcess) -> Iterator[SimulatorProcess]:
    control(process.control, "reset")
    yield process
    control(process.control, "reset")


@pytest.fixture
def port(simulator: SimulatorProcess) -> int:
    """Of sim-alpha."""
    return simulator.ports["sim-alpha"]
