"""Sends a `Load` and writes what came of it: `python -m loadtest.chaos.sender LOAD RESULT`."""

import asyncio
import contextlib
import re
import socket
import sys
from pathlib import Path
from random import Random
from time import time
from typing import cast

import httptools
import msgspec
import uvloop

from loadtest.chaos.flood import Load, Sendings, Sent

PROMPT = "Say what you weigh, and how."
SLOW_WINDOW_BYTES = 4096  # of the socket of a slow reader: what the kernel takes in for it counts as read
MOST_LATENESSES = 200_000
REFUSED_PAUSE_SECONDS = 0.05  # when nobody listens: a closed loop would spin
DONE = b"data: [DONE]\n\n"
WORDS = re.compile(rb'"content":"[^"]')
ANSWER_ID = re.compile(rb'"id":"([^"]+)"')


class Reader(asyncio.Protocol):
    """A connection. One request at a time; `ended` is told of each."""

    def __init__(self, sender: "Sender") -> None:
        self._sender = sender
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._events: list[float] = []
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._started = self._first = 0.0
        self._leave_at = -1
        self._model = ""
        self._has_left = False
        self.is_busy = False
        self.over = asyncio.Event()  # of the latest request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class

    def ask(self, due: float, model: str, leave_at: int) -> None:
        """Send a request. leave_at: bytes of the answer after which to hang up; -1: never."""
        self.is_busy = True
        self.over.clear()
        self._due, self._started, self._first, self._model, self._leave_at = due, time(), 0.0, model, leave_at
        self._body.clear()
        self._headers.clear()
        self._events.clear()
        self._timer = asyncio.get_running_loop().call_later(self._sender.load.patience_seconds, self._give_up)
        self._transport.write(self._sender.heads[model])
        if leave_at == 0:
            self._leave()

    def close(self) -> None:
        """No further request."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        rate = self._sender.load.read_bytes_per_second
        if rate:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(len(data) / rate, self._resume)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(f"no HTTP: {error}")
            self._transport.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, piece: bytes) -> None:
        now = time()
        if not self._first:
            self._first = now
        if self._sender.load.gap_seconds:
            self._events += [now] * len(WORDS.findall(piece))
        self._body += piece
        if 0 < self._leave_at <= len(self._body):
            self._leave()

    def on_message_complete(self) -> None:
        if self.is_busy:
            self._end("")
            self._parser = httptools.HttpResponseParser(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.is_busy:
            self._end(f"the connection broke: {exc}" if exc else "the connection was closed")
        self._sender.lost(self)

    def _leave(self) -> None:
        self._has_left = True
        self._end("")
        self._transport.close()

    def _give_up(self) -> None:
        self._end("given up waiting")
        self._transport.abort()

    def _resume(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _end(self, wrong: str) -> None:
        if not self.is_busy:
            return
        self.is_busy = False
        self.over.set()
        if self._timer is not None:
            self._timer.cancel()
        body, load = bytes(self._body), self._sender.load
        status = self._parser.get_status_code() if self._headers else 0
        has_error, is_whole, text = read(body, status, load.stream)
        if is_whole and load.text and text != load.text:
            is_whole, wrong = False, f"another text: {text[:80]!r}"
        sent = Sent(
            due=self._due,
            started=self._started,
            first=self._first,
            ended=time(),
            status=status,
            is_whole=is_whole and not wrong,
            has_error=has_error,
            left=self._has_left,
            decision=self._headers.get(b"x-steelyard-decision", b"").decode(),
            retry_after=self._headers.get(b"retry-after", b"").decode(),
            received_bytes=len(body),
            model=self._model,
            answer_id=found.group(1).decode() if (found := ANSWER_ID.search(body)) else "",
            wrong=wrong or ("" if is_whole else body[-160:].decode("utf-8", "replace")),
        )
        self._sender.ended(self, sent, lateness_ms(self._events, load.gap_seconds))


def read(body: bytes, status: int, stream: bool) -> tuple[bool, bool, str]:
    """Whether it holds an error, whether it is whole, and its text."""
    if status != 200:
        return True, False, ""
    documents = [body] if not stream else [line[6:] for line in body.split(b"\n") if line.startswith(b"data: {")]
    part = "delta" if stream else "message"
    pieces, has_error = [], False
    for document in documents:
        try:
            told = msgspec.json.decode(document)
        except msgspec.DecodeError:
            return False, False, ""
        has_error |= "error" in told
        pieces += [choice[part].get("content") or "" for choice in told.get("choices", ())]
    is_whole = not has_error and (body.endswith(DONE) if stream else bool(pieces))
    return has_error, is_whole, "".join(pieces)


def lateness_ms(events: list[float], gap_seconds: float) -> list[float]:
    """How late each token was, by the line through the earliest one of its stream."""
    if not gap_seconds or not events:
        return []
    ahead = [at - number * gap_seconds for number, at in enumerate(events)]
    earliest = min(ahead)
    return [1000 * (one - earliest) for one in ahead]


class Sender:
    """Everything that is under way."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.heads = {model: head(load, model) for model in load.models}
        self._chance = Random(load.seed)
        self._idle: list[Reader] = []
        self._sent: list[Sent] = []
        self._lateness: list[float] = []
        self._count = 0
        self._open = 0
        self._begun = time()
        self._freed = asyncio.Event()

    async def send_all(self) -> Sendings:
        """Until the load is over and every request has ended."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            if self.load.at_once:
                for _ in range(self.load.at_once):
                    tasks.create_task(self._in_turn())
            else:
                await self._at_a_rate(loop, tasks)
        while self._open:
            self._freed.clear()
            await self._freed.wait()
        for reader in list(self._idle):
            reader.close()
        return Sendings(self._sent, self._lateness)

    def ended(self, reader: Reader, sent: Sent, lateness: list[float]) -> None:
        """One has."""
        self._sent.append(sent)
        if len(self._lateness) < MOST_LATENESSES:
            self._lateness += lateness
        self._open -= 1
        self._freed.set()
        if not sent.left and not sent.wrong.startswith(("the connection", "given up", "no HTTP")):
            self._idle.append(reader)

    def lost(self, reader: Reader) -> None:
        """A connection is no more."""
        with contextlib.suppress(ValueError):
            self._idle.remove(reader)

    async def _at_a_rate(self, loop: asyncio.AbstractEventLoop, tasks: asyncio.TaskGroup) -> None:
        """Independent arrivals (a Poisson process), however the earlier ones fare."""
        due = time()
        while not self._is_over(due):
            due += self._chance.expovariate(self.load.per_second)
            if (wait := due - time()) > 0:
                await asyncio.sleep(wait)
            self._count += 1
            tasks.create_task(self._one(due))

    async def _in_turn(self) -> None:
        """One after the other; each waits for the end of the one before."""
        while not self._is_over(time()):
            self._count += 1
            reader = await self._one(time())
            if reader is None:
                await asyncio.sleep(REFUSED_PAUSE_SECONDS)
            else:
                await reader.over.wait()

    def _is_over(self, now: float) -> bool:
        is_late = bool(self.load.seconds) and now - self._begun >= self.load.seconds
        return is_late or (bool(self.load.requests) and self._count >= self.load.requests)

    async def _one(self, due: float) -> Reader | None:
        """Ask on a connection that is free, or on a new one."""
        model = self._chance.choices(list(self.load.models), list(self.load.models.values()))[0]
        leaves = self._chance.random() < self.load.leaving_share
        leave_at = self._chance.randrange(self.load.leaving_bytes) if leaves else -1
        self._open += 1
        reader = self._idle.pop() if self._idle else await self._connected(due, model)
        if reader is not None:
            reader.ask(due, model, leave_at)
        return reader

    async def _connected(self, due: float, model: str) -> Reader | None:
        """A new connection; None when nobody listens, which is an end too."""
        loop = asyncio.get_running_loop()
        try:
            listener = socket.socket()
            listener.setblocking(False)
            if self.load.read_bytes_per_second:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_WINDOW_BYTES)
            await loop.sock_connect(listener, ("127.0.0.1", self.load.port))
            _, reader = await loop.create_connection(lambda: Reader(self), sock=listener)
        except OSError as error:
            listener.close()
            now = time()
            self._sent.append(Sent(due, now, 0.0, now, 0, False, False, False, model=model, wrong=f"refused: {error}"))
            self._open -= 1
            self._freed.set()
            return None
        return reader


def head(load: Load, model: str) -> bytes:
    """The request, as it goes over the wire."""
    body = request(model, load.max_tokens, load.stream)
    return (
        f"POST {load.path} HTTP/1.1\r\nhost: 127.0.0.1:{load.port}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    ).encode() + body


def request(model: str, max_tokens: int, stream: bool) -> bytes:
    """The body."""
    limit = {"max_tokens": max_tokens} if max_tokens else {}
    message = {"role": "user", "content": PROMPT}
    return msgspec.json.encode({"model": model, "messages": [message], **limit, **({"stream": True} if stream else {})})


def main() -> None:
    asked, result = (Path(argument) for argument in sys.argv[1:3])
    load = msgspec.json.decode(asked.read_bytes(), type=Load)

    async def send() -> Sendings:
        return await Sender(load).send_all()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result.write_bytes(msgspec.json.encode(runner.run(send())))


if __name__ == "__main__":
    main()
