"""What can go wrong with a provider, what each fault means, and how to tell which one it is.

The body is read before the status: providers put a used-up balance into 400, 403 and 429, a filter into 403 and 200.
`SIGNS` holds what they are known to say, the first row that fits decides; `KIND_OF_STATUS` decides when none does.
A provider's quirk is one row in `gateway.providers.signs`.
"""

import enum
from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.providers.error_body import LONGEST_BODY, ErrorBody, is_html, read_error
from gateway.providers.kinds import FaultKind
from gateway.providers.redact import one_line, redacted_document
from gateway.providers.signs import SIGNS, Sign
from gateway.providers.wait import stated_wait, wait_in

__all__ = [
    "RULES",
    "SLOW_TO_RETURN",
    "Fault",
    "FaultKind",
    "Rule",
    "Scope",
    "Verdict",
    "classify_answer",
    "classify_error_object",
]


AWS_ERROR = "x-amzn-errortype"  # AWS names the error in a header, "ThrottlingException:http://…", not in the body


class Verdict(enum.Enum):
    """What to do with the request now."""

    NEXT = "next"  # the next target
    LARGER_WINDOW = "larger_window"  # the next target with a larger context window
    LARGER_LIMIT = "larger_limit"  # the next target that takes larger requests
    CALLER = "caller"  # nobody else is asked: the request itself is at fault, or nobody waits for it


class Scope(enum.Enum):
    """What the fault says something about, and so what cools down."""

    NONE = "none"
    TARGET = "target"  # that model at that provider
    ALLOWANCE = "allowance"  # that model at that provider with that key
    KEY = "key"  # everything behind that key


class Rule(Struct, frozen=True):
    """What follows from a kind of fault."""

    verdict: Verdict
    scope: Scope
    counts: bool  # against the target's health
    cooldown_seconds: float = 0.0  # when the provider states no wait


NEXT, TARGET, ALLOWANCE, KEY = Verdict.NEXT, Scope.TARGET, Scope.ALLOWANCE, Scope.KEY
PROBE_SECONDS = 300.0  # a key that was refused is tried again, by one request, after this
GONE_SECONDS = 600.0

RULES: dict[FaultKind, Rule] = {
    # The connection. It is the host that fails, but the breaker decides when to stop asking, not one lost packet.
    FaultKind.CONNECT: Rule(NEXT, TARGET, counts=True),
    FaultKind.CONNECT_TIMEOUT: Rule(NEXT, TARGET, counts=True),
    FaultKind.TLS: Rule(NEXT, TARGET, counts=True),
    FaultKind.NO_ANSWER: Rule(NEXT, TARGET, counts=True),
    FaultKind.HEADER_TIMEOUT: Rule(NEXT, TARGET, counts=True),
    FaultKind.FIRST_TOKEN_TIMEOUT: Rule(NEXT, TARGET, counts=True),
    FaultKind.IDLE_TIMEOUT: Rule(NEXT, TARGET, counts=True),
    FaultKind.TOTAL_TIMEOUT: Rule(NEXT, TARGET, counts=True),
    # Limits are mostly per model and key, so the other models of the provider stay.
    FaultKind.RATE_LIMITED: Rule(NEXT, ALLOWANCE, counts=False, cooldown_seconds=10.0),
    FaultKind.QUOTA_EXHAUSTED: Rule(NEXT, KEY, counts=False, cooldown_seconds=PROBE_SECONDS),
    FaultKind.CREDENTIALS: Rule(NEXT, KEY, counts=False, cooldown_seconds=PROBE_SECONDS),
    FaultKind.PERMISSION: Rule(NEXT, KEY, counts=False, cooldown_seconds=PROBE_SECONDS),
    FaultKind.MODEL_GONE: Rule(NEXT, TARGET, counts=False, cooldown_seconds=GONE_SECONDS),
    FaultKind.REQUEST_TIMEOUT: Rule(NEXT, TARGET, counts=True),
    FaultKind.TOO_LARGE: Rule(Verdict.LARGER_LIMIT, Scope.NONE, counts=False),
    FaultKind.INVALID_REQUEST: Rule(Verdict.CALLER, Scope.NONE, counts=False),
    FaultKind.CONTEXT_TOO_LONG: Rule(Verdict.LARGER_WINDOW, Scope.NONE, counts=False),
    FaultKind.CONTENT_FILTER: Rule(Verdict.CALLER, Scope.NONE, counts=False),
    FaultKind.SERVER_ERROR: Rule(NEXT, TARGET, counts=True),
    FaultKind.OVERLOADED: Rule(NEXT, TARGET, counts=True),
    FaultKind.REDIRECT: Rule(NEXT, TARGET, counts=True),
    FaultKind.BROKEN_ANSWER: Rule(NEXT, TARGET, counts=True),
    FaultKind.EMPTY_ANSWER: Rule(NEXT, TARGET, counts=True),
    FaultKind.ERROR_IN_ANSWER: Rule(NEXT, TARGET, counts=True),
    FaultKind.STREAM_CUT: Rule(NEXT, TARGET, counts=True),
    FaultKind.OVERSIZED_ANSWER: Rule(NEXT, TARGET, counts=True),
    FaultKind.LOSS: Rule(NEXT, Scope.NONE, counts=False),
    FaultKind.CANCELLED: Rule(Verdict.CALLER, Scope.NONE, counts=False),
    FaultKind.STOPPED: Rule(Verdict.CALLER, Scope.NONE, counts=False),
}
# Faults that end when a person acts. A short wait that such an answer states is a rate limiter's habit, not a promise.
SLOW_TO_RETURN = {FaultKind.QUOTA_EXHAUSTED, FaultKind.CREDENTIALS, FaultKind.PERMISSION, FaultKind.MODEL_GONE}

