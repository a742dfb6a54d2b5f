"""Faults of a provider that another could serve never reach the caller."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.running import Gateway, Simulator, stopped_after

FAST = {"STEELYARD_SIMULATOR_PACE": "0"}

# Fault, what the receipt calls it for a whole answer, what for a stream; None: this fault makes no sense there.
UNSEEN: list[tuple[str, str | None, str | None]] = [
    ("F06", "no_answer", "no_answer"),
    ("F07", "no_answer", "no_answer"),
    ("F11", "rate_limited", "rate_limited"),
    ("F23", "model_gone", "model_gone"),
    ("F24", "request_timeout", "request_timeout"),
    ("F29", "server_error", "server_error"),
    ("F30", "server_error", "server_error"),
    ("F31", "overloaded", "overloaded"),
    ("F33", "overloaded", "overloaded"),
    ("F35", "broken_answer", "broken_answer"),
    ("F36", "broken_answer", None),
    ("F37", "broken_answer", None),
    ("F38", "broken_answer", None),
    ("F39;v=nochoices", "broken_answer", None),
    ("F44", "redirect", "redirect"),
    ("F50", None, "server_error"),
    ("F53;after=0", None, "stream_cut"),
]
# These put a provider's key out, and with it everything that the provider sells.
OF_THE_KEY = [
    ("F17", "quota_exhausted"),
    ("F19", "quota_exhausted"),
    ("F20", "quota_exhausted"),
    ("F21", "credentials"),
    ("F22", "permission"),
]
CASES = [
    pytest.param(fault, named, stream, id=f"{fault}-{'stream' if stream else 'whole'}")
    for fault, whole, streamed in UNSEEN
    for named, stream in ((whole, False), (streamed, True))
    if named
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path_factory.mktemp("fallback"), environ=FAST)
    with stopped_after(gateway):
        yield gateway


def candidates(gateway: Gateway) -> list[str]:
    """The targets that a plain request would try now, first choice first."""
    body = {"messages": [{"role": "user", "content": "hello"}]}
    ranked = gateway.http.post("/v1/route", json=body).json()["candidates"]
    return [one["target"] for one in ranked if not one["last_resort"]]


def first_choice(gateway: Gateway) -> str:
    return candidates(gateway)[0]


def story_of(answer: httpx2.Response) -> Any:
    """The `steelyard` object of an answer, streamed or not."""
    text = answer.text
    if text.startswith("data: "):
        *_, last, done = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
        assert done == "[DONE]"
        text = last
    return json.loads(text)["steelyard"]


def text_of(answer: httpx2.Response) -> str:
    """The answer's text, streamed or not."""
    if not answer.text.startswith("data: "):
        text: str = answer.json()["choices"][0]["message"]["content"]
        return text
    chunks = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


def fails_over(gateway: Gateway, fault: str, named: str, stream: bool) -> None:
    """Break the first of two targets: the caller gets a whole answer from the other, and is told what happened.

    The two are named, because health learns between one request and the next.
    """
    broken, *others = candidates(gateway)
    whole = next(target for target in others if target.split("@")[1] != broken.split("@")[1])
    answer = gateway.chat(models=[broken, whole], stream=stream, headers={"x-steelyard-simulate": f"{broken}={fault}"})
    assert answer.status_code == 200
    assert text_of(answer)
    story = story_of(answer)
    assert [attempt["target"] for attempt in story["attempts"]] == [broken, whole]
    assert [attempt.get("fault", "") for attempt in story["attempts"]] == [named, ""]
    assert story["fallback"] is True
    assert (answer.headers["x-steelyard-fallback"], answer.headers["x-steelyard-attempts"]) == ("true", "2")
    assert answer.headers["x-steelyard-provider"] == story["provider"] == whole.split("@")[1]


@pytest.mark.parametrize(("fault", "named", "stream"), CASES)
def test_a_fault_of_the_first_choice_is_not_seen(gateway: Gateway, fault: str, named: str, stream: bool) -> None:
    fails_over(gateway, fault, named, stream)


@pytest.mark.parametrize(("fault", "named"), OF_THE_KEY)
def test_a_key_that_is_refused_takes_its_provider_out(tmp_path: Path, fault: str, named: str) -> None:
    gateway = Gateway(tmp_path, environ=FAST)
    with stopped_after(gateway):
        provider = first_choice(gateway).split("@")[1]
        fails_over(gateway, fault, named, stream=False)
        assert first_choice(gateway).split("@")[1] != provider
        fails_over(gateway, fault, named, stream=True)


def test_the_callers_own_mistake_goes_to_one_provider_only(gateway: Gateway) -> None:
    answer = gateway.chat(headers={"x-steelyard-simulate": "F26"})
    assert answer.status_code == 400
    assert answer.headers["x-steelyard-attempts"] == "1"
    body = answer.json()
    assert body["error"]["type"] == "invalid_request_error"
    assert [attempt["fault"] for attempt in body["steelyard"]["attempts"]] == ["invalid_request"]


