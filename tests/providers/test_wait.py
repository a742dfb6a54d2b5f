"""Every way in which providers say how long to stay away."""

import json
from collections.abc import Mapping

import pytest
from multidict import CIMultiDict

from gateway.providers.wait import duration_seconds, stated_wait

NOW = 1_763_800_000.0  # Sat, 22 Nov 2025 08:26:40 GMT
DATE = "Sat, 22 Nov 2025 08:26:40 GMT"


def wait(headers: Mapping[str, str], body: object = None, now: float = NOW) -> float | None:
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return stated_wait(headers, raw, now)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "2, 9"}, 9.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "0", "retry-after": "9"}, 0.0),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"x-ms-retry-after-ms": "1500"}, 1.5),
        ({"x-ratelimit-reset-requests": "6m0s"}, 360.0),
        ({"x-ratelimit-reset-tokens": "2m59.56s"}, 179.56),
        ({"x-ratelimit-reset-tokens": "7.66s"}, 7.66),
        ({"x-ratelimit-reset-requests": "120ms"}, 0.12),
        ({"x-ratelimit-reset-requests-day": "33.4"}, 33.4),
        ({"ratelimit-reset": "30"}, 30.0),
        ({"x-ratelimit-reset": str(int(NOW) + 12)}, 12.0),
        ({"x-ratelimit-reset": str(int(NOW + 12) * 1000)}, 12.0),
        ({"retry-after": "3", "x-ratelimit-reset-tokens": "8s"}, 8.0),
        ({}, None),
    ],
)
def test_headers_state_a_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert wait(headers) == pytest.approx(seconds)


def test_milliseconds_win_over_seconds() -> None:
    assert wait({"retry-after-ms": "1200", "retry-after": "2"}) == 1.2


@pytest.mark.parametrize("skew", [-3600.0, 0.0, 3600.0])
def test_a_date_counts_from_the_answers_own_clock(skew: float) -> None:
    headers = {"date": DATE, "retry-after": "Sat, 22 Nov 2025 08:26:47 GMT"}
    assert wait(headers, now=NOW + skew) == 7.0


def test_a_header_that_comes_several_times_is_read_each_time() -> None:
    several = CIMultiDict([("Retry-After", "1"), ("retry-after", "9"), ("retry-after", "-1"), ("retry-after", "soon")])
    assert wait(several) == 9.0


def test_a_date_counts_from_our_clock_when_the_answer_has_none() -> None:
    assert wait({"retry-after": "Sat, 22 Nov 2025 08:26:47 GMT"}, now=NOW) == 7.0


def test_a_limit_with_something_left_is_not_what_stopped_us() -> None:
    headers = {
        "retry-after": "7",
        "x-ratelimit-remaining-requests": "99",
        "x-ratelimit-reset-requests": "6m0s",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "8s",
    }
    assert wait(headers) == 8.0


@pytest.mark.parametrize(("remaining", "seconds"), [("0", 20.0), ("5", None), ("", None)])
def test_anthropic_resets_count_only_when_nothing_remains(remaining: str, seconds: float | None) -> None:
    headers = {
        "date": DATE,
        "anthropic-ratelimit-input-tokens-remaining": remaining,
        "anthropic-ratelimit-input-tokens-reset": "2025-11-22T08:27:00Z",
    }
    assert wait(headers) == seconds


def gemini(delay: object, quota: str = "GenerateRequestsPerMinutePerProjectPerModel") -> list[object]:
    details: list[object] = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota}]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
    ]
    return [{"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED", "details": details}}]


def test_gemini_states_its_delay_in_the_body() -> None:
    assert wait({}, gemini("41.5s")) == 41.5


def test_a_delay_is_never_longer_than_an_hour() -> None:
    assert wait({}, gemini("36000s")) == 3600.0


def test_a_daily_quota_is_no_wait_of_seven_seconds() -> None:
    assert wait({}, gemini("7s", "GenerateRequestsPerDayPerProjectPerModel-FreeTier")) == 3600.0


def test_openrouter_hands_on_the_headers_that_it_met() -> None:
    seen = {"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW + 30) * 1000)}
    assert wait({}, {"error": {"code": 429, "message": "limited", "metadata": {"headers": seen}}}) == 30.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Rate limit reached for gpt-4o on tokens per min. Please try again in 5.289s. Visit ...", 5.289),
        ("Please try again in 6m0s.", 360.0),
        ("Please retry in 41.461s.", 41.461),
        ("Please retry after 30 seconds.", 30.0),
        ("Try again in 120ms", 0.12),
        ("Try again in a moment", None),
    ],
)
def test_a_message_states_a_wait(text: str, seconds: float | None) -> None:
    assert wait({}, {"error": {"message": text}}) == seconds
    assert wait({}, text.encode()) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("100000000000000000000", 3600.0),
        ("1e400", 3600.0),
        ("-5", 0.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("9" * 10_000, 3600.0),
        ("Sat, 99 Nov 2025 08:26:47 GMT", None),
        ("\x00", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
def test_a_hostile_retry_after_is_clamped(value: str, seconds: float | None) -> None:
    assert wait({"retry-after": value}) == seconds


def test_a_body_of_a_megabyte_is_not_searched() -> None:
    assert wait({}, b"x" * 2**20 + b"try again in 5s") is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1h2m3s", 3723.0), ("5", None), ("s", None), ("", None), ("1.2.3s", None), ("4 minutes", 240.0)],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert duration_seconds(text) == seconds
