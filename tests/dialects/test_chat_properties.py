"""Any request of this format survives being read, written and read again; any Deltas make a grammatical stream."""

import json
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.chat import Chat
from gateway.dialects.chat.read_stream import StreamReader
from gateway.dialects.contract import TargetManner
from gateway.dialects.formats import INBOUND
from gateway.dialects.gathering import Gathering
from gateway.errors import InvalidRequest
from gateway.wire.conversation import Conversation
from gateway.wire.delta import (
    Began,
    CallArguments,
    CallBegan,
    Delta,
    Finish,
    RefusalDelta,
    TextDelta,
    ThoughtDelta,
    ThoughtSealed,
    Usage,
    UsageReport,
)
from tests.dialects.streams import chunks, payloads

CHAT = Chat()
CALLER = Conversation("openai_chat", ())
MANNER = TargetManner("gpt-5", "openai", "openai", is_reasoning=True)

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
texts = st.builds(lambda text: {"type": "text", "text": text}, words)
marks = st.sampled_from([{}, {"cache_control": {"type": "ephemeral"}}, {"cache_control": {"type": "e", "ttl": "1h"}}])
marked = st.builds(lambda part, mark: part | mark, texts, marks)
media = st.sampled_from(
    [
        {"type": "image_url", "image_url": {"url": "https://x.example/a.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "mp3"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "video_url", "video_url": {"url": "https://x.example/a.mp4"}},
        {"type": "hologram", "hologram": {}},
    ]
)
thoughts: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"reasoning_content": "hm"},
        {
            "reasoning_details": [
                {"type": "reasoning.text", "text": "hm", "signature": "s", "format": "google-gemini-v1"}
            ]
        },
        {
            "reasoning_details": [
                {"type": "reasoning.summary", "summary": "hm", "format": "openai-responses-v1", "id": "rs"},
                {"type": "reasoning.encrypted", "data": "blob", "format": "openai-responses-v1", "id": "rs"},
                {"type": "reasoning.encrypted", "data": "steelyard:other:x", "format": "unknown"},
            ]
        },
    ]
)
contents = st.one_of(words, st.lists(st.one_of(marked, media), min_size=1, max_size=3))


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request that OpenAI or OpenRouter would accept, with everything that the round trip keeps."""
    messages: list[dict[str, Any]] = draw(
        st.lists(
            st.builds(
                lambda role, text: {"role": role, "content": text}, st.sampled_from(["system", "developer"]), words
            )
        )
    )
    for turn in range(draw(st.integers(1, 3))):
        messages.append({"role": "user", "content": draw(contents)})
        calls: list[dict[str, Any]] = [
            {"id": f"c{turn}{number}", "type": "function", "function": {"name": "f", "arguments": draw(words)}}
            for number in range(draw(st.integers(0, 2)))
        ]
        said = draw(st.one_of(st.none(), words, st.lists(marked, min_size=2, max_size=2)))
        refusal: dict[str, str] = draw(st.sampled_from([{}, {"refusal": "No."}]))
        assistant = {"role": "assistant", "content": said, **draw(thoughts), **refusal}
        messages.append(assistant | ({"tool_calls": calls} if calls else {}))
        messages += [{"role": "tool", "tool_call_id": call["id"], "content": draw(contents)} for call in calls]
    members = {
        "tools": st.just([{"type": "function", "function": {"name": "f", "parameters": {}}, "defer_loading": True}]),
        "tool_choice": st.sampled_from(
            [
                "auto",
                {"type": "function", "function": {"name": "f"}},
                {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
                },
            ]
        ),
        "reasoning": st.sampled_from([{"max_tokens": 5}, {"effort": "low", "exclude": True}, {"enabled": False}]),
        "thinking": st.sampled_from([{"type": "enabled"}, {"type": "disabled"}]),
        "response_format": st.sampled_from(
            [
                {"type": "json_object"},
                {"type": "json_schema", "json_schema": {"name": "a", "schema": {}, "strict": True}},
            ]
        ),
        "stop": st.one_of(words, st.lists(words, min_size=1, max_size=2)),
        "max_tokens": st.integers(1, 9),
        "temperature": st.floats(0, 2),
        "n": st.integers(1, 3),
        "logprobs": st.just(True),
        "metadata": st.dictionaries(words, words, max_size=2),
        "user": words,
        "stream": st.just(True),
        "min_p": st.just(0.1),
        "web_search_options": st.just({}),
        "store": st.booleans(),
        "prompt_cache_key": words,
    }
    request = draw(st.fixed_dictionaries({}, optional=members))
    if "tools" not in request:
        request.pop("tool_choice", None)
    if "thinking" in request:
        request.pop("reasoning", None)
    return request | {"model": "auto", "messages": messages}


def same(conversation: Conversation) -> Any:
    """As JSON, where raw members compare by what they say; what nobody writes is left out."""
    return json.loads(msgspec.json.encode(conversation)) | {"unsaid": []}


@settings(max_examples=80)
@given(requests())
def test_a_request_survives_being_read_and_written(request: dict[str, Any]) -> None:
    read = CHAT.read_request(json.dumps(request).encode())
    outgoing = CHAT.write_request(read, MANNER)
    assert outgoing.losses == ()
    assert same(CHAT.read_request(outgoing.body)) == same(read)


@settings(max_examples=60)
@given(requests(), st.sampled_from([(), ("reasoning_content",), ("reasoning_details", "cache_control", "reasoning")]))
def test_any_provider_gets_messages_that_say_something(request: dict[str, Any], extensions: tuple[str, ...]) -> None:
    read = msgspec.structs.replace(CHAT.read_request(json.dumps(request).encode()), origin="openai_responses")
    outgoing = CHAT.write_request(read, TargetManner("llama", "other", extensions=extensions))
    told = json.loads(outgoing.body)
    assert all("content" in message for message in told["messages"])
    assert [m["tool_call_id"] for m in told["messages"] if m["role"] == "tool"] == [
        m["tool_call_id"] for m in request["messages"] if m["role"] == "tool"
    ]
    assert ("min_p" in request) == any(loss.field == "min_p" for loss in outgoing.losses)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
names = st.sampled_from(
    ["messages", "tools", "tool_choice", "reasoning", "response_format", "stop", "metadata", "n", "model", "prompt"]
)
message_members = st.sampled_from(
    ["role", "content", "tool_calls", "function_call", "reasoning_details", "annotations", "audio", "name", "images"]
)
odd_messages = st.lists(st.dictionaries(message_members, json_values, max_size=4), min_size=1, max_size=2)


@settings(max_examples=150)
@given(
    st.dictionaries(names, json_values, max_size=4),
    odd_messages,
    st.sampled_from(["openai_chat", "openai_completions"]),
)
def test_any_json_is_read_or_refused(members: dict[str, Any], messages: list[Any], name: str) -> None:
    roles = [{"role": "assistant"} | message for message in messages]
    body = json.dumps({"model": "m", "messages": roles, "prompt": "x"} | members).encode()
    with suppress(InvalidRequest):
        INBOUND[name].read_request(body)


pieces = st.dictionaries(
    st.sampled_from(["content", "tool_calls", "reasoning", "reasoning_details", "refusal", "audio", "annotations"]),
    json_values,
    max_size=3,
)
call_pieces: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "index": st.sampled_from([0, 1, 5, None, "0"]),
        "id": st.sampled_from(["a", "b", "", None, 7]),
        "type": st.sampled_from(["function", None]),
        "function": st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from(["f", "g", "", None]),
                "arguments": st.sampled_from(["{", "}", {}, None]),
            },
        ),
    },
)
deltas_sent = st.one_of(pieces, st.builds(lambda calls: {"tool_calls": calls}, st.lists(call_pieces, max_size=3)))
odd_chunks = st.fixed_dictionaries(
    {},
    optional={
        "id": json_values,
        "model": json_values,
        "created": json_values,
        "choices": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "index": st.sampled_from([0, 1, None]),
                    "delta": deltas_sent,
                    "finish_reason": st.sampled_from([None, "stop", "tool_calls", "x", ""]),
                    "logprobs": json_values,
                },
            ),
            max_size=2,
        ),
        "usage": json_values,
    },
)


@settings(max_examples=150)
@given(st.lists(odd_chunks, max_size=5))
def test_whatever_a_provider_sends_becomes_sane_deltas(sent: list[dict[str, Any]]) -> None:
    text = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in sent)
    reader = StreamReader()
    deltas = reader.feed(text) + reader.end()
    began = [place for place, delta in enumerate(deltas) if isinstance(delta, Began)]
    assert began in ([], [0])
    finishes = [delta.choice for delta in deltas if isinstance(delta, Finish)]
    assert len(finishes) == len(set(finishes))
    calls = [(delta.choice, delta.index) for delta in deltas if isinstance(delta, CallBegan)]
    ids = [(delta.choice, delta.id) for delta in deltas if isinstance(delta, CallBegan)]
    assert len(set(calls)) == len(calls) == len(set(ids))
    assert all(delta.id and delta.name for delta in deltas if isinstance(delta, CallBegan))
    assert all((delta.choice, delta.index) in calls for delta in deltas if isinstance(delta, CallArguments))


choices = st.integers(0, 1)
any_deltas = st.lists(
    st.one_of(
        st.builds(TextDelta, words, choices),
        st.builds(ThoughtDelta, words, choices),
        st.builds(ThoughtSealed, words, st.just(""), st.sampled_from(["anthropic", "other"]), choice=choices),
        st.builds(CallBegan, st.integers(0, 3), words, words, choices),
        st.builds(CallArguments, st.integers(0, 3), words, choices),
        st.builds(RefusalDelta, words, choices),
        st.builds(Finish, st.sampled_from(["stop", "length", "tool_calls", "refusal", "pause"]), choices),
        st.just(UsageReport(Usage(1, output_tokens=2))),
    ),
    max_size=8,
)


@settings(max_examples=100)
@given(any_deltas, st.sampled_from(["openai_chat", "openai_completions"]))
def test_any_deltas_make_a_grammatical_stream(deltas: list[Delta], name: str) -> None:
    writer = INBOUND[name].stream_writer(CALLER, True)
    out = writer.write([Began("r", "m", 1), *deltas]) + writer.closing(b'{"d":1}', Usage(1, output_tokens=2))
    assert payloads(out).count("[DONE]") == 1
    assert payloads(out)[-1] == "[DONE]"
    told = [choice for chunk in chunks(out) for choice in chunk["choices"]]
    begun = {choice["index"] for choice in told}
    finished = [choice["index"] for choice in told if choice["finish_reason"]]
    assert begun
    assert sorted(finished) == sorted(begun)
    assert sum("usage" in chunk for chunk in chunks(out)) == 1
    if name == "openai_chat":
        roles = [choice["index"] for choice in told if "role" in choice["delta"]]
        assert sorted(roles) == sorted(begun)


@settings(max_examples=60)
@given(any_deltas)
def test_a_stream_and_a_whole_answer_say_the_same(deltas: list[Delta]) -> None:
    gathering = Gathering()
    gathering.take([Began("r", "m", 1), *deltas])
    whole = json.loads(CHAT.write_answer(gathering.answer(), None, CALLER))["choices"]
    writer = CHAT.stream_writer(CALLER, True)
    told = [
        (choice["index"], choice["delta"])
        for chunk in chunks(writer.write(deltas) + writer.closing(None, None))
        for choice in chunk["choices"]
    ]
    for choice, index in zip(whole, sorted({index for index, _ in told}), strict=False):
        for member in ("content", "reasoning_content", "refusal"):
            streamed = "".join(delta.get(member) or "" for at, delta in told if at == index)
            assert streamed == (choice["message"].get(member) or "")
