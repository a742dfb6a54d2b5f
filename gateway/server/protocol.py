"""uvicorn's HTTP protocol, for a world of hostile and slow callers.

It tells the running request when its caller hangs up, holds what is not content (heads, trailers, chunk sizes) to a
limit, gives a request only so long to arrive, lets go of a caller who does not read, and refuses in JSON what it cannot
take. A request that arrives whole in one packet, as nearly all do, meets none of the machinery: neither a timer nor a
count.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.dialects.openai_chat import error_body
from gateway.errors import GatewayError, InvalidRequest, Overloaded
from gateway.server.crowd import Crowd
from gateway.server.lingering import LingeringTransport

EXTENSION = "steelyard.connection"  # scope["extensions"] key under which a request finds its connection

VERSIONS = ("1.1", "1.0")
FRAMING = (b"content-length", b"transfer-encoding")
HEAD, BODY, WHOLE = range(3)  # what of the newest request is still to come: some of its head, of its body, nothing


class HeadTooLarge(Exception):
    """Ends the parser's work on a head that is complete, but too large."""


class Ambiguous(Exception):
    """Ends the parser's work on a head that whoever stands in front of us may read in another way."""


FRESH_SECONDS = 1.0  # in which a client sends its request once it is connected


class SteelyardProtocol(HttpToolsProtocol):
    """One connection. The limits are class attributes, so that a subclass can have others."""

    # What real clients send stays below 2 KB and 25 headers. nginx takes 4 x 8 KiB, Node 16 KiB, and Apache 100 fields;
    # traces, baggage and cookies of a company's proxies may need more.
    max_head_bytes = 65_536
    max_headers = 200
    # F93: a head within 10 s, a body within 30 s; a longer body may take a second more for every 16 KiB that came, so
    # that whoever is on a slow line (128 kbit/s) gets through, and holding a place costs bandwidth.
    # Both times count from the first packet that left something to wait for, not from the last one.
    head_seconds = 10.0
    body_seconds = 30.0
    body_bytes_per_second = 16_384
    # A caller who takes nothing of what waits for him holds a place, and perhaps a provider, as long as he likes.
    # Twice nginx's send_timeout, for the kernel takes its share of a slow caller's answer in large steps.
    unread_seconds = 120.0

    # Waiting to be sent to one caller, before who writes has to wait too: one piece of an answer.
    unsent_bytes = 16_384

    crowd = Crowd()  # of all connections of one server; this one has no limit

    on_gone: Callable[[], object] | None = None
    is_gone = False  # for who was not listening when the caller left
    is_late = False  # the body took too long; who waits for it says so

    _running: RequestResponseCycle | None = None  # `cycle` is the newest request, which may have to wait for this one
    _phase = WHOLE
    _packet_bytes = 0  # of the packet being parsed
    _passed_bytes = 0  # of those, the ones that belong to requests before the newest one
    _framing_bytes = 0  # since the head began, or since the last packet with content in it
    _body_bytes = 0  # of all requests so far
    _counted_body_bytes = 0  # of those, the ones that `_framing_bytes` knows of
    _timer: asyncio.TimerHandle | None = None
    _timed_phase = WHOLE
    _timed_since = 0.0  # loop time
    _timed_from_byte = 0  # `_body_bytes` when the clock was started
    _reader_timer: asyncio.TimerHandle | None = None
    _unread_bytes = 0  # when that was set
    _may_stay = True  # uvicorn's `keep_alive` for the time when the body is whole
    _has_refused = False
    _is_counted = False
    _is_unused = True  # no request has come
    _is_last = False  # the request that comes first is the last one
    _came = 0.0  # loop time

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=self.unsent_bytes)
        self._came = self.loop.time()
        address = self.client[0] if self.client else ""
        too_many = self.crowd.refusal(address)
        if too_many:
            self._has_refused = True
            self.parser = Deaf()  # type: ignore[assignment]
            transport.write(written(Overloaded(too_many, retry_after_seconds=1.0), "retry-after: 1\r\n"))
            transport.close()
            return
        self.crowd.enter(address)
        self._is_counted = True
        # uvicorn would wait forever for the first byte; a new connection may idle as long as a used one.
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.is_gone = True
        if self._is_counted:
            self._is_counted = False
            self.crowd.leave(self.client[0] if self.client else "")
        running = self._running
        if running is not None and running is not self.cycle:  # uvicorn tells the newest one only
            running.disconnected = True
            running.message_event.set()
        self._stop_clock()
        self._stop_watching_reader()
        self._unset_keepalive_if_required()
        if self.on_gone is not None:
            self.on_gone()
            self.on_gone = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_watching_reader()

    def data_received(self, data: bytes) -> None:
        self._packet_bytes = len(data)
        self._passed_bytes = 0
        try:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                self._ignore_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(self._too_large() if isinstance(error.__context__, HeadTooLarge) else UNREADABLE)
            return
        if self._phase != WHOLE:
            self._wait_for_more()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: self}  # type: ignore[dict-item]
        self._phase = HEAD
        if self.timeout_keep_alive_task is not None:  # not on any byte: stray line ends begin nothing
            self._unset_keepalive_if_required()

    def on_headers_complete(self) -> None:
        if self._framing_bytes + self._packet_bytes > self.max_head_bytes and self._head_bytes() > self.max_head_bytes:
            raise HeadTooLarge
        if len(self.headers) > self.max_headers:
            raise HeadTooLarge
        if not is_unambiguous(self.parser.get_http_version(), self.headers):
            raise Ambiguous
        if self.timeout_keep_alive_task is not None:  # an answer that ended while this head was incomplete has set it
            self._unset_keepalive_if_required()
        self._phase = BODY
        super().on_headers_complete()
        self._is_unused = False
        if self._is_last:
            self.cycle.keep_alive = False
        self.headers = []  # takes the trailers; nobody may add to the headers once they have been looked at

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._phase = WHOLE
        self._passed_bytes = self._packet_bytes
        if self._timed_phase != WHOLE:
            self._stop_clock()
            self._framing_bytes = 0
        if self.flow.read_paused and not self.pipeline:  # uvicorn reads on for who wants more, and nobody will
            self.flow.resume_reading()
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def shutdown(self) -> None:
        """No further request; but the first one of a connection that has just come may be on its way, and is answered.

        Who has used a connection before has to be ready for its end, and asks again over another.
        """
        self._may_stay = False
        age = self.loop.time() - self._came
        if self._is_unused and age < FRESH_SECONDS:
            self._is_last = True
            self.loop.call_later(FRESH_SECONDS - age, self._close_unused)
        else:
            super().shutdown()

    def _close_unused(self) -> None:
        if self._is_unused:
            self.transport.close()

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read the body that the parser takes for another protocol, and let this be the connection's last request.

        A server may ignore an upgrade (RFC 9110, 7.8). Java's HttpClient asks for one to h2c with its first request.
        """
        framing = [b"%s: %s\r\n" % field for field in self.scope["headers"] if field[0] in FRAMING]
        self.cycle.keep_alive = False
        self.cycle.more_body = bool(framing)
        self._phase = BODY if framing else WHOLE
        self.parser = httptools.HttpRequestParser(Rest(self)) if framing else Deaf()  # type: ignore[assignment]
        self.parser.feed_data(b"POST / HTTP/1.1\r\nconnection: close\r\n%s\r\n%s" % (b"".join(framing), rest))

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + len(b": \r\n") for name, value in self.headers)

    def _wait_for_more(self) -> None:
        """The packet has been read and the request is not whole."""
        if self._phase == BODY and self._body_bytes != self._counted_body_bytes:
            self._counted_body_bytes = self._body_bytes
            self._framing_bytes = 0
        else:
            self._framing_bytes += self._packet_bytes - self._passed_bytes
        if self._framing_bytes > self.max_head_bytes or len(self.headers) > self.max_headers:
            self._refuse(self._too_large())
        elif self._timed_phase != self._phase:
            self._start_clock()

    def _too_large(self) -> bytes:
        limits = f"at most {self.max_head_bytes:,} bytes and {self.max_headers} headers are accepted"
        if self._phase == BODY:
            return refusal(431, "headers_too_large", f"The body's trailers or chunk extensions are too large; {limits}")
        if not self.headers and len(self.url) > self.max_head_bytes // 2:
            return refusal(414, "uri_too_long", f"The request's URL is too long; {limits}")
        return refusal(431, "headers_too_large", f"The request's headers are too large; {limits}")

    def _start_clock(self) -> None:
        self._stop_clock()
        self._timed_phase = self._phase
        self._timed_since = self.loop.time()
        self._timed_from_byte = self._body_bytes
        if self._phase == BODY:  # an answer that comes before the end of the body ends the connection, in good manners
            self._may_stay = self.cycle.keep_alive
            self.cycle.keep_alive = False
            self.cycle.transport = self._lingering()
        self._timer = self.loop.call_later(self._allowed_seconds(), self._look_at_clock)

    def _stop_clock(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._timed_phase == BODY and not self.cycle.response_started:
            self.cycle.keep_alive = self._may_stay
            self.cycle.transport = self.transport
        self._timed_phase = WHOLE

    def _allowed_seconds(self) -> float:
        if self._phase == HEAD:
            return self.head_seconds
        return self.body_seconds + (self._body_bytes - self._timed_from_byte) / self.body_bytes_per_second

    def _look_at_clock(self) -> None:
        self._timer = None
        now = self.loop.time()
        if self.flow.read_paused:  # it is we who let the caller wait
            self._timed_since = now
        left = self._timed_since + self._allowed_seconds() - now
        if left > 0:
            self._timer = self.loop.call_later(left, self._look_at_clock)
        elif self._phase == HEAD:
            self._refuse(refusal(408, "request_timeout", f"The request's headers took over {self.head_seconds:g} s"))
        else:
            self.is_late = True
            self.cycle.message_event.set()

    def _watch_reader(self) -> None:
        self._unread_bytes = self.transport.get_write_buffer_size()
        self._reader_timer = self.loop.call_later(self.unread_seconds, self._look_at_reader)

    def _stop_watching_reader(self) -> None:
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    def _look_at_reader(self) -> None:
        if self.transport.get_write_buffer_size() < self._unread_bytes:
            self._watch_reader()
        else:
            self.transport.abort()

    def _refuse(self, answer: bytes) -> None:
        """Say no to the newest request, which the application has not seen whole, and read nothing more."""
        if self._has_refused:
            return
        self._has_refused = True
        belongs_to_cycle = self._phase == BODY
        self._stop_clock()
        self._phase = WHOLE
        self.parser = Deaf()  # type: ignore[assignment]
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if not belongs_to_cycle:  # an earlier request is being answered: that is the last thing we do here
                cycle.keep_alive = self._may_stay = False
                return
            cycle.disconnected = True
            cycle.message_event.set()
            if self.pipeline or cycle.response_started:  # whatever we wrote now would stand inside another answer
                self.transport.close()
                return
        self.flow.resume_reading()
        self.transport.write(answer)
        self._lingering().close()

    def _lingering(self) -> LingeringTransport:
        return LingeringTransport(self.transport, self, self.loop)


class Rest:
    """What a parser tells of a request whose head has been dealt with."""

    def __init__(self, connection: SteelyardProtocol) -> None:
        self.on_body = connection.on_body
        self.on_message_complete = connection.on_message_complete


class Deaf:
    """A parser for a connection that reads no further request: takes whatever comes for nothing."""

    def feed_data(self, data: bytes) -> None:
        return


def is_unambiguous(version: str, headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether nobody can take this head for another request's, beyond what the parser itself refuses.

    One Host, which HTTP/1.0 may leave out; `chunked` as the only transfer coding, and in HTTP/1.1 alone.
    Source: RFC 9112, 3.2 and 6.1, read 2026-11-23.
    """
    if version not in VERSIONS:
        return False
    hosts = 0
    for name, value in headers:
        if name == b"host":
            hosts += 1
        elif name == b"transfer-encoding" and (version != "1.1" or value.strip().lower() != b"chunked"):
            return False
    return hosts == 1 or (hosts == 0 and version == "1.0")


def refusal(status: int, code: str, message: str) -> bytes:
    """A whole HTTP answer to a request that is no good."""
    return written(InvalidRequest(message, status=status, code=code))


def written(error: GatewayError, headers: str = "") -> bytes:
    """A whole HTTP answer with the error in OpenAI's shape."""
    body = error_body(error, None)
    head = (
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\ncontent-type: application/json\r\n"
        f"{headers}connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


UNREADABLE = refusal(400, "invalid_http", "This is not a valid HTTP request.")
