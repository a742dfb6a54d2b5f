"""Admission: how much we take in at once, and what a body may be: JSON, not too large, not too slow."""

from collections.abc import Awaitable, Callable, MutableMapping
from math import inf
from time import monotonic
from typing import Any

from gateway.errors import InvalidRequest, Overloaded, PayloadTooLarge
from gateway.server.memory import FULL, is_full
from gateway.server.protocol import EXTENSION

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

USUAL_TYPES = frozenset((None, b"application/json", b"application/json; charset=utf-8"))  # no need to look closer
LOOK_SECONDS = 0.25  # between two looks at the memory in use, each of which costs as much as a decision
FORM = b"application/x-www-form-urlencoded"


class CallerGone(Exception):
    """The caller hung up before anything was done for him."""


class Gate:
    """Counts the requests in flight, and refuses at once what is over the limit, or for what memory is short."""

    def __init__(self, max_in_flight: int, max_memory_bytes: int = 0) -> None:
        """max_memory_bytes: 0 for no limit."""
        self.max_in_flight = max_in_flight
        self.max_memory_bytes = max_memory_bytes
        self.in_flight = 0
        self._is_full = False
        self._looked_at = -inf

    def enter(self) -> None:
        """Take a place or raise `Overloaded`; every place taken is given back by `leave`."""
        if self.in_flight >= self.max_in_flight:
            raise Overloaded(
                f"{self.in_flight} requests are in flight, the limit is {self.max_in_flight}; try again shortly",
                retry_after_seconds=1.0,
            )
        if self.max_memory_bytes and self.in_flight and self._is_short(monotonic()):
            limit = self.max_memory_bytes // 2**20
            raise Overloaded(
                f"Memory is short: over {FULL:.0%} of {limit} MiB are in use; try again shortly",
                retry_after_seconds=1.0,
            )
        self.in_flight += 1

    def _is_short(self, now: float) -> bool:
        if now - self._looked_at > LOOK_SECONDS:
            self._is_full = is_full(self.max_memory_bytes)
            self._looked_at = now
        return self._is_full

    def leave(self) -> None:
        self.in_flight -= 1


async def read_body(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    """The request's whole body. Refuses by the headers what can be; counts what arrives, whatever they claim."""
    check_headers(dict(scope["headers"]), max_bytes)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise CallerGone
    body: bytes = message["body"]
    if not message["more_body"]:
        check_size(len(body), max_bytes)
        return body
    parts = [body]
    size = len(body)
    while message["more_body"]:
        check_size(size, max_bytes)
        check_time(scope)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        parts.append(message["body"])
        size += len(message["body"])
    check_size(size, max_bytes)
    return b"".join(parts)


def check_headers(headers: dict[bytes, bytes], max_bytes: int) -> None:
    """Refuse before the first byte of the body is asked for, so before `100 Continue`.

    Of a header that comes twice the last one counts; Content-Length cannot, the parser sees to that.
    """
    if headers.get(b"content-type") not in USUAL_TYPES:
        check_type(headers[b"content-type"])
    if b"content-encoding" in headers:
        check_encoding(headers[b"content-encoding"])
    if b"content-length" in headers:
        check_size(int(headers[b"content-length"]), max_bytes)


def check_type(value: bytes) -> None:
    """JSON only. A browser sends text/plain and forms for any web page without asking the server first."""
    media_type = value.partition(b";")[0].strip().lower()
    if media_type in (b"", b"application/json") or media_type.endswith(b"+json"):
        return
    curl = " (which curl -d sends unless it is told otherwise)" if media_type == FORM else ""
    raise InvalidRequest(
        f"Content-Type {shown(media_type)}{curl} is not accepted; send JSON and say so: "
        "-H 'content-type: application/json'",
        status=415,
        code="unsupported_media_type",
    )


def check_encoding(value: bytes) -> None:
    """A compressed request could unpack to anything; we do not unpack."""
    if value.lower() != b"identity":
        raise InvalidRequest(
            f"Content-Encoding {shown(value)} is not accepted; send the body as plain JSON",
            status=415,
            code="unsupported_content_encoding",
        )


def check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise PayloadTooLarge(
            f"The request body is over {max_bytes:,} bytes; send less, or raise server.max_body_bytes in the settings"
        )


def check_time(scope: Scope) -> None:
    """Our protocol wakes who waits for a body that takes too long."""
    connection = scope.get("extensions", {}).get(EXTENSION)
    if connection is not None and connection.is_late:
        raise InvalidRequest(
            f"The request body took over {connection.body_seconds:g} s and came at less than "
            f"{connection.body_bytes_per_second:,} bytes per second",
            status=408,
            code="request_timeout",
        )


def shown(value: bytes) -> str:
    """A header's value, as far as a message needs it."""
    return value[:60].decode("latin-1")