def test_a_context_overflow_goes_to_a_larger_window_only(gateway: Gateway) -> None:
    broken = first_choice(gateway)
    answer = gateway.chat(models=[broken, "auto"], headers={"x-steelyard-simulate": f"{broken}=F27"})
    windows = {row["target"]: row["context_window"] for model in gateway.models() for row in model.get("hosts", [])}
    assert answer.status_code == 200
    assert windows[story_of(answer)["target"]] > windows[broken]


def test_a_context_overflow_at_the_largest_window_is_the_callers(gateway: Gateway) -> None:
    windows = {row["target"]: row["context_window"] for model in gateway.models() for row in model.get("hosts", [])}
    largest = max(windows, key=lambda target: windows[target])
    answer = gateway.chat(model=largest, headers={"x-steelyard-simulate": "F27"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert answer.headers["x-steelyard-attempts"] == "1"


def test_when_everybody_is_rate_limited_the_caller_hears_when_to_come_back(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ=FAST)
    with stopped_after(gateway):
        answer = gateway.chat(model="sim/swift-mini", headers={"x-steelyard-simulate": "F11;ra=7"})
        assert answer.status_code == 429
        assert answer.json()["error"]["code"] == "rate_limit_exceeded"
        assert 1 <= int(answer.headers["retry-after"]) <= 7


def test_when_everybody_fails_the_caller_gets_one_error_and_no_reason_to_retry(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ=FAST)
    with stopped_after(gateway):
        answer = gateway.chat(headers={"x-steelyard-simulate": "F29"})
        assert answer.status_code == 502
        assert answer.headers["x-should-retry"] == "false"
        assert answer.headers["x-steelyard-attempts"] == "4"
        body = answer.json()
        assert "server_error" in body["error"]["message"]
        assert [attempt["fault"] for attempt in body["steelyard"]["attempts"]] == ["server_error"] * 4


SAID = {"role": "user", "content": "hello"}
QUESTIONS: dict[str, dict[str, object]] = {
    "/v1/chat/completions": {"messages": [SAID]},
    "/v1/completions": {"prompt": "hello"},
    "/v1/responses": {"input": "hello"},
    "/v1/messages": {"messages": [SAID], "max_tokens": 9},
    "/v1beta/models/sim/swift-mini:generateContent": {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]},
}


def test_every_format_says_whether_and_when_to_ask_again(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ=FAST)
    with stopped_after(gateway):
        for fault, status, told in (("F29", 502, ("false", None)), ("F11;ra=7", 429, (None, "7"))):
            for path, question in QUESTIONS.items():
                body = question if "beta" in path else {"model": "sim/swift-mini", **question}
                answer = gateway.http.post(path, json=body, headers={"x-steelyard-simulate": fault})
                assert answer.status_code == status, path
                heard = answer.headers.get("x-should-retry"), answer.headers.get("retry-after")
                assert heard[0] == told[0], path
                assert (heard[1] is None) == (told[1] is None), path
                assert told[1] is None or 1 <= int(heard[1] or 0) <= int(told[1]), path


def test_a_stream_cut_after_its_first_content_ends_with_error_and_finish_and_without_done(gateway: Gateway) -> None:
    answer = gateway.chat(stream=True, headers={"x-steelyard-simulate": "F53;after=3"})
    lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert "[DONE]" not in lines
    last = json.loads(lines[-1])
    assert last["choices"][0]["finish_reason"] == "error"
    assert last["error"]["message"]
    assert last["steelyard"]["attempts"][-1]["outcome"] == "cut"
    assert last["steelyard"]["cost_usd"] > 0
    assert last["id"] == json.loads(lines[0])["id"]


def test_killing_the_chosen_provider_changes_nothing_but_the_metadata(tmp_path: Path) -> None:
    providers = {name: Simulator(tmp_path, name) for name in ("sim-alpha", "sim-bravo")}
    model = "{id: sim/swift-mini, input_price_usd: %s, output_price_usd: 1, context_window: 32768, quality: 0.5}"
    settings = "providers:\n" + "".join(
        f"  {name}:\n    base_url: http://127.0.0.1:{simulator.ports[name]}/v1\n    models: [{model % price}]\n"
        for price, (name, simulator) in enumerate(providers.items(), 1)
    )
    gateway = Gateway(tmp_path, settings)
    with stopped_after(gateway, *providers.values()):
        before = gateway.chat()
        assert before.headers["x-steelyard-provider"] == "sim-alpha"
        providers["sim-alpha"].stop(signal.SIGKILL)
        after = gateway.chat()
        assert (after.status_code, after.headers["x-steelyard-provider"]) == (200, "sim-bravo")
        assert text_of(after) == text_of(before)
        assert story_of(after)["attempts"][0]["fault"] in ("connect", "no_answer")
