"""Admission: how much we take in at once, and how large a body may be."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gateway.errors import InvalidRequest, Overloaded, PayloadTooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class CallerGone(Exception):
    """The caller hung up before the request was complete."""


class Gate:
    """Counts the requests in flight and refuses what is over the limit, at once."""

    def __init__(self, max_in_flight: int) -> None:
        self.max_in_flight = max_in_flight
        self.in_flight = 0

    def enter(self) -> None:
        """Take a place or raise `Overloaded`; every place taken is given back by `leave`."""
        if self.in_flight >= self.max_in_flight:
            raise Overloaded(
                f"{self.in_flight} requests are in flight, the limit is {self.max_in_flight}; try again shortly",
                retry_after_seconds=1.0,
            )
        self.in_flight += 1

    def leave(self) -> None:
        self.in_flight -= 1


async def read_body(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    """The request's whole body. Counts what arrives, whatever Content-Length claims."""
    refuse_encoded(scope)
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
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        parts.append(message["body"])
        size += len(message["body"])
    check_size(size, max_bytes)
    return b"".join(parts)


def check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise PayloadTooLarge(
            f"The request body is over {max_bytes:,} bytes; send less, or raise server.max_body_bytes in the settings"
        )


def refuse_encoded(scope: Scope) -> None:
    """A compressed request could unpack to anything; we do not unpack."""
    for name, value in scope["headers"]:
        if name == b"content-encoding" and value.lower() != b"identity":
            raise InvalidRequest(
                f"Content-Encoding {value[:40].decode('latin-1')} is not accepted; send the body as plain JSON",
                status=415,
                code="unsupported_content_encoding",
            )
