"""Whole answers: what they say about themselves, and the same as a stream."""

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from gateway.dialects.answer import answer_as_stream, read_answer
from gateway.dialects.codec import AnswerFacts
from gateway.wire.delta import Usage
from tests.dialects.streams import chunks, relayed, said

USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


def answer(message: Any, finish: str | None = "stop", **members: Any) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    shell = {"id": "c1", "object": "chat.completion", "created": 7, "model": "m"}
    return json.dumps({**shell, "choices": [choice], "usage": USAGE, **members}).encode()


def text(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def test_a_good_answer() -> None:
    assert read_answer(answer(text("Hello"))) == AnswerFacts(
        usage=Usage(input_tokens=5, output_tokens=2), finish="stop", model="m", output_tokens_estimate=2
    )


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ({}, None),
        ({"prompt_tokens": "5"}, None),
        ({"prompt_tokens": 1.5}, None),
        ([], None),
        ({"prompt_tokens": -5, "completion_tokens": 2}, Usage(-5, output_tokens=2)),
        (
            {**USAGE, "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1}},
            Usage(5, cached_tokens=4, cache_write_tokens=1, output_tokens=2),
        ),
        (
            {**USAGE, "completion_tokens_details": {"reasoning_tokens": 1}},
            Usage(5, output_tokens=2, reasoning_tokens=1),
        ),
        ({**USAGE, "prompt_tokens_details": None, "completion_tokens_details": None}, Usage(5, output_tokens=2)),
        ({**USAGE, "prompt_cache_hit_tokens": 4}, Usage(5, cached_tokens=4, output_tokens=2)),
        ({**USAGE, "cached_tokens": 3}, Usage(5, cached_tokens=3, output_tokens=2)),
    ],
)
def test_usage_is_read_in_every_spelling_of_the_family(usage: Any, expected: Usage | None) -> None:
    assert read_answer(answer(text("x"), usage=usage)).usage == expected


@pytest.mark.parametrize(
    ("message", "finish", "usage", "empty"),
    [
        (text(""), "stop", {}, True),
        (text(""), "stop", USAGE, False),
        (text(None), "stop", USAGE, True),
        ({"role": "assistant"}, "stop", USAGE, True),
        (None, "stop", USAGE, True),
        (text(None), None, None, True),
        (text(""), "length", {}, False),
        (text(None), "content_filter", {}, False),
        ({**text(None), "refusal": "no"}, "stop", {}, False),
        ({**text(None), "tool_calls": [{"id": "1"}]}, "tool_calls", {}, False),
        ({**text(None), "tool_calls": []}, "tool_calls", {}, True),
        ({**text(""), "reasoning_content": "Hm"}, "stop", {}, False),
        (text([{"type": "text", "text": "x"}]), "stop", {}, False),
    ],
)
def test_an_empty_answer_ended_well_but_says_nothing(message: Any, finish: str, usage: Any, empty: bool) -> None:
    facts = read_answer(answer(message, finish, usage=usage))
    assert (facts.empty, facts.malformed, facts.error) == (empty, False, None)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"error":{"message":"x","code":500}}', {"message": "x", "code": 500}),
        (b'{"error":"overloaded"}', "overloaded"),
        (b'[{"error":{"code":503}}]', {"code": 503}),
        (b'{"object":"error","message":"x","code":404}', {"object": "error", "message": "x", "code": 404}),
        (b'{"type":"error","error":{"type":"overloaded_error"}}', {"type": "overloaded_error"}),
        (b'{"choices":[],"error":{"code":1}}', {"code": 1}),
        (b'{"choices":[{"error":{"code":502},"finish_reason":"error"}]}', {"code": 502}),
        (
            b'{"choices":[{"message":{"content":"half"},"finish_reason":"error"}]}',
            {"message": "the provider ended its answer with finish_reason error"},
        ),
    ],
)
def test_an_error_in_a_good_status_is_found(body: bytes, error: Any) -> None:
    facts = read_answer(body)
    assert json.loads(facts.error or b"") == error
    assert not facts.malformed


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b'{"choices":[{"mess',
        b"{}",
        b'{"choices":[]}',
        b'{"choices":null}',
        b'{"choices":{}}',
        b"[]",
        b'{"message":{"role":"assistant"}}',
        b'{"choices":[7]}',
        b"null",
        b'{"choices":[{"message":"\xff"}]}',
        b'{"choices":[{}],"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_anything_else_is_malformed(body: bytes) -> None:
    assert read_answer(body) == AnswerFacts(malformed=True)


def test_an_answer_becomes_a_stream_that_says_the_same() -> None:
    calls = [{"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":\n1}'}}]
    calls += [{"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}]
    message = {"role": "assistant", "content": "Hé\n", "reasoning_content": "Hm", "tool_calls": calls}
    body = answer(message, "tool_calls", system_fingerprint="fp")
    streamed = answer_as_stream(body)
    assert streamed.endswith(b"data: [DONE]\n\n")
    assert said(streamed) == {
        "text": "Hé\n",
        "reasoning": "Hm",
        "tools": [["f", '{"x":\n1}'], ["g", "{}"]],
        "finish": {"0": "tool_calls"},
    }
    for chunk in chunks(streamed):
        ChatCompletionChunk.model_validate(chunk)
        assert chunk["system_fingerprint"] == "fp"
    relay, _ = relayed([streamed])
    facts = read_answer(body)
    assert (relay.complete, relay.usage, relay.finish, relay.provider_model) == (True, facts.usage, "tool_calls", "m")


def test_every_choice_is_streamed() -> None:
    choices = [{"index": n, "message": text(f"{n}"), "finish_reason": "stop"} for n in range(3)]
    streamed = answer_as_stream(answer(None, choices=choices))
    assert [said(streamed, n)["text"] for n in range(3)] == ["0", "1", "2"]
    assert said(streamed)["finish"] == {"0": "stop", "1": "stop", "2": "stop"}


def test_what_arrived_whole_has_ended() -> None:
    assert said(answer_as_stream(answer(text("x"), None)))["finish"] == {"0": "stop"}
