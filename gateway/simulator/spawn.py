"""The simulator as a child process: for a gateway without keys, and for tests."""

import asyncio
import json
from collections.abc import Sequence
from typing import cast

from gateway.child import command, environment
from gateway.simulator.models import PROVIDERS

READY_SECONDS = 10.0
STOP_SECONDS = 3.0


class SimulatorProcess:
    """A running simulator. It ends with `stop`, or when this process ends, however that happens."""

    def __init__(self, process: asyncio.subprocess.Process, ports: dict[str, int], control: int) -> None:
        self._process = process
        self.ports = ports  # by provider
        self.control = control  # answers /_sim even while a provider's port is down

    @property
    def pid(self) -> int:
        """Of the child."""
        return self._process.pid

    @property
    def control_url(self) -> str:
        """Where /_sim/log, /_sim/script and /_sim/reset are."""
        return f"http://127.0.0.1:{self.control}/_sim"

    def base_url(self, provider: str) -> str:
        """What a client of `provider` is given."""
        return f"http://127.0.0.1:{self.ports[provider]}/v1"

    async def stop(self) -> None:
        """End it, and wait until it has ended."""
        await _end(self._process)


async def spawn(
    providers: Sequence[str] = PROVIDERS,
    *,
    pace: float | None = None,
    seed: int = 0,
    port: int = 0,
    coalesce: bool = False,
) -> SimulatorProcess:
    """Start a simulator of `providers` on free ports of loopback (or from `port` on); back when every port listens.

    pace: None leaves it to the environment, STEELYARD_SIMULATOR_PACE, else 1.
    """
    arguments = ["--seed", str(seed), "--port", str(port), "--exit-with-parent"]
    if pace is not None:
        arguments += ["--pace", str(pace)]
    for provider in providers:
        arguments += ["--provider", provider]
    if coalesce:
        arguments.append("--coalesce")
    process = await asyncio.create_subprocess_exec(
        *command("gateway.simulator", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C at the terminal is for the gateway, which lets its streams end first
        env=environment(),
    )
    try:
        async with asyncio.timeout(READY_SECONDS):
            line = await cast("asyncio.StreamReader", process.stdout).readline()
        if not line:
            raise RuntimeError(f"the simulator ended before it was ready, with exit code {await process.wait()}")
        said = json.loads(line)
        return SimulatorProcess(process, said["ports"], said["control"])
    except BaseException:
        await _end(process)
        raise


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
