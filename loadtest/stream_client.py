"""Keeps N streams open against one URL and counts what arrives: `python -m loadtest.stream_client`. Prints JSON."""

import argparse
import asyncio
import sys
from time import perf_counter
from typing import cast

import httptools
import msgspec
import uvloop
from msgspec import Struct

from loadtest.payload import request


class Tally(Struct):
    """What N closed-loop streams brought home."""

    streams: int = 0
    events: int = 0
    broken: int = 0  # streams with another status, or without their last event
    seconds: float = 0.0
    first_event_seconds: list[float] = []  # of each stream, from its request


class StreamReader(asyncio.Protocol):
    """One connection: asks, reads the stream to its end, asks again while there are streams left to ask for."""

    def __init__(self, head: bytes, budget: "Budget") -> None:
        self._head = head
        self._budget = budget
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._body = bytearray()
        self._asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._budget.leave(broken=bool(self._asked_at))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """A piece of the stream."""
        if not self._body:
            self._budget.tally.first_event_seconds.append(perf_counter() - self._asked_at)
        self._body += body

    def on_message_complete(self) -> None:
        """The stream has ended."""
        tally = self._budget.tally
        tally.streams += 1
        tally.events += self._body.count(b"data: ")
        whole = self._parser.get_status_code() == 200 and self._body.endswith(b"data: [DONE]\n\n")
        tally.broken += not whole
        self._body.clear()
        self._asked_at = 0.0
        self._ask()

    def _ask(self) -> None:
        if self._budget.take():
            self._asked_at = perf_counter()
            self._transport.write(self._head)
        else:
            self._transport.close()


class Budget:
    """How many streams are still to be asked for, and when the last reader has left."""

    def __init__(self, streams: int, readers: int) -> None:
        self.tally = Tally()
        self.done = asyncio.Event()
        self._left = streams
        self._readers = readers

    def take(self) -> bool:
        self._left -= 1
        return self._left >= 0

    def leave(self, broken: bool) -> None:
        self.tally.broken += broken
        self._readers -= 1
        if self._readers == 0:
            self.done.set()


async def run(port: int, path: str, concurrency: int, streams: int) -> Tally:
    """Ask for `streams` streams, `concurrency` at a time."""
    body = request(stream=True)
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    budget = Budget(streams, concurrency)
    loop = asyncio.get_running_loop()
    started = perf_counter()
    for _ in range(concurrency):
        await loop.create_connection(lambda: StreamReader(head.encode() + body, budget), "127.0.0.1", port)
    await budget.done.wait()
    budget.tally.seconds = perf_counter() - started
    return budget.tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/v1/chat/completions")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--streams", type=int, default=640)
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tally = runner.run(run(arguments.port, arguments.path, arguments.concurrency, arguments.streams))
    sys.stdout.write(msgspec.json.encode(tally).decode())


if __name__ == "__main__":
    main()