KIND_OF_STATUS: dict[int, FaultKind] = {
    401: FaultKind.CREDENTIALS,
    402: FaultKind.QUOTA_EXHAUSTED,
    403: FaultKind.PERMISSION,
    404: FaultKind.MODEL_GONE,
    405: FaultKind.MODEL_GONE,  # a path that takes no POST serves no model
    408: FaultKind.REQUEST_TIMEOUT,
    409: FaultKind.SERVER_ERROR,
    410: FaultKind.MODEL_GONE,
    413: FaultKind.TOO_LARGE,
    424: FaultKind.SERVER_ERROR,
    425: FaultKind.SERVER_ERROR,
    429: FaultKind.RATE_LIMITED,
    498: FaultKind.OVERLOADED,  # Groq: flex tier has no capacity
    499: FaultKind.REQUEST_TIMEOUT,
    503: FaultKind.OVERLOADED,
    529: FaultKind.OVERLOADED,
}


class Fault(Struct, frozen=True):
    """One failure of one attempt."""

    kind: FaultKind
    status: int | None  # HTTP status, that which an error inside a 200 names instead; None when nothing answered
    wait_seconds: float | None  # as the provider states it; None when it does not
    message: str  # one line of at most 300 printable characters, keys replaced by ***
    body: bytes  # the provider's error as an OpenAI error document, b"" when it is not the caller's to see
    code: str  # the provider's own code or type, "" when it has none
    is_targets: bool = True  # False: somebody else used up the time, so it says nothing about the target


def classify_answer(
    provider: str, status: int, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now_unix: float
) -> Fault:
    """Name the fault of a complete answer that is known to be none: any status, and a 200 without an answer in it."""
    if 300 <= status < 400:
        return Fault(FaultKind.REDIRECT, status, None, f"answered with a redirect ({status}), not followed", b"", "")
    error = read_error(body)
    if error is None:
        return _without_error(status, body, secrets, stated_wait(headers, body, now_unix))
    named = headers.get(AWS_ERROR, "").partition(":")[0]
    if named:
        error = replace(error, labels=error.labels | {named.lower()}, code=error.code or named)
    return _classify(provider, status, error, secrets, wait_in(headers, error, error.text, now_unix))


def classify_error_object(
    provider: str, error: bytes | Mapping[str, Any], status: int | None = None, secrets: Sequence[str] = ()
) -> Fault:
    """Name the fault of an error found inside an answer or a stream.

    error: its JSON, or the decoded object; either the error itself or the document around it.
    status: of the answer that it was in; a status that the error names itself goes before it.
    """
    found = read_error(error, certain=True)
    if found is None:
        return Fault(FaultKind.ERROR_IN_ANSWER, status, None, "an error in a form that cannot be read", b"", "")
    return _classify(provider, status or 200, found, secrets, wait_in({}, found, found.text, nan))


def matching_sign(provider: str, status: int, error: ErrorBody) -> Sign | None:
    """The first row of `SIGNS` that fits, None when the status has to decide."""
    return next((sign for sign in SIGNS if sign.fits(provider, status, error)), None)


def _classify(provider: str, status: int, error: ErrorBody, secrets: Sequence[str], wait: float | None) -> Fault:
    if status < 300:
        status = error.status or status
    sign = matching_sign(provider, status, error)
    kind = sign.kind if sign is not None else _kind_of(status)
    rule = RULES[kind]
    told = rule.verdict is not NEXT
    if wait is not None and kind in SLOW_TO_RETURN:
        wait = max(wait, rule.cooldown_seconds)
    return Fault(
        kind=kind,
        status=400 if told and not 400 <= status < 600 else status,  # the caller must not get a 200 that is none
        wait_seconds=wait,
        message=one_line(error.message or error.code or f"status {status} without a message", secrets),
        body=redacted_document(error, secrets) if told else b"",
        code=one_line(error.code, secrets),
    )


def _kind_of(status: int) -> FaultKind:
    if status < 400:
        return FaultKind.ERROR_IN_ANSWER
    return KIND_OF_STATUS.get(status, FaultKind.INVALID_REQUEST if status < 500 else FaultKind.SERVER_ERROR)


def _without_error(status: int, body: bytes, secrets: Sequence[str], wait: float | None) -> Fault:
    """An answer without an error in it. An HTML page is named, never quoted."""
    empty = not body.strip()
    unanswered = FaultKind.EMPTY_ANSWER if empty else FaultKind.BROKEN_ANSWER
    kind = unanswered if status < 300 else _kind_of(status)
    if empty:
        message = f"status {status} with an empty body"
    elif is_html(body):
        message = f"status {status} with an HTML page"
    else:
        message = one_line(f"status {status}: {body[:LONGEST_BODY].decode('utf-8', 'replace')}", secrets)
    return Fault(kind, status, wait, message, b"", "")
