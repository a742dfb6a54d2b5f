"""HTTP/1.1 on a socket: requests are read with llhttp, replies are played step by step, without a task per request.

A server of its own, because half of the faults happen below what an ASGI server lets an application do.
"""

import asyncio
import socket
import struct
import time
from collections import deque
from itertools import repeat
from typing import TYPE_CHECKING, cast

import httptools

from gateway.simulator.log import Bill, Entry
from gateway.simulator.scene import Received
from gateway.simulator.steps import End, Send, Steps, Wait

if TYPE_CHECKING:
    from gateway.simulator.port import Port
    from gateway.simulator.world import World

KEY_HEADERS = frozenset((b"authorization", b"x-api-key", b"x-goog-api-key"))
LARGEST_BODY = 64 << 20
LARGEST_HEAD = 256 << 10
BUFFERED_BYTES = 64 << 10  # a reader slower than us stops us here
LINGER_NOT = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: closing sends RST


class Request:
    """One request while it is being read."""

    __slots__ = ("body", "chunks", "headers", "keep_alive", "method", "size", "target")

    def __init__(self) -> None:
        self.method = b""
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self.size = 0
        self.keep_alive = True
        self.chunks = True

    def received(self) -> Received:
        """The request, read to its end."""
        key = b""
        for name, value in self.headers:
            if name in KEY_HEADERS:
                key = value.removeprefix(b"Bearer ")
        return Received(self.headers, b"".join(self.body), self.chunks, key.decode("latin-1"))


class Reply:
    """One reply while it is being played."""

    __slots__ = ("bill", "entry", "keep_alive", "started", "steps")

    def __init__(self, steps: Steps, entry: Entry | None, bill: Bill | None, keep_alive: bool) -> None:
        self.steps = steps
        self.entry = entry
        self.bill = bill
        self.keep_alive = keep_alive
        self.started = time.monotonic()


class Connection(asyncio.Protocol):
    """One caller. Pipelined requests wait their turn; reading goes on meanwhile, or we would not notice him leave."""

    def __init__(self, world: "World", port: "Port") -> None:
        self.world = world
        self.port = port
        self.loop = asyncio.get_running_loop()
        self.parser = httptools.HttpRequestParser(self)
        self.request = Request()
        self.waiting: deque[Request] = deque()
        self.reply: Reply | None = None
        self.timer: asyncio.Handle | None = None
        self.due = 0.0
        self.stopped = False  # by a slow reader
        self.doomed = False
        self.number = 0

    # --- the transport ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accepted."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=BUFFERED_BYTES)
        # uvloop sets it; asyncio does not for a socket whose protocol number is 0, as an accepted one's is.
        self._socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = self.world.accepted(self)
        if self.port.resets:
            self._reset()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; what is not HTTP is answered with 400 in plain text, as a plain HTTP server would TLS."""
        if self.doomed:
            self.transport.close()
            return
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()

    def eof_received(self) -> bool:
        """The caller has left; what he does not read is not written."""
        self._gone()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Closed, by whomever."""
        self._gone()
        self.world.closed(self)

    def pause_writing(self) -> None:
        """A slow reader."""
        self.stopped = True

    def resume_writing(self) -> None:
        """The slow reader has caught up."""
        self.stopped = False
        if self.timer is None and self.reply is not None:
            self._play()

    # --- the parser ---

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self.request.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self.request.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is read."""
        request = self.request
        request.method = self.parser.get_method()
        request.keep_alive = self.parser.should_keep_alive()
        request.chunks = self.parser.get_http_version() == "1.1"
        if any(name == b"expect" for name, _ in request.headers):
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A part of the body; one that is too large is not kept, and refused later."""
        self.request.size += len(body)
        if self.request.size <= LARGEST_BODY:
            self.request.body.append(body)

    def on_message_complete(self) -> None:
        """The request is read."""
        self.waiting.append(self.request)
        self.request = Request()
        if self.reply is None:
            self._next()

    # --- the reply ---

    def _next(self) -> None:
        request = self.waiting.popleft()
        steps, entry, bill = self.world.respond(request, self)
        self.reply = Reply(steps, entry, bill, request.keep_alive)
        self.due = self.loop.time()
        self._play()

    def _play(self) -> None:
        """Carry out steps until one waits, the reader stops us or the reply ends."""
        self.timer = None
        reply = self.reply
        if reply is None:
            return
        for step in reply.steps:
            if isinstance(step, Send):
                self._send(step, reply)
                if self.stopped:
                    return
            elif isinstance(step, Wait):
                self._wait(step.seconds)
                return
            else:
                self._end(step, reply)
                return
        self._end(End.KEEP, reply)

    def _send(self, step: Send, reply: Reply) -> None:
        self.transport.write(step.data)
        entry = reply.entry
        if entry is None:
            return
        if not entry.bytes_sent and step.data[:7] == b"HTTP/1." and step.data[9:12].isdigit():
            entry.status = int(step.data[9:12])
        entry.bytes_sent += len(step.data)
        if step.tokens and reply.bill is not None:
            reply.bill.add(step.tokens)

    def _wait(self, seconds: float) -> None:
        if seconds <= 0:
            self.timer = self.loop.call_soon(self._play)
        else:  # due times add up from the start, so that a late timer does not slow the whole stream
            self.due = max(self.due + seconds, self.loop.time() - 1.0)
            self.timer = self.loop.call_at(self.due, self._play)

    def _end(self, end: End, reply: Reply) -> None:
        if end is End.HOLD:
            reply.steps = repeat(End.HOLD)
            return
        self._close_books(reply, "cut" if end in (End.CUT, End.RESET) else "done")
        if end is End.RESET:
            self.timer = self.loop.call_soon(self._reset)  # a turn later, when what was written has gone out
        elif end in (End.CLOSE, End.CUT) or not reply.keep_alive:
            self.transport.close()
        elif end is End.DOOM:
            self.doomed = True
        elif self.waiting:
            self._next()

    def _close_books(self, reply: Reply, outcome: str) -> None:
        self.reply = None
        self.world.left(reply.entry)
        if reply.bill is not None:
            reply.bill.settle()
        if reply.entry is not None:
            reply.entry.outcome = outcome
            reply.entry.ended_ms = round((time.monotonic() - reply.started) * 1000, 3)

    def _gone(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        reply = self.reply
        if reply is not None:
            self._close_books(reply, "gone")
            if reply.entry is not None:
                reply.entry.gone_ms = reply.entry.ended_ms

    def _reset(self) -> None:
        self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.transport.abort()

    def _socket(self) -> socket.socket:
        return cast("socket.socket", self.transport.get_extra_info("socket"))
