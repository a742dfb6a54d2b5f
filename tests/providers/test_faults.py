"""What providers say when they fail, as they say it, and what we make of it. The cases are a fixture file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw, Struct, json

from gateway.providers.error_body import read_error
from gateway.providers.faults import (
    KIND_OF_STATUS,
    RULES,
    Fault,
    Scope,
    Verdict,
    classify_answer,
    classify_error_object,
    matching_sign,
)
from gateway.providers.kinds import FaultKind
from gateway.providers.signs import SIGNS

NOW = 1_763_800_000.0


def openai(message: str = "", code: object = None, type: str | None = None, **more: object) -> dict[str, Any]:  # noqa: A002
    return {"error": {"message": message, "type": type, "param": None, "code": code, **more}}


def anthropic(type: str, message: str, **more: object) -> dict[str, Any]:  # noqa: A002
    return {"type": "error", "error": {"type": type, "message": message, **more}, "request_id": "req_1"}


def openrouter(code: int, message: str, **metadata: object) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "metadata": metadata}}


K = FaultKind
ANSWERS = Path(__file__).parents[1] / "fixtures" / "providers" / "answers.jsonl"


class Case(Struct):
    """A line of the fixture file."""

    provider: str
    status: int
    kind: FaultKind
    body: Raw = Raw()
    text: str = ""

    @property
    def bytes(self) -> bytes:
        return bytes(self.body) or self.text.encode()

    def __str__(self) -> str:
        return f"{self.provider}-{self.status}-{self.kind}"


CASES = [json.decode(line, type=Case) for line in ANSWERS.read_text().splitlines() if not line.startswith("#")]


def raw(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.encode(body)


def classify(
    provider: str, status: int, body: object, headers: Mapping[str, str] | None = None, key: str = ""
) -> Fault:
    return classify_answer(provider, status, headers or {}, raw(body), (key,), NOW)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_answer_is_named(case: Case) -> None:
    assert classify(case.provider, case.status, case.bytes).kind is case.kind


def test_every_sign_is_seen_in_a_case() -> None:
    seen = set()
    for case in CASES:
        error = read_error(case.bytes)
        if error is not None:
            named = error.status if case.status < 300 and error.status else case.status
            seen.add(id(matching_sign(case.provider, named, error)))
    assert [sign for sign in SIGNS if id(sign) not in seen] == []


def test_signs_are_written_as_they_are_compared() -> None:
    for sign in SIGNS:
        assert all(word == word.lower() for word in (*sign.labels, *sign.texts))
        assert sign.labels or sign.texts


@pytest.mark.parametrize("status", sorted(KIND_OF_STATUS))
def test_an_unreadable_body_leaves_the_status_to_decide(status: int) -> None:
    assert classify("openai", status, b"\xff\xfe not json").kind is KIND_OF_STATUS[status]


def test_every_kind_has_a_rule() -> None:
    assert set(RULES) == set(FaultKind)


def test_the_callers_mistakes_stay_with_the_caller_and_cool_nothing_down() -> None:
    for kind in (K.INVALID_REQUEST, K.CONTENT_FILTER, K.CONTEXT_TOO_LONG, K.TOO_LARGE):
        rule = RULES[kind]
        assert (rule.scope, rule.counts, rule.cooldown_seconds) == (Scope.NONE, False, 0.0)
    assert RULES[K.CONTEXT_TOO_LONG].verdict is Verdict.LARGER_WINDOW
    assert RULES[K.TOO_LARGE].verdict is Verdict.LARGER_LIMIT


def test_a_refused_key_is_out_for_all_models_for_at_least_a_minute() -> None:
    for kind in (K.CREDENTIALS, K.QUOTA_EXHAUSTED, K.PERMISSION):
        assert RULES[kind].scope is Scope.KEY
        assert RULES[kind].cooldown_seconds >= 60.0


def test_a_short_wait_does_not_bring_a_used_up_balance_back() -> None:
    fault = classify("openai", 429, openai("no", "insufficient_quota"), {"retry-after": "1"})
    assert fault.wait_seconds == RULES[K.QUOTA_EXHAUSTED].cooldown_seconds


def test_a_rate_limit_keeps_exactly_the_stated_wait() -> None:
    assert classify("openai", 429, openai("slow down"), {"Retry-After": "7"}).wait_seconds == 7.0
    assert classify("openai", 503, b"", {"Retry-After": "4"}).wait_seconds == 4.0
    assert classify("openai", 429, openai("slow down")).wait_seconds is None


def test_the_caller_gets_the_providers_own_words_as_an_openai_error() -> None:
    fault = classify("openai", 400, openai("Bad temperature", "invalid_value", "invalid_request_error", hint="0 to 2"))
    assert json.decode(fault.body)["error"] == {
        "message": "Bad temperature",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_value",
        "hint": "0 to 2",
    }
    assert (fault.status, fault.code) == (400, "invalid_value")


def test_what_is_not_the_callers_to_see_has_no_body() -> None:
    assert classify("openai", 401, openai("Incorrect API key provided", "invalid_api_key")).body == b""


def test_an_error_inside_a_200_never_reaches_the_caller_as_a_200() -> None:
    assert classify("anthropic", 200, anthropic("invalid_request_error", "no messages")).status == 400
    assert classify("openrouter", 200, openrouter(403, "Your input was flagged")).status == 403


@pytest.mark.parametrize("status", [200, 600, 999])
def test_the_caller_gets_a_status_that_http_has(status: int) -> None:
    assert classify("own", status, openai("no", 613, "content_filter")).status == 400


def test_keys_are_replaced_wherever_a_provider_echoes_them() -> None:
    key = "sk-live-0123456789"
    body = openai(f"Bad field, you sent Bearer {key}", key, "invalid_request_error", deep=[{key: {"again": key}}])
    fault = classify("openai", 400, body, key=key)
    assert key not in fault.message
    assert key not in fault.code
    assert key.encode() not in fault.body
    assert "***" in fault.message


def test_a_key_at_the_cut_of_a_long_message_leaves_no_half() -> None:
    key = "sk-live-0123456789"
    message = classify("openai", 400, openai("x" * 292 + key), key=key).message
    assert len(message) <= 300
    assert "sk-l" not in message


def test_a_message_is_one_printable_line() -> None:
    message = classify("openai", 500, openai("a\r\nb\x1b[31m\x00c\u202ed" + "e" * 500)).message
    assert message.startswith("a b [31m c d")
    assert len(message) == 300
    assert message.isprintable()


def test_a_page_is_named_and_never_quoted() -> None:
    assert classify("openai", 502, b"  <html><h1>secret host</h1>").message == "status 502 with an HTML page"


def test_a_deeply_nested_error_does_not_bring_us_down() -> None:
    body = b'{"error":' + b'{"details":[' * 5_000 + b"1" + b"]}" * 5_000 + b"}"
    assert classify("openai", 400, body).kind is K.INVALID_REQUEST
    shallow = openai("deep", details=json.decode("[" * 200 + "]" * 200))
    assert json.decode(classify("openai", 400, shallow).body)["error"]["message"] == "deep"


@pytest.mark.parametrize("wrapped", [True, False])
def test_an_error_event_is_named_with_or_without_the_document_around_it(wrapped: bool) -> None:
    error = {"message": "Overloaded", "type": "overloaded_error"}
    assert classify_error_object("anthropic", {"error": error} if wrapped else error).kind is K.OVERLOADED
    assert classify_error_object("anthropic", raw({"error": error} if wrapped else error)).kind is K.OVERLOADED


@pytest.mark.parametrize("event", [b"{", b"null", b"[]", b'"it broke"', b'{"odd": 1}'])
def test_an_error_event_of_any_form_is_a_fault(event: bytes) -> None:
    assert classify_error_object("openai", event).kind is K.ERROR_IN_ANSWER


def test_an_error_event_without_words_is_named_by_its_type() -> None:
    assert classify_error_object("anthropic", b'{"type": "overloaded_error"}').kind is K.OVERLOADED


def test_a_reset_in_an_error_event_is_not_measured_from_an_unknown_clock() -> None:
    seen = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1763800030000"}
    fault = classify_error_object("openrouter", raw(openrouter(429, "limited", headers=seen)))
    assert (fault.kind, fault.wait_seconds) == (K.RATE_LIMITED, None)
