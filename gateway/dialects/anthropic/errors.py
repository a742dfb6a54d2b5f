"""Errors as callers of this format know them. Source: platform.claude.com, "Errors", read 2026-11-23."""

import msgspec
from msgspec import Struct

from gateway.dialects.anthropic.events import MESSAGE
from gateway.dialects.anthropic.schema import is_absent
from gateway.dialects.edits import attach
from gateway.errors import ContextTooLong, GatewayError, InvalidRequest, ProviderRefused
from gateway.wire.partial import Partial

TYPE_OF_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
# Clients begin to compact a conversation when they read these words.
TOO_LONG = "prompt is too long"
TOO_LONG_CODE = "context_length_exceeded"
# A thread is held by the one provider that began it, and the next turn may be another's. The tool runners of the
# vendor's SDKs begin one unasked; at this code they send the whole conversation.
# Source: ThreadUnsupportedRequestError of anthropic 2.12.0, read 2026-11-23.
NO_THREADS = "thread_unsupported_request"


class ErrorDetails(Struct, frozen=True):
    error_code: str


class ErrorMember(Struct, frozen=True, omit_defaults=True):
    type: str
    message: str
    code: str | None = None  # ours: the precise word, where there is one
    details: ErrorDetails | None = None
    partial: Partial | None = None


class ErrorDocument(Struct, frozen=True, tag_field="type", tag="error"):
    error: ErrorMember
    request_id: str | None = None


def type_of_status(status: int) -> str:
    """Any other fault of the caller's is an invalid request, any other of ours an API error."""
    return TYPE_OF_STATUS.get(status) or ("invalid_request_error" if 400 <= status < 500 else "api_error")


def no_threads() -> InvalidRequest:
    """The refusal of `thread`."""
    advice = "send the whole conversation in `messages`, without `thread`"
    return InvalidRequest(f"thread: no provider holds a conversation for a router; {advice}", code=NO_THREADS)


def error_body(error: GatewayError, decision: str | None) -> bytes:
    """The error in this format. A provider's own document is passed on as it is when it has that shape."""
    if isinstance(error, ProviderRefused) and is_error_document(error.body):
        body = error.body
    else:
        details = ErrorDetails(NO_THREADS) if error.code == NO_THREADS else None
        member = ErrorMember(type_of_status(error.status), message_of(error), error.code, details)
        body = msgspec.json.encode(ErrorDocument(member, decision))
    return body if decision is None else attach(body, msgspec.json.encode({"decision": decision}))


def message_of(error: GatewayError) -> str:
    is_too_long = isinstance(error, ContextTooLong) or error.code == TOO_LONG_CODE
    return f"{TOO_LONG}: {error.message}" if is_too_long and TOO_LONG not in error.message.lower() else error.message


def is_error_document(body: bytes) -> bool:
    try:
        document = MESSAGE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return document.type == "error" and not is_absent(document.error)


def error_event(
    message: str, code: int | str, error_type: str, metadata: bytes | None, partial: Partial | None = None
) -> bytes:
    """The last event of an answer that broke off. error_type: the gateway's own word for what happened."""
    status = code if isinstance(code, int) else int(code) if code.isdecimal() else 500
    data = msgspec.json.encode(
        ErrorDocument(ErrorMember(type_of_status(status), message, error_type or None, None, partial))
    )
    return b"event: error\ndata: " + (data if metadata is None else attach(data, metadata)) + b"\n\n"


def count_tokens_body(tokens: int) -> bytes:
    """The answer of POST /v1/messages/count_tokens."""
    return msgspec.json.encode({"input_tokens": tokens})
