"""Requests come back as they went; of any Deltas a stream is made, and of any bytes something is read."""

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from gateway.dialects.contract import TargetManner
from gateway.dialects.gemini import GEMINI
from gateway.dialects.gemini.relay import StreamRelay
from gateway.errors import InvalidRequest
from gateway.wire.conversation import (
    Conversation,
    Media,
    OutputFormat,
    Part,
    Sampling,
    Text,
    Thinking,
    Thought,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
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

MEMBER_NAMES = (
    "contents",
    "parts",
    "text",
    "role",
    "functionCall",
    "name",
    "args",
    "tools",
    "functionDeclarations",
    "parameters",
    "properties",
    "type",
    "generation_config",
    "inline_data",
    "candidates",
    "content",
    "finishReason",
    "usageMetadata",
    "error",
    "thoughtSignature",
)
QUICK = settings(max_examples=60)
MANNER = TargetManner("gemini-3-flash", family="google", is_reasoning=True)
CALLER = Conversation(origin="gemini", turns=())

words = st.text(st.characters(codec="utf-8", exclude_characters="{"), min_size=1, max_size=20)
names = st.from_regex(r"\A[a-z][a-z_]{0,10}\Z")
signatures = st.from_regex(r"\A[A-Za-z0-9]{8}\Z")
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=5,
)
objects = st.dictionaries(names, values, max_size=3).map(json.dumps)

texts = st.builds(Text, words)
pictures = st.just(Media("image", data="iVBORw0K", media_type="image/png")) | st.just(
    Media("image", url="https://example.org/a.png", media_type="image/png")
)
thoughts = st.builds(Thought, text=words) | st.builds(
    Thought, text=words | st.just(""), signature=signatures, origin=st.just("google")
)


@st.composite
def exchanges(draw: st.DrawFn, number: int) -> list[Turn]:
    """What a user says, what the model answers, and the results of what it called."""
    user = Turn("user", tuple(draw(st.lists(texts | pictures, min_size=1, max_size=3))))
    said: list[Part] = draw(st.lists(texts | thoughts, max_size=3))
    called = draw(st.lists(names, max_size=2))
    calls = [ToolCall(f"c{number}_{place}", name, draw(objects)) for place, name in enumerate(called)]
    if not said and not calls:
        said = [Text("ok")]
    results = [
        Turn(
            "tool", (ToolResult(call.id, draw(st.lists(texts, max_size=1).map(tuple)), call.name, draw(st.booleans())),)
        )
        for call in calls
    ]
    return [user, Turn("assistant", (*said, *calls)), *results]


@st.composite
def tools(draw: st.DrawFn) -> Tool:
    name, text = draw(names), draw(words)
    schema = Raw(msgspec.json.encode({"type": "object", "properties": {draw(names): {"type": "string"}}}))
    raw = Raw(msgspec.json.encode({"name": name, "description": text, "parametersJsonSchema": schema}))
    return Tool(name, text, schema, origin="gemini", raw=raw)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    turns = [Turn("system", tuple(draw(st.lists(texts, min_size=1, max_size=2))))] if draw(st.booleans()) else []
    for number in range(draw(st.integers(1, 3))):
        turns += draw(exchanges(number))
    functions = tuple(draw(st.lists(tools(), max_size=2)))
    choices = [ToolChoice(), ToolChoice("none"), ToolChoice("required"), ToolChoice("named", "f")]
    maybe_number = st.none() | st.integers(1, 100)
    return Conversation(
        origin="gemini",
        turns=tuple(turns),
        tools=functions,
        tool_choice=draw(st.none() | st.sampled_from(choices)) if functions else None,
        output=draw(
            st.none()
            | st.just(OutputFormat("json"))
            | st.just(OutputFormat("schema", schema=Raw(b'{"type":"object"}')))
        ),
        thinking=draw(
            st.none() | st.builds(Thinking, effort=st.sampled_from(["low", "high"]), is_shown=st.none() | st.booleans())
        ),
        sampling=draw(
            st.builds(
                Sampling,
                max_output_tokens=maybe_number,
                temperature=st.none() | st.floats(0, 2),
                top_k=maybe_number,
                seed=maybe_number,
                stop=st.lists(words, max_size=3).map(tuple),
                choices=st.none() | st.integers(1, 8),
                logprobs=st.booleans(),
            )
        ),
        metadata=draw(st.dictionaries(names, words, max_size=2)),
        unknown=draw(
            st.dictionaries(st.sampled_from(["safetySettings", "generationConfig.seedling"]), st.just(Raw(b"[1]")))
        ),
    )


@QUICK
@given(conversations())
def test_a_request_comes_back_as_it_went(conversation: Conversation) -> None:
    outgoing = GEMINI.write_request(conversation, MANNER)
    assert outgoing.losses == ()
    assert GEMINI.read_request(outgoing.body) == conversation


deltas = st.lists(
    st.builds(Began, id=words, model=words)
    | st.builds(TextDelta, words, choice=st.integers(0, 1))
    | st.builds(ThoughtDelta, words)
    | st.builds(ThoughtSealed, signature=words, hidden=words, origin=st.sampled_from(["", "google", "anthropic"]))
    | st.builds(CallBegan, index=st.integers(0, 2), id=names, name=names, is_custom=st.booleans())
    | st.builds(CallArguments, index=st.integers(0, 3), text=st.sampled_from(["{", "}", '{"a":', "1}", "", "x"]))
    | st.builds(RefusalDelta, words)
    | st.builds(UsageReport, st.just(Usage(input_tokens=1, output_tokens=1)))
    | st.builds(Finish, st.sampled_from(["stop", "length", "tool_calls"]), choice=st.integers(0, 1)),
    max_size=12,
)


@QUICK
@given(deltas)
def test_any_deltas_make_a_stream_that_is_read_back(said: list[Delta]) -> None:
    writer = GEMINI.stream_writer(CALLER, wants_usage=True)
    stream = b"".join([writer.write([delta]) for delta in said]) + writer.closing(None, None)
    reader = GEMINI.stream_reader()
    heard = reader.feed(stream) + reader.end()
    assert not reader.malformed
    finishes = [delta.choice for delta in heard if isinstance(delta, Finish)]
    assert len(finishes) == len(set(finishes)) >= 1
    assert text_of(heard) == text_of(said)
    calls = [delta for delta in heard if isinstance(delta, CallBegan)]
    assert len({call.id for call in calls}) == len(calls)


def text_of(said: list[Delta]) -> str:
    told = (delta for delta in said if isinstance(delta, TextDelta | RefusalDelta))
    return "".join(delta.text for delta in told if delta.choice == 0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(MEMBER_NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@QUICK
@given(json_values)
def test_any_json_is_a_request_or_refused_in_words(value: Any) -> None:
    body = json.dumps(value).encode()
    for read in (lambda: GEMINI.read_request(body), lambda: GEMINI.parse(body, "m")):
        try:
            read()
        except InvalidRequest as refusal:
            assert refusal.message  # noqa: PT017


@QUICK
@given(st.lists(json_values, max_size=3), st.binary(max_size=20))
def test_any_stream_is_read_without_breaking(chunks: list[Any], noise: bytes) -> None:
    stream = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + noise
    for piece in (stream, noise + stream):
        reader, relay = GEMINI.stream_reader(), StreamRelay()
        heard = reader.feed(piece) + reader.end()
        relay.feed(piece)
        relay.end()
        assert sum(isinstance(delta, Began) for delta in heard) <= 1
    GEMINI.read_answer(noise)
    for chunk in chunks:
        GEMINI.read_answer(json.dumps(chunk).encode())
