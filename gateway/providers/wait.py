"""How long a provider asks us to stay away, in any of the ways in which providers say it.

The largest credible statement wins. Nothing here trusts its input: values are bounded before they are read, and a
statement that cannot be read is no statement. A point in time is measured from the answer's own `Date`, so that a clock
that is wrong, theirs or ours, does not matter.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from gateway.providers.error_body import ErrorBody, read_error

LONGEST_WAIT_SECONDS = 3600.0
LONGEST_VALUE = 64  # characters of a header that can hold a duration or a date
LONGEST_TEXT = 4_096  # bytes of a body without an error object in which a phrase is looked for
MOST_DETAILS = 32

# A number this large is a point in time, not a duration: 1e9 s after 1970 is 2001, 1e9 s from now is 31 years.
EPOCH_SECONDS = 1e9
EPOCH_MILLISECONDS = 1e12
END_OF_EPOCHS = 1e14  # and one beyond this, the year 5138 in milliseconds, is nonsense

UNIT_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0,
    "millisecond": 1e-3, "milliseconds": 1e-3, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0,
    "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0, "hour": 3600.0, "hours": 3600.0,
}  # fmt: skip
DIGITS = "0123456789."
LETTERS = "abcdefghijklmnopqrstuvwxyzµ"

# "Please try again in 5.289s" (OpenAI, Groq), "Please retry in 41.4s" (Gemini), "retry after 30 seconds" (Azure).
WAIT_PHRASES = ("try again in ", "try again after ", "retry in ", "retry after ", "retry your request after ")

RESET_PREFIXES = ("x-ratelimit-", "ratelimit-", "anthropic-ratelimit-")


def stated_wait(headers: Mapping[str, str], body: bytes, now_unix: float) -> float | None:
    """Seconds, in [0, 3600], that the answer asks us to wait; None when it does not say.

    now_unix: our clock, used only when the answer has no `Date`. With nan, points in time are not read.
    """
    error = read_error(body)
    text = error.text if error is not None else body[:LONGEST_TEXT].decode("utf-8", "replace").lower()
    return wait_in(headers, error, text, now_unix)


def wait_in(headers: Mapping[str, str], error: ErrorBody | None, text: str, now_unix: float) -> float | None:
    """As `stated_wait`, of an error that has been read already. text: its words in lower case."""
    lower: dict[str, str] = {}
    for name, value in headers.items():  # a header that comes twice counts twice
        lower[name.lower()] = f"{lower[name.lower()]},{value}" if name.lower() in lower else value
    date = _date(lower.get("date", ""))
    now = now_unix if date is None else date
    statements = [*_of_headers(lower, now), *_of_text(text), *_of_error(error, now)]
    credible = [seconds for seconds in statements if not math.isnan(seconds)]
    return min(max(0.0, *credible), LONGEST_WAIT_SECONDS) if credible else None


def duration_seconds(text: str) -> float | None:
    """Seconds of a Go-style duration ("6m0s", "2m59.56s", "120ms") or of a number with a unit ("5 seconds").

    Reads as far as the text goes on being one; None when it does not start with one.
    """
    total: float | None = None
    rest = text[:LONGEST_VALUE].lstrip()
    while True:
        digits = _leading(rest, DIGITS)
        tail = rest[len(digits) :].lstrip()
        unit = _leading(tail, LETTERS)
        amount = _number(digits)
        if amount is None or unit not in UNIT_SECONDS:
            return total
        total = (total or 0.0) + amount * UNIT_SECONDS[unit]
        rest = tail[len(unit) :]


def reset_seconds(value: str, date: str, now_unix: float) -> float | None:
    """Seconds, in [0, 3600], until the reset that a header states; None when it cannot be read.

    date: the answer's `Date`, in whose place `now_unix` is taken when there is none.
    """
    moment = _date(date)
    seconds = _reset(value[:LONGEST_VALUE], now_unix if moment is None else moment)
    return None if math.isnan(seconds) else min(max(0.0, seconds), LONGEST_WAIT_SECONDS)


def _of_headers(headers: Mapping[str, str], now: float) -> Iterator[float]:
    finer = [headers[name] for name in ("retry-after-ms", "x-ms-retry-after-ms") if name in headers]
    milliseconds = [number for value in finer if (number := _number(value)) is not None]
    if milliseconds:
        yield max(milliseconds) / 1000  # a finer statement of the same thing, so `retry-after` is not read
    else:
        yield from _retry_after(headers.get("retry-after", ""), now)
    yield from _resets(headers, now)


def _retry_after(value: str, now: float) -> Iterator[float]:
    moment = _date(value)
    if moment is not None:
        yield moment - now
        return
    for part in value[:LONGEST_VALUE].split(","):  # repeated headers arrive joined
        seconds = _number(part)
        if seconds is not None:
            yield _until(seconds, now)


def _resets(headers: Mapping[str, str], now: float) -> Iterator[float]:
    """Waits of the limits that are used up. One with something left is not what stopped us."""
    for name, value in headers.items():
        if not name.startswith(RESET_PREFIXES) or "reset" not in name:
            continue
        remaining = _number(headers.get(name.replace("reset", "remaining"), ""))
        used_up = remaining is not None and remaining <= 0
        if used_up or (remaining is None and not name.startswith("anthropic-")):
            yield _reset(value[:LONGEST_VALUE], now)


def _reset(value: str, now: float) -> float:
    """Seconds until a reset: a number, a duration or a timestamp; nan when it is none of them."""
    number = _number(value)
    if number is not None:
        return _until(number, now)
    duration = duration_seconds(value)
    return _timestamp(value) - now if duration is None else duration


def _of_error(error: ErrorBody | None, now: float) -> Iterator[float]:
    if error is None:
        return
    details = error.object.get("details")
    for detail in details[:MOST_DETAILS] if isinstance(details, list) else ():
        if isinstance(detail, Mapping):
            yield from _of_detail(detail)
    metadata = error.object.get("metadata")
    seen = metadata.get("headers") if isinstance(metadata, Mapping) else None
    if isinstance(seen, Mapping):  # OpenRouter hands on the rate-limit headers that it met
        yield from _resets({str(name).lower(): str(value) for name, value in seen.items()}, now)


def _of_detail(detail: Mapping[str, Any]) -> Iterator[float]:
    """Google's RetryInfo and QuotaFailure."""
    delay = duration_seconds(str(detail.get("retryDelay", "")))
    if delay is not None:
        yield delay
    violations = detail.get("violations")
    for violation in violations[:MOST_DETAILS] if isinstance(violations, list) else ():
        # A daily quota comes with a delay of a few seconds too, which is not true. It ends at midnight in California.
        if isinstance(violation, Mapping) and "PerDay" in str(violation.get("quotaId", "")):
            yield LONGEST_WAIT_SECONDS


def _of_text(text: str) -> Iterator[float]:
    for phrase in WAIT_PHRASES:
        start = text.find(phrase)
        if start >= 0:
            seconds = duration_seconds(text[start + len(phrase) : start + len(phrase) + LONGEST_VALUE])
            if seconds is not None:
                yield seconds


def _until(number: float, now: float) -> float:
    """Seconds from `now`, of a number that may be a duration or a Unix time in seconds or milliseconds."""
    if EPOCH_SECONDS <= number < EPOCH_MILLISECONDS:
        return number - now
    return number / 1000 - now if EPOCH_MILLISECONDS <= number < END_OF_EPOCHS else number


def _number(text: str) -> float | None:
    if not 0 < len(text) <= LONGEST_VALUE:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _date(text: str) -> float | None:
    """Unix seconds of an HTTP date."""
    if not 0 < len(text) <= LONGEST_VALUE:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def _timestamp(text: str) -> float:
    """Unix seconds of an RFC 3339 timestamp, nan when it is none; one without a zone is taken as UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def _leading(text: str, alphabet: str) -> str:
    return text[: len(text) - len(text.lstrip(alphabet))]
