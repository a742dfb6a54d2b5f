"""Any request of this format survives being read, written and read again; any Deltas make a grammatical stream."""

import json
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.contract import TargetManner
from gateway.dialects.responses import Responses
from gateway.dialects.responses.read_stream import StreamReader
from gateway.dialects.responses.relay import StreamRelay
from gateway.dialects.responses.splice import read_facts
from gateway.dialects.responses.state import asked, expanded
from gateway.dialects.responses.store import ResponseStore
from gateway.errors import GatewayError, InvalidRequest
from gateway.wire.conversation import Conversation
from gateway.wire.delta import (
    Began,
    CallArguments,
    CallBegan,
    Delta,
    Finish,
    MediaDelta,
    RefusalDelta,
    TextDelta,
    ThoughtDelta,
    ThoughtSealed,
    Usage,
    UsageReport,
)
from tests.dialects.test_responses_sdk import EVENTS, check_grammar, events_of

RESPONSES = Responses()
MANNER = TargetManner("gpt-x", is_reasoning=True, extensions=("reasoning_text",))

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
texts = st.builds(lambda text: {"type": "input_text", "text": text}, words)
said = st.builds(lambda text: {"type": "output_text", "text": text, "annotations": []}, words)
marks = st.sampled_from([{}, {"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}])
media = st.sampled_from(
    [
        {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "high"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"},
        {"type": "input_file", "file_id": "file-1"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        {"type": "input_video", "video_url": "https://x.test/a.mp4"},
    ]
)
thoughts = st.sampled_from(
    [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "a"}],
            "encrypted_content": "g",
        },
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "raw"}]},
    ]
)
others = st.sampled_from(
    [
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"},
    ]
)
results = st.one_of(words, st.lists(st.one_of(texts, media), min_size=1, max_size=2))
tools = st.lists(
    st.sampled_from(
        [
            {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True},
            {"type": "function", "name": "g", "description": "d", "defer_loading": True},
            {"type": "custom", "name": "p", "format": {"type": "grammar", "syntax": "regex", "definition": "a"}},
            {"type": "namespace", "name": "n", "description": "d", "tools": [{"type": "function", "name": "f"}]},
            {"type": "web_search"},
        ]
    ),
    min_size=1,
    max_size=3,
)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request that the API would accept, with everything that the round trip keeps."""
    items: list[dict[str, Any]] = []
    for turn in range(draw(st.integers(1, 3))):
        content = draw(st.lists(st.one_of(texts, media), max_size=2))
        items.append({"role": "user", "content": [*content, draw(texts) | draw(marks)]})
        items += draw(st.lists(st.one_of(thoughts, others), max_size=2))
        for number in range(draw(st.integers(0, 2))):
            call = {"call_id": f"call_{turn}_{number}", "name": draw(st.sampled_from("fgp"))}
            is_custom = draw(st.booleans())
            made = {"type": "custom_tool_call", "input": draw(words)} if is_custom else {"type": "function_call"}
            items.append(call | made | ({} if is_custom else {"arguments": '{"a":1}'}))
            kind = "custom_tool_call_output" if is_custom else "function_call_output"
            items.append({"type": kind, "call_id": call["call_id"], "output": draw(results)})
        items.append({"role": "assistant", "content": draw(st.lists(said, min_size=1, max_size=2))})
    members = {
        "instructions": words,
        "tools": tools,
        "reasoning": st.sampled_from([{"effort": "low", "summary": "auto"}, {"context": "all_turns"}, {}]),
        "text": st.sampled_from(
            [{"verbosity": "low"}, {"format": {"type": "json_schema", "name": "s", "schema": {"type": "object"}}}]
        ),
        "max_output_tokens": st.integers(1, 99),
        "temperature": st.sampled_from([0.0, 0.5]),
        "metadata": st.just({"a": "b"}),
        "prompt_cache_key": words,
        "truncation": st.just("auto"),
        "stream": st.just(True),
        "user": words,
    }
    return draw(st.fixed_dictionaries({}, optional=members)) | {"model": "auto", "input": items, "store": False}


def same(conversation: Conversation) -> Any:
    """As JSON, where raw members compare by what they say."""
    return json.loads(msgspec.json.encode(conversation))


@settings(max_examples=60)
@given(requests())
def test_a_request_survives_being_read_and_written(request: dict[str, Any]) -> None:
    read = RESPONSES.read_request(json.dumps(request).encode())
    outgoing = RESPONSES.write_request(read, MANNER)
    assert outgoing.losses == ()
    again = same(RESPONSES.read_request(outgoing.body))
    assert again == same(read) | {"unsaid": again.get("unsaid", [])} if read.unsaid else same(read)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
TYPES = ["message", "function_call", "function_call_output", "reasoning", "custom_tool_call", "x"]
NAMES = ("role", "content", "call_id", "name", "arguments", "input", "output", "summary", "namespace")
items = st.fixed_dictionaries({"type": st.sampled_from(TYPES)}, optional=dict.fromkeys(NAMES, json_values))
values = st.one_of(json_values, st.lists(items, max_size=2), st.fixed_dictionaries({"type": words, "name": words}))
READ = [
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "text",
    "reasoning",
    "metadata",
    "include",
    "model",
    "conversation",
]
members = st.sampled_from(READ)


@settings(max_examples=100)
@given(st.dictionaries(members, values, max_size=4), requests())
def test_any_json_is_read_or_refused(members: dict[str, Any], request: dict[str, Any]) -> None:
    body = json.dumps(request | members | {"previous_response_id": "resp_1"}).encode()
    for reading in (RESPONSES.read_request, lambda text: RESPONSES.parse(text, "")):
        with suppress(InvalidRequest):
            reading(body)
    with suppress(GatewayError):
        expanded(body, asked(body), ResponseStore(1, 1), "key")


deltas = st.one_of(
    st.builds(TextDelta, st.text(max_size=3), choice=st.integers(0, 1)),
    st.builds(ThoughtDelta, st.text(max_size=3)),
    st.builds(ThoughtSealed, st.sampled_from(["", "s"]), st.sampled_from(["", "h"]), st.sampled_from(["", "google"])),
    st.builds(
        CallBegan, st.integers(0, 3), words, words, is_custom=st.booleans(), signature=st.sampled_from(["", "s"])
    ),
    st.builds(CallArguments, st.integers(0, 3), st.sampled_from(["", "{", "}", '{"a":1}'])),
    st.builds(RefusalDelta, words),
    st.builds(MediaDelta, st.just("image/png"), st.just("AAAA")),
    st.builds(UsageReport, st.builds(Usage, st.integers(0, 9))),
    st.builds(Finish, st.sampled_from(["stop", "length", "tool_calls", "refusal", "odd"])),
    st.builds(Began, words, words),
)


@settings(max_examples=100)
@given(st.lists(deltas, max_size=12), st.integers(1, 12))
def test_any_deltas_make_a_grammatical_stream(given: list[Delta], batch: int) -> None:
    writer = RESPONSES.stream_writer(Conversation("openai_responses", ()), True)
    out = b"".join(writer.write(given[place : place + batch]) for place in range(0, len(given), batch))
    out += writer.closing(None, None)
    events = events_of(out.decode())
    check_grammar(events)
    for event in events:
        EVENTS.validate_python(event)
    relay = StreamRelay()
    assert relay.feed(out) + relay.closing(None) == out
    reader = StreamReader()
    read = reader.feed(out)
    assert (reader.done, reader.malformed) == (True, False)
    assert text_of(read).replace("\n\n", "") == text_of(given).replace("\n\n", "")
    assert json.loads(writer.response) == events[-1]["response"]


def text_of(deltas: Any) -> str:
    spoken = (delta for delta in deltas if isinstance(delta, TextDelta | RefusalDelta) and delta.choice == 0)
    return "".join(delta.text for delta in spoken)


event_members = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [
                "response.created",
                "response.output_item.added",
                "response.output_item.done",
                "response.output_text.delta",
                "response.function_call_arguments.delta",
                "response.content_part.done",
                "response.completed",
                "x",
            ]
        )
    },
    optional={
        "output_index": st.one_of(st.integers(-1, 2), st.none()),
        "item_id": st.one_of(words, st.none()),
        "item": st.one_of(json_values, items),
        "delta": st.one_of(words, json_values),
        "part": st.one_of(json_values, st.fixed_dictionaries({"type": st.just("output_text"), "text": words})),
        "response": st.one_of(
            json_values, st.fixed_dictionaries({}, optional={"output": st.lists(items, max_size=2), "id": words})
        ),
    },
)


@settings(max_examples=150)
@given(st.lists(event_members, max_size=8))
def test_any_events_make_sane_deltas(events: list[dict[str, Any]]) -> None:
    text = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    reader, relay = StreamReader(), StreamRelay()
    read = reader.feed(text) + reader.end()
    began = [place for place, delta in enumerate(read) if isinstance(delta, Began)]
    assert began in ([], [0])
    assert sum(isinstance(delta, Finish) for delta in read) <= 1
    calls = [delta for delta in read if isinstance(delta, CallBegan)]
    assert [call.index for call in calls] == list(range(len(calls)))
    assert len({call.id for call in calls} - {""}) == len(calls)
    relay.feed(text)
    relay.end()
    relay.closing(b"{}") if relay.complete else relay.cut("gone", 502, "stream_cut", b"{}")
    for event in events:
        RESPONSES.read_answer(json.dumps(event).encode())
        read_facts(json.dumps(event).encode())
