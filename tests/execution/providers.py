"""Providers on loopback: the project's simulator on the test's own loop, and servers that say whatever a test wants."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import aiohttp
import msgspec

from gateway.simulator.log import Entry
from gateway.simulator.run import serve
from gateway.simulator.scene import Pace

DEADLINE_SECONDS = 10.0
LINGER_NOT = struct.pack("ii", 1, 0)  # on, 0 s: closing sends RST
GOOD = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "raw",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "good"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}
ENTRIES = msgspec.json.Decoder(list[Entry])

Script = Callable[["Visit"], Awaitable[None]]


class Simulated:
    """A running simulator."""

    def __init__(self, ports: Mapping[str, int], control: int) -> None:
        self.ports = ports
        self._url = f"http://127.0.0.1:{control}/_sim"

    async def log(self, provider: str) -> list[Entry]:
        """The chat requests that it has received."""
        async with aiohttp.ClientSession() as session, session.get(f"{self._url}/log") as answer:
            return [entry for entry in ENTRIES.decode(await answer.read()) if entry.provider == provider]

    async def script(self, provider: str, fault: str, **more: object) -> None:
        """Have something go wrong that no single request can ask for. more: other members of the rule."""
        rule = json.dumps({"provider": provider, "fault": fault, **more})
        async with aiohttp.ClientSession() as session, session.post(f"{self._url}/script", data=rule) as answer:
            assert answer.status == 200


@contextlib.asynccontextmanager
async def simulated(*providers: str) -> AsyncIterator[Simulated]:
    """These providers on free ports, as fast as they can."""
    stop = asyncio.Event()
    ready: asyncio.Future[Simulated] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(
            dict.fromkeys(providers, 0),
            pace=Pace(0.0),
            ready=lambda ports, control: ready.set_result(Simulated(ports, control)),
            stop=stop,
        )
    )
    try:
        simulator = await ready
        await simulator.log("")  # the control port is the last to listen
        yield simulator
    finally:
        stop.set()
        await serving


class Visit:
    """One connection to a raw server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self._reader = reader
        self._writer = writer
        self.number = number  # 1 for the server's first connection
        self.heads: list[bytes] = []  # of the requests so far

    async def head(self) -> bytes:
        """Read the head of one request."""
        self.heads.append(await self._reader.readuntil(b"\r\n\r\n"))
        return self.heads[-1]

    async def body(self, size: int) -> bytes:
        """Read so many bytes behind the head."""
        return await self._reader.readexactly(size)

    async def request(self) -> bytes:
        """Read one request, and return its body."""
        head = await self.head()
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return await self._reader.readexactly(int(length.split(b":")[1]))

    async def write(self, data: bytes) -> None:
        """Send bytes as they are; waits while the other side does not read."""
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, document: object = GOOD) -> None:
        """A whole answer of status 200."""
        body = json.dumps(document).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        await self.write(head + body)

    async def begin(self, content_type: str = "text/event-stream", extra: str = "") -> None:
        """The head of an answer in chunks."""
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n{extra}transfer-encoding: chunked\r\n\r\n"
        await self.write(head.encode())

    async def chunk(self, data: bytes) -> None:
        """One chunk; b"" ends the answer."""
        await self.write(b"%x\r\n%b\r\n" % (len(data), data))

    async def event(self, delta: Mapping[str, object], finish: str | None = None) -> None:
        """One chunk of a chat completion."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        event = {**GOOD, "object": "chat.completion.chunk", "choices": [choice], "usage": None}
        await self.chunk(b"data: " + json.dumps(event).encode() + b"\n\n")

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        raw_socket = self._writer.get_extra_info("socket")
        raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self._writer.transport.abort()

    async def left(self) -> None:
        """Wait until the other side has closed."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(65536):
                pass


class RawServer:
    """What came to a raw server."""

    def __init__(self) -> None:
        self.port = 0
        self.visits: list[Visit] = []
        self.open = 0
        self._changed = asyncio.Condition()

    async def accept(self, visit: Visit, script: Script) -> None:
        self.visits.append(visit)
        self.open += 1
        try:
            await script(visit)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side has closed
        finally:
            self.open -= 1
            async with self._changed:
                self._changed.notify_all()

    async def until_open(self, count: int) -> None:
        """Wait until so many connections are open."""
        async with asyncio.timeout(DEADLINE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: self.open == count)


@contextlib.asynccontextmanager
async def raw(script: Script) -> AsyncIterator[RawServer]:
    """A server that plays `script` on every connection, and then closes it."""
    server, running = RawServer(), set[asyncio.Task[None]]()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await server.accept(Visit(reader, writer, len(server.visits) + 1), script)
        except asyncio.CancelledError:
            pass  # the test is over; asyncio 3.11 would log it as an error
        finally:
            running.discard(task)
            writer.close()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
