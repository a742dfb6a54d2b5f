"""Bytes to the caller: JSON answers, streams and errors, as raw ASGI messages."""

import math
from collections.abc import Iterable

from gateway.dialects.openai_chat import error_body
from gateway.errors import GatewayError, MethodNotAllowed
from gateway.server.limits import Send

Headers = list[tuple[bytes, bytes]]

JSON_TYPE = (b"content-type", b"application/json")
EVENTS_TYPE = (b"content-type", b"text/event-stream; charset=utf-8")
UNBUFFERED = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))


async def send_json(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """One whole JSON answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [JSON_TYPE, (b"content-length", b"%d" % len(body)), *headers],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def send_error(send: Send, error: GatewayError, decision: str | None, headers: Headers) -> None:
    """The error in the caller's dialect, with what a client needs to decide on a retry."""
    await send_json(send, error.status, error_body(error, decision), [*headers, *retry_headers(error)])


def retry_headers(error: GatewayError) -> Headers:
    """When to come back; and after every candidate has failed, that an SDK's own retries would only multiply it."""
    if isinstance(error, MethodNotAllowed):
        return [(b"allow", error.allow.encode())]
    if error.retry_after_seconds is not None:
        wait = error.retry_after_seconds
        return [(b"retry-after", b"%d" % max(1, math.ceil(wait))), (b"retry-after-ms", b"%d" % math.ceil(wait * 1e3))]
    return [(b"x-should-retry", b"false")] if error.status in (502, 504) else []


async def start_stream(send: Send, headers: Headers, of_events: bool = True) -> None:
    """Status line and headers of a stream; after this no error can change the status. Without events it is JSON."""
    content_type = EVENTS_TYPE if of_events else JSON_TYPE
    await send({"type": "http.response.start", "status": 200, "headers": [content_type, *UNBUFFERED, *headers]})
