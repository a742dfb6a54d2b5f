"""Errors in Google's shape: `{"error": {"code", "message", "status", "details"}}`.

Source: cloud.google.com/apis/design/errors (google.rpc.Status, Code, ErrorInfo, RetryInfo), read 2026-11-23.
"""

import math

import msgspec
from msgspec import Raw

from gateway.dialects.edits import attach
from gateway.errors import GatewayError, ProviderRefused
from gateway.wire.partial import Partial

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}
TYPE_URL = "type.googleapis.com/google.rpc."
DOMAIN = "steelyard"

DOCUMENT = msgspec.json.Decoder(dict[str, Raw])


def error_body(error: GatewayError, decision: str | None) -> bytes:
    """The error, with the id of the decision it belongs to, if any. A provider's own of this shape is passed on."""
    if isinstance(error, ProviderRefused) and is_error_document(error.body):
        body = error.body
    else:
        told = error_object(error.message, error.status, error.type, error.code, error.param, error.retry_after_seconds)
        body = msgspec.json.encode({"error": told})
    return body if decision is None else attach(body, msgspec.json.encode({"decision": decision}))


def error_object(
    message: str,
    status: int | str,
    error_type: str,
    code: str | None = None,
    param: str | None = None,
    retry_after_seconds: float | None = None,
) -> dict[str, object]:
    """status: the HTTP status, or a word of ours for it, which counts as a server's error."""
    is_word = isinstance(status, str) and not status.isdecimal()
    number = 500 if is_word else int(status)
    reason = (str(status) if is_word else code or error_type).upper()
    info: dict[str, object] = {"@type": f"{TYPE_URL}ErrorInfo", "reason": reason, "domain": DOMAIN}
    if param:
        info["metadata"] = {"field": param}
    details = [info]
    if retry_after_seconds is not None:
        delay = f"{math.ceil(retry_after_seconds)}s"
        details.append({"@type": f"{TYPE_URL}RetryInfo", "retryDelay": delay})
    return {"code": number, "message": message, "status": status_of(number), "details": details}


def broken_off(message: str, status: int | str, error_type: str, partial: Partial | None) -> dict[str, object]:
    """The error of a stream that broke off, with what a caller may go on from."""
    error = error_object(message, status, error_type)
    return error if partial is None else {**error, "partial": partial}


def status_of(number: int) -> str:
    """Google's word for an HTTP status."""
    return STATUSES.get(number, "INVALID_ARGUMENT" if 400 <= number < 500 else "INTERNAL")


def is_error_document(body: bytes) -> bool:
    """Google's shape: an error object with a status in words."""
    try:
        error = DOCUMENT.decode(body).get("error", Raw(b""))
        return "status" in DOCUMENT.decode(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
