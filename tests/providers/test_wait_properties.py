"""No input makes the wait parser fail, and no answer leaves [0, 3600]."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.providers.faults import RULES, Verdict, classify_answer, classify_error_object
from gateway.providers.wait import stated_wait

NAMES = st.sampled_from(
    [
        "Retry-After",
        "retry-after-ms",
        "date",
        "x-ratelimit-reset-tokens",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset",
        "anthropic-ratelimit-requests-reset",
        "anthropic-ratelimit-requests-remaining",
    ]
)
VALUES = st.one_of(
    st.text(max_size=80),
    st.floats().map(str),
    st.integers().map(str),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.from_regex(r"[0-9.]{0,9}(ms|s|m|h)?[0-9.]{0,9}s?", fullmatch=True),
)
FIELDS = st.sampled_from(
    [
        "error",
        "message",
        "code",
        "type",
        "status",
        "details",
        "metadata",
        "headers",
        "retryDelay",
        "violations",
        "quotaId",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS | st.text(max_size=12), inner, max_size=5),
    max_leaves=25,
)
BODIES = st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode())
HEADERS = st.dictionaries(NAMES, VALUES, max_size=6)


@settings(max_examples=500, derandomize=True)
@given(HEADERS, BODIES, st.floats(0, 4e9))
def test_a_wait_is_none_or_within_an_hour(headers: dict[str, str], body: bytes, now: float) -> None:
    wait = stated_wait(headers, body, now)
    assert wait is None or 0.0 <= wait <= 3600.0


@settings(max_examples=500, derandomize=True)
@given(st.sampled_from(["openai", "google", "zai", "minimax", "mine"]), st.integers(100, 599), HEADERS, BODIES)
def test_any_answer_is_named_in_one_printable_line(
    provider: str, status: int, headers: dict[str, str], body: bytes
) -> None:
    fault = classify_answer(provider, status, headers, body, ("sk-secret",), 1.7e9)
    assert len(fault.message) <= 300
    assert fault.message.isprintable()
    assert bool(fault.body) <= (RULES[fault.kind].verdict is not Verdict.NEXT)
    if fault.body:
        assert isinstance(json.loads(fault.body)["error"], dict)


@settings(max_examples=300, derandomize=True)
@given(st.text(max_size=30), st.text(alphabet="abc/\\\"'-é\n", min_size=1, max_size=12), st.integers(200, 599))
def test_a_key_never_comes_back(around: str, key: str, status: int) -> None:
    error = {"message": around + key + around, "code": key, "type": "invalid_request_error", "deep": [{key: key}]}
    fault = classify_error_object("openai", json.dumps({"error": error}).encode(), status, (key,))
    shown = fault.message + fault.code + json.dumps(json.loads(fault.body or b"null"), ensure_ascii=False)
    visible = shown.replace("***", "")
    assert json.dumps(key, ensure_ascii=False)[1:-1] not in visible or key in "invalid_request_error"
