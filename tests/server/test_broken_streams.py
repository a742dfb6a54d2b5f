"""Streams that break after their first words: told of in a way that programs can rely on, or gone on with elsewhere."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from loadtest.chaos.formats import FORMATS, Format, Told, told_by
from tests.running import Gateway, stopped_after

SETTINGS = """
routers:
  goes-on: {weights: {cost: 1}, fallback: {midstream: continue, idle_seconds: 0.3}}
  breaks: {weights: {cost: 1}, fallback: {idle_seconds: 0.3}}
"""
MODEL = "sim/swift-mini"
HOSTS = ("sim-alpha", "sim-bravo", "sim-delta")
FIRST = "sim-delta"  # the cheapest
TOKENS = 24
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "generationConfig")
BREAKS = ["F51", "F52", "F53", "F54", "F55", "F56", "F59", "F70"]  # F59 is an event that nobody can read
WORDED = [form for form in FORMATS if form.writes]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path_factory.mktemp("broken"), SETTINGS, {"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway):
        yield gateway


def wished(fault: str, first: str = "") -> dict[str, str]:
    """The header by which `first` has a fault, and everybody else answers well."""
    wishes = {host: fault if host == first else "OK" for host in HOSTS}
    return {"x-steelyard-simulate": ",".join(f"{host}={wish};tokens={TOKENS}" for host, wish in wishes.items())}


def ask(gateway: Gateway, router: str, form: Format, headers: dict[str, str]) -> tuple[Told, str]:
    body = {name: value for name, value in form.body(MODEL, True).items() if name not in LIMITS}
    if form.name == "anthropic_messages":
        body["max_tokens"] = 400
    answer = gateway.http.post(f"/routers/{router}{form.path(MODEL, True)}", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return told_by(form, True, answer.content), answer.text


def mend(gateway: Gateway, host: str) -> None:
    """Good answers, so that what a test has broken weighs nothing in the next."""
    for _ in range(3):
        gateway.chat(model=f"{MODEL}@{host}", headers=wished(""))


def broken(gateway: Gateway, router: str, form: Format, fault: str) -> tuple[Told, str]:
    """What came of a stream whose first target breaks it off."""
    told = ask(gateway, router, form, wished(fault, FIRST))
    mend(gateway, FIRST)
    return told


@pytest.fixture(scope="module")
def whole(gateway: Gateway) -> dict[str, str]:
    """The undisturbed text, by format."""
    return {form.name: ask(gateway, "breaks", form, wished(""))[0].text for form in WORDED}


def error_in(text: str) -> dict[str, Any]:
    """The error of the last event that has one."""
    last = [line[6:] for line in text.splitlines() if line.startswith("data: ") and '"partial"' in line][-1]
    error: dict[str, Any] = json.loads(last)["error"]
    return error


@pytest.mark.parametrize("form", WORDED, ids=lambda form: form.name)
@pytest.mark.parametrize("fault", BREAKS)
def test_an_answer_that_breaks_off_is_gone_on_with_and_nobody_can_tell(
    gateway: Gateway, whole: dict[str, str], form: Format, fault: str
) -> None:
    told, _ = broken(gateway, "goes-on", form, f"{fault};after=9")
    assert told.text == whole[form.name]
    assert (told.errors, told.finishes, told.malformed) == ([], 1, [])
    assert told.endings == (1 if form.marks_end else 0)


@pytest.mark.parametrize("name", ["openai_chat", "anthropic_messages"])
@pytest.mark.parametrize("after", range(4, TOKENS))
def test_wherever_it_breaks_nothing_is_lost_and_nothing_comes_twice(
    gateway: Gateway, whole: dict[str, str], name: str, after: int
) -> None:
    form = next(form for form in WORDED if form.name == name)
    told, _ = broken(gateway, "goes-on", form, f"F53;after={after}")
    assert (told.text, told.errors) == (whole[name], [])


def test_both_parts_are_on_the_bill_and_in_the_receipt(gateway: Gateway) -> None:
    form = next(form for form in WORDED if form.name == "openai_chat")
    _, text = broken(gateway, "goes-on", form, "F53;after=9")
    *_, last = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    said = last["steelyard"]
    assert [attempt["outcome"] for attempt in said["attempts"]] == ["cut", "ok"]
    assert [attempt.get("fault", "") for attempt in said["attempts"]] == ["stream_cut", ""]
    assert said["target"] == said["attempts"][1]["target"] != said["attempts"][0]["target"]
    assert said["usage"]["output_tokens"] >= TOKENS
    parts = sum(attempt["cost_nano_usd"] for attempt in said["attempts"])
    assert round(said["cost_usd"] * 1e9) == parts > 0


def test_when_the_next_one_breaks_too_a_third_goes_on(gateway: Gateway, whole: dict[str, str]) -> None:
    form = next(form for form in WORDED if form.name == "openai_chat")
    second, third = (other for other in HOSTS if other != FIRST)
    wish = (
        f"{FIRST}=F53;after=5;tokens={TOKENS},{second}=F53;after=4;tokens={TOKENS},{third}=F53;after=4;tokens={TOKENS}"
    )
    told, text = ask(gateway, "goes-on", form, {"x-steelyard-simulate": wish})
    for one in HOSTS:
        mend(gateway, one)
    assert len(told.errors) == 1
    assert whole["openai_chat"].startswith(told.text)
    error = error_in(text)
    assert error["partial"]["next_target"] is None
    assert error["partial"]["output_tokens"] >= 13


@pytest.mark.parametrize("form", WORDED, ids=lambda form: form.name)
def test_an_error_says_what_came_what_it_cost_and_who_would_be_next(
    gateway: Gateway, whole: dict[str, str], form: Format
) -> None:
    told, text = broken(gateway, "breaks", form, "F53;after=9")
    assert whole[form.name].startswith(told.text)
    assert told.text
    partial = error_in(text)["partial"]
    assert partial["fault"] == "stream_cut"
    assert partial["resumable"] is True
    assert partial["why_not"] is None
    assert 0 < partial["output_tokens"] < TOKENS
    assert partial["cost_usd"] > 0
    assert partial["next_target"].startswith(MODEL + "@")


LOOK = {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}}


@pytest.mark.parametrize("router", ["breaks", "goes-on"])
def test_an_answer_that_has_begun_a_tool_call_cannot_be_gone_on_with(gateway: Gateway, router: str) -> None:
    body = {
        "model": MODEL,
        "stream": True,
        "messages": [{"role": "user", "content": "look"}],
        "tools": [{"type": "function", "function": LOOK}],
        "tool_choice": "required",
    }
    headers = {"x-steelyard-simulate": f"{FIRST}=F53;after=3;calls=1"}
    answer = gateway.http.post(f"/routers/{router}/v1/chat/completions", json=body, headers=headers)
    mend(gateway, FIRST)
    partial = error_in(answer.text)["partial"]
    assert (partial["resumable"], partial["why_not"]) == (False, "a tool call had begun")


def test_a_structured_answer_is_not_gone_on_with(gateway: Gateway) -> None:
    body = {
        "model": MODEL,
        "stream": True,
        "messages": [{"role": "user", "content": "an object, please"}],
        "response_format": {"type": "json_object"},
    }
    headers = {"x-steelyard-simulate": f"{FIRST}=F53;after=2"}
    answer = gateway.http.post("/routers/goes-on/v1/chat/completions", json=body, headers=headers)
    mend(gateway, FIRST)
    assert error_in(answer.text)["partial"]["why_not"] == "the answer is structured"


def test_openais_sdk_raises_with_the_contract_and_never_sees_a_break_that_was_mended(gateway: Gateway) -> None:
    for router, breaks in (("breaks", True), ("goes-on", False)):
        client = openai.OpenAI(base_url=f"{gateway.url}/routers/{router}/v1", api_key="unused", max_retries=0)
        stream = client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "hello"}],
            stream=True,
            extra_headers=wished("F53;after=9", FIRST),
        )
        if not breaks:
            assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
            continue
        with pytest.raises(openai.APIError) as raised:
            list(stream)
        assert isinstance(raised.value.body, dict)
        assert raised.value.body["partial"]["resumable"] is True
        mend(gateway, FIRST)


def test_anthropics_sdk_raises_with_the_contract_and_never_sees_a_break_that_was_mended(gateway: Gateway) -> None:
    for router, breaks in (("breaks", True), ("goes-on", False)):
        client = anthropic.Anthropic(base_url=f"{gateway.url}/routers/{router}", api_key="unused", max_retries=0)
        asked: Any = {
            "model": MODEL,
            "max_tokens": 400,
            "messages": [{"role": "user", "content": "hello"}],
            "extra_headers": wished("F53;after=9", FIRST),
        }
        if not breaks:
            with client.messages.stream(**asked) as stream:
                assert stream.get_final_message().stop_reason == "end_turn"
            continue
        with pytest.raises(anthropic.APIStatusError) as raised, client.messages.stream(**asked) as stream:
            stream.until_done()
        assert isinstance(raised.value.body, dict)
        assert raised.value.body["error"]["partial"]["resumable"] is True
        mend(gateway, FIRST)
