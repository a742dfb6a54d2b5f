"""Any request of this format survives being read, written and read again; any Deltas make a grammatical stream."""

import json
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.anthropic import MessagesInbound, MessagesOutbound
from gateway.dialects.anthropic.read_stream import StreamReader
from gateway.dialects.anthropic.relay import StreamRelay
from gateway.dialects.anthropic.splice import read_facts
from gateway.dialects.contract import TargetManner
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

INBOUND, OUTBOUND = MessagesInbound(), MessagesOutbound()
MANNER = TargetManner("claude-opus-4-8", max_output_tokens=128_000)

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(lambda text: bool(text.strip()))
marks = st.sampled_from(
    [{}, {"cache_control": {"type": "ephemeral"}}, {"cache_control": {"type": "ephemeral", "ttl": "1h"}}]
)
texts = st.builds(lambda text: {"type": "text", "text": text}, words)
images = st.sampled_from(
    [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
        {"type": "document", "source": {"type": "url", "url": "https://x.test/a.pdf"}, "title": "T"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "w"}, "context": "c"},
        {"type": "search_result", "source": "s", "title": "t", "content": []},
    ]
)
thoughts = st.sampled_from(
    [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "redacted_thinking", "data": "xx"}]
)
inputs = st.dictionaries(words, st.one_of(words, st.integers(0, 9), st.none()), max_size=2)
results = st.fixed_dictionaries({}, optional={"content": st.one_of(words, st.lists(texts, min_size=2, max_size=2))})


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request that the API would accept, with everything that the round trip keeps."""
    messages: list[dict[str, Any]] = []
    for turn in range(draw(st.integers(1, 3))):
        said = draw(st.lists(st.one_of(texts, images), min_size=1, max_size=3))
        messages.append({"role": "user", "content": said})
        calls = [
            {"type": "tool_use", "id": f"toolu_{turn}_{number}", "name": "f", "input": draw(inputs)}
            for number in range(draw(st.integers(0, 2)))
        ]
        begin = draw(st.lists(st.one_of(thoughts, texts), min_size=0, max_size=2))
        if calls:
            answers = [{"type": "tool_result", "tool_use_id": call["id"], **draw(results)} for call in calls]
            messages += [{"role": "assistant", "content": begin + calls}, {"role": "user", "content": answers}]
        messages.append({"role": "assistant", "content": [draw(texts)]})
    messages.append({"role": "user", "content": [draw(texts) | draw(marks)]})
    members = {
        "system": st.lists(texts, min_size=1, max_size=2),
        "tools": st.just(
            [{"name": "f", "description": "d", "input_schema": {"type": "object"}, "defer_loading": True}]
        ),
        "thinking": st.sampled_from([{"type": "adaptive", "display": "omitted"}, {"type": "adaptive"}]),
        "output_config": st.sampled_from(
            [{"effort": "low"}, {"format": {"type": "json_schema", "schema": {"type": "object"}}}]
        ),
        "stop_sequences": st.lists(words, min_size=1, max_size=2),
        "metadata": st.just({"user_id": "u", "team": "t"}),
        "context_management": st.just({"edits": []}),
        "stream": st.just(True),
    }
    request = draw(st.fixed_dictionaries({}, optional=members))
    request |= {"model": "auto", "max_tokens": draw(st.integers(1, 9)), "messages": messages}
    if any(message["content"][-1].get("type") == "tool_result" for message in messages) or "tools" in request:
        request["tools"] = [{"name": "f", "input_schema": {"type": "object"}}]
    return request


def same(conversation: Conversation) -> Any:
    """As JSON, where raw members compare by what they say."""
    return json.loads(msgspec.json.encode(conversation))


@settings(max_examples=60)
@given(requests())
def test_a_request_survives_being_read_and_written(request: dict[str, Any]) -> None:
    read = INBOUND.read_request(json.dumps(request).encode())
    outgoing = OUTBOUND.write_request(read, MANNER)
    assert outgoing.losses == ()
    assert same(INBOUND.read_request(outgoing.body)) == same(read)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
members = st.sampled_from(
    ["messages", "system", "tools", "tool_choice", "thinking", "output_config", "metadata", "max_tokens", "model"]
)


@settings(max_examples=100)
@given(st.dictionaries(members, json_values, max_size=4), requests())
def test_any_json_is_read_or_refused(members: dict[str, Any], request: dict[str, Any]) -> None:
    body = json.dumps(request | members).encode()
    for reading in (INBOUND.read_request, lambda text: INBOUND.parse(text, "")):
        with suppress(InvalidRequest):
            reading(body)


deltas = st.one_of(
    st.builds(TextDelta, st.text(max_size=3), choice=st.integers(0, 1)),
    st.builds(ThoughtDelta, st.text(max_size=3)),
    st.builds(ThoughtSealed, st.sampled_from(["", "s"]), st.sampled_from(["", "h"]), st.sampled_from(["", "google"])),
    st.builds(CallBegan, st.integers(0, 3), words, words, is_custom=st.booleans()),
    st.builds(CallArguments, st.integers(0, 3), st.sampled_from(["", "{", "}", '{"a":1}'])),
    st.builds(RefusalDelta, words),
    st.builds(UsageReport, st.builds(Usage, st.integers(0, 9))),
    st.builds(Finish, st.sampled_from(["stop", "length", "tool_calls", "refusal", "odd"])),
    st.builds(Began, words, words),
)


@settings(max_examples=100)
@given(st.lists(deltas, max_size=12), st.integers(1, 12))
def test_any_deltas_make_a_grammatical_stream(given: list[Delta], batch: int) -> None:
    writer = INBOUND.stream_writer(Conversation("anthropic_messages", ()), True)
    out = b"".join(writer.write(given[place : place + batch]) for place in range(0, len(given), batch))
    out += writer.closing(None, None)
    check_grammar([json.loads(event.partition("data: ")[2]) for event in out.decode().strip().split("\n\n")])
    relay = StreamRelay()
    assert relay.feed(out) + relay.closing(None) == out
    reader = StreamReader()
    read = reader.feed(out)
    assert (reader.done, reader.malformed) == (True, False)
    assert text_of(read) == text_of(delta for delta in given if getattr(delta, "choice", 0) == 0)


def text_of(deltas: Any) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta | RefusalDelta) and delta.text)


def check_grammar(events: list[dict[str, Any]]) -> None:
    """message_start, blocks one after the other with growing indexes, message_delta, message_stop."""
    kinds = [event["type"] for event in events]
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])
    index, is_open = 0, False
    for event in events[1:-2]:
        assert event["index"] == index
        assert is_open is (event["type"] != "content_block_start")
        is_open = event["type"] != "content_block_stop"
        index += not is_open
    assert not is_open


event_members = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "x"]
        )
    },
    optional={
        "index": st.one_of(st.integers(-1, 2), st.none()),
        "message": st.one_of(json_values, st.fixed_dictionaries({}, optional={"id": words, "usage": json_values})),
        "content_block": st.one_of(
            json_values, st.fixed_dictionaries({"type": words}, optional={"input": json_values})
        ),
        "delta": st.one_of(
            json_values,
            st.fixed_dictionaries(
                {},
                optional={"text": words, "partial_json": words, "citation": json_values, "stop_reason": words},
            ),
        ),
        "usage": json_values,
    },
)


@settings(max_examples=150)
@given(st.lists(st.one_of(event_members, json_values), max_size=6))
def test_whatever_a_provider_sends_makes_sane_deltas(events: list[Any]) -> None:
    text = b"".join(b"event: e\ndata: " + json.dumps(event).encode() + b"\n\n" for event in events)
    reader = StreamReader()
    found = [*reader.feed(text), *reader.end()]
    kinds = [type(delta) for delta in found]
    assert kinds.count(Finish) <= 1
    assert Began not in kinds[1:]
    calls = [delta for delta in found if isinstance(delta, CallBegan)]
    assert [call.index for call in calls] == list(range(len(calls)))
    assert all(call.id for call in calls)
    relay = StreamRelay()
    relay.feed(text)
    relay.end()
    OUTBOUND.read_answer(json.dumps(events).encode())
    for event in events:
        OUTBOUND.read_answer(json.dumps(event).encode())
        read_facts(json.dumps(event).encode())
