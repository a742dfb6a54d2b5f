"""A provider that streams the same events to everyone, as cheaply as Python can: `python -m loadtest.stream_upstream`.

Unpaced, all events leave in one write. Paced, one leaves per gap, and all connections share one timer, so that hundreds
of streams cost one wake-up.
"""

import argparse
import asyncio
from typing import cast

import httptools
import uvloop

from loadtest.payload import events

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


class Pace:
    """Gives every open stream its next event, once per gap."""

    def __init__(self, chunks: list[bytes], gap_seconds: float) -> None:
        self.chunks = chunks
        self._gap_seconds = gap_seconds
        self._open: dict[asyncio.Transport, int] = {}

    def begin(self, transport: asyncio.Transport) -> None:
        """Answer one request."""
        if self._gap_seconds > 0:
            transport.write(HEAD)
            self._open[transport] = 0
        else:
            transport.write(b"".join([HEAD, *self.chunks, END]))

    def forget(self, transport: asyncio.Transport) -> None:
        self._open.pop(transport, None)

    def step(self) -> None:
        """One event for each."""
        loop = asyncio.get_running_loop()
        loop.call_later(self._gap_seconds, self.step)
        for transport, sent in list(self._open.items()):
            if sent + 1 < len(self.chunks):
                transport.write(self.chunks[sent])
                self._open[transport] = sent + 1
            else:
                transport.write(self.chunks[sent] + END)
                del self._open[transport]


class StreamServer(asyncio.Protocol):
    """One connection: reads requests, answers each with the stream."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class

    def connection_lost(self, exc: Exception | None) -> None:
        self._pace.forget(self._transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """The request is whole; its content does not matter."""
        self._pace.begin(self._transport)


async def serve(port: int, count: int, gap_seconds: float) -> None:
    """Serve until killed."""
    chunks = [b"%x\r\n%s\r\n" % (len(event), event) for event in events(count)]
    pace = Pace(chunks, gap_seconds)
    server = await asyncio.get_running_loop().create_server(lambda: StreamServer(pace), "127.0.0.1", port, backlog=4096)
    if gap_seconds > 0:
        pace.step()
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--events", type=int, default=50)
    parser.add_argument("--gap-ms", type=float, default=0.0)
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(arguments.port, arguments.events, arguments.gap_ms / 1000))


if __name__ == "__main__":
    main()
