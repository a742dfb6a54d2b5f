"""What becomes of the simulator's sockets inside a process that goes on: every event loop, stopped at any moment."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from functools import partial

import pytest
import uvloop

from gateway.simulator.connection import Connection
from gateway.simulator.port import Port
from gateway.simulator.run import serve
from gateway.simulator.scene import Pace
from gateway.simulator.world import World
from tests.simulator.wire import connect

LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
Loop = Callable[[], asyncio.AbstractEventLoop]


@LOOPS
@pytest.mark.parametrize("turns", range(6))
def test_stopped_however_soon_it_leaves_no_port_open(loop: Loop, turns: int) -> None:
    numbers: list[int] = []

    async def stopped_soon() -> None:
        stop = asyncio.Event()

        def ready(ports: Mapping[str, int], control: int) -> None:
            numbers.extend([*ports.values(), control])
            in_turns(turns, stop.set)

        await serve({"sim-alpha": 0, "sim-bravo": 0}, ready=ready, stop=stop)
        assert len(numbers) == 3
        for number in numbers:
            with pytest.raises(ConnectionRefusedError):
                connect(number)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(stopped_soon())


def in_turns(turns: int, act: Callable[[], None]) -> None:
    """Do it when the loop has turned so many times."""
    if turns == 0:
        act()
    else:
        asyncio.get_running_loop().call_soon(in_turns, turns - 1, act)


async def test_a_port_that_is_taken_leaves_none_of_the_others_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as taken:
        first, second = free.getsockname()[1], taken.getsockname()[1]
        free.close()
        with pytest.raises(OSError, match=f"127.0.0.1:{second}: Address already in use"):
            await serve({"sim-alpha": first, "sim-bravo": second})
        with pytest.raises(ConnectionRefusedError):
            connect(first)


@LOOPS
def test_what_is_written_leaves_at_once(loop: Loop) -> None:
    async def accepted_without_delay() -> int:
        world = World(("sim-alpha",), pace=Pace(0), seed=0)
        port = Port("sim-alpha", "127.0.0.1", 0)
        accepted: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()

        class Told(Connection):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                accepted.set_result(self)

        await port.attach(partial(Told, world, port))
        with connect(port.number):
            raw = (await accepted).transport.get_extra_info("socket")
            without_delay: int = raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            port.close()
        return without_delay

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(accepted_without_delay())
