"""Start the simulated providers and keep them running until told to stop."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import uvloop

from gateway.simulator.connection import Connection
from gateway.simulator.models import PROVIDERS
from gateway.simulator.port import Port
from gateway.simulator.scene import Pace
from gateway.simulator.world import World

PACE = "STEELYARD_SIMULATOR_PACE"  # environment variable: the pace when none is given

Ready = Callable[[Mapping[str, int], int], None]  # ports by provider, and the control port


async def serve(
    ports: Mapping[str, int],
    *,
    host: str = "127.0.0.1",
    pace: Pace = Pace(1.0),  # noqa: B008 (frozen)
    seed: int = 0,
    single_port: bool = False,
    ready: Ready = lambda ports, control: None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve the providers named in `ports`, each on its port (0: any free one), until `stop` is set.

    single_port: all of them on the first one's port, as /NAME/v1. The control port answers /_sim even while every
    provider's port is down.
    """
    world = World(tuple(ports), pace=pace, seed=seed)
    with contextlib.ExitStack() as listening:

        def listen(vendor: str, number: int) -> Port:
            port = Port(vendor, host, number)
            listening.callback(port.close)
            return port

        if single_port:
            control = listen("", next(iter(ports.values())))
            numbers = dict.fromkeys(ports, control.number)
            world.ports = [control]
        else:
            providers = [listen(name, number) for name, number in ports.items()]
            numbers = {port.vendor: port.number for port in providers}
            control = listen("", 0)
            world.ports = [*providers, control]
        for port in world.ports:
            world.to_attach.put_nowait(port)
        ready(numbers, control.number)
        await _tend(world, stop or asyncio.Event())


async def _tend(world: World, stop: asyncio.Event) -> None:
    """Accept on every port that listens, until told to stop."""

    async def attach() -> None:
        while True:
            port = await world.to_attach.get()
            await port.attach(partial(Connection, world, port))

    async with asyncio.TaskGroup() as tasks:
        attaching = tasks.create_task(attach())
        await stop.wait()
        attaching.cancel()


def main(
    providers: Sequence[str] = PROVIDERS,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    pace: float = 1.0,
    seed: int = 0,
    coalesce: bool = False,
    single_port: bool = False,
    exit_with_parent: bool = False,
) -> None:
    """Serve `providers` (none: all) on consecutive ports from `port` on (0: any free ones) until SIGTERM or SIGINT.

    Prints one line of JSON when every port listens. exit_with_parent: also stop when stdin closes.
    """
    ports = {name: port + row if port else 0 for row, name in enumerate(providers or PROVIDERS)}
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_told(ports, host, Pace(pace, coalesce), seed, single_port, exit_with_parent))
    except OSError as error:
        raise SystemExit(f"simulator: cannot listen: {error.strerror}") from error


async def _until_told(
    ports: Mapping[str, int], host: str, pace: Pace, seed: int, single_port: bool, exit_with_parent: bool
) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if exit_with_parent:
        # A thread, because stdin may be a file or /dev/null, which no event loop can watch.
        threading.Thread(target=_await_parent, args=(loop, stop), daemon=True).start()
    await serve(ports, host=host, pace=pace, seed=seed, single_port=single_port, ready=_say_ready, stop=stop)


def _await_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop has ended before the parent
        loop.call_soon_threadsafe(stop.set)


def _say_ready(ports: Mapping[str, int], control: int) -> None:
    print(json.dumps({"ready": True, "ports": ports, "control": control}), flush=True)


def command(arguments: Sequence[str] | None = None) -> None:
    """`python -m gateway.simulator`."""
    default_pace = os.environ.get(PACE, "1")
    parser = argparse.ArgumentParser(prog="steelyard simulator", description=__doc__)
    parser.add_argument("--provider", action="append", choices=PROVIDERS, help="serve this one; repeat; default: all")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="of the first provider, others follow; 0: any free ones")
    parser.add_argument(
        "--pace", type=float, default=default_pace, help=f"1: as fast as the models say; 0: at once [${PACE}]"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--coalesce", action="store_true", help="with --pace 0: a whole stream in one write")
    parser.add_argument("--single-port", action="store_true", help="all providers on one port, as /NAME/v1")
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when stdin closes")
    asked = parser.parse_args(arguments)
    main(
        asked.provider or PROVIDERS,
        host=asked.host,
        port=asked.port,
        pace=asked.pace,
        seed=asked.seed,
        coalesce=asked.coalesce,
        single_port=asked.single_port,
        exit_with_parent=asked.exit_with_parent,
    )
