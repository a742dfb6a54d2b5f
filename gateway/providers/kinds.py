"""The names of everything that can go wrong with an attempt."""

import enum


class FaultKind(enum.StrEnum):
    """One word per fault; it is what receipts, metrics and the reliability table say."""

    CONNECT = "connect"  # refused, unreachable, unknown host
    CONNECT_TIMEOUT = "connect_timeout"
    TLS = "tls"  # no TLS there, or a certificate that we do not trust
    NO_ANSWER = "no_answer"  # closed without a byte
    HEADER_TIMEOUT = "header_timeout"
    FIRST_TOKEN_TIMEOUT = "first_token_timeout"  # noqa: S105 - a token of text
    IDLE_TIMEOUT = "idle_timeout"  # a stream that stopped moving
    TOTAL_TIMEOUT = "total_timeout"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"  # no balance, no credits, a spend limit: waiting does not help
    CREDENTIALS = "credentials"  # the key is wrong, expired or switched off
    PERMISSION = "permission"  # the key is right and may not; or this country may not
    MODEL_GONE = "model_gone"  # unknown there, withdrawn, or not for this key
    REQUEST_TIMEOUT = "request_timeout"
    TOO_LARGE = "too_large"  # more bytes, or more tokens per minute, than the provider ever takes
    INVALID_REQUEST = "invalid_request"
    CONTEXT_TOO_LONG = "context_too_long"
    CONTENT_FILTER = "content_filter"
    SERVER_ERROR = "server_error"
    OVERLOADED = "overloaded"
    REDIRECT = "redirect"
    BROKEN_ANSWER = "broken_answer"  # not JSON, truncated, HTML, of the wrong shape
    EMPTY_ANSWER = "empty_answer"
    ERROR_IN_ANSWER = "error_in_answer"  # an error inside a 200 that says nothing more precise
    STREAM_CUT = "stream_cut"  # ended without finishing
    OVERSIZED_ANSWER = "oversized_answer"
    LOSS = "loss"  # not asked: its format cannot say all that the caller asks for
    CANCELLED = "cancelled"  # we gave it up: nobody waits for an answer any more
    STOPPED = "stopped"  # we are being shut down
