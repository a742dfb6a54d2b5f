"""Every pair of formats: what a caller said reaches the provider, or is named among the losses."""

import base64
import json
from collections.abc import Iterator
from itertools import count
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from gateway.dialects.contract import TargetManner
from gateway.dialects.formats import INBOUND, OUTBOUND
from gateway.dialects.losses import WORDS
from gateway.wire.conversation import (
    Conversation,
    Media,
    OutputFormat,
    Part,
    Refusal,
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

FAMILIES = {"anthropic_messages": "anthropic", "gemini": "google", "openai_responses": "openai"}
# A format at another host is the same to whoever speaks it.
HOSTED = {
    "anthropic_bedrock": "anthropic_messages",
    "anthropic_vertex": "anthropic_messages",
    "gemini_vertex": "gemini",
}
ORIGINS = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")

# What a loss is called, of each kind of thing that may be lost. What is not here must never be.
MAY_BE_LOST = {
    "thought": ("reasoning", "thinking", "thought"),
    "media": ("image", "audio", "file", "video", "media", "inlineData", "fileData", "content", "source", "parts"),
    "name": ("name",),
    "user": ("user",),
    "meta": ("metadata", "labels"),
    "stop": ("stop",),
    "prompt_cache_key": ("prompt_cache_key",),
}

# Two words for one thing. Anthropic's "auto" takes the priority that was bought.
SAME = [["priority", "auto"]]

MEDIA_TYPES: list[tuple[Literal["image", "audio", "file", "video"], str]] = [
    ("image", "image/png"),
    ("file", "application/pdf"),
    ("audio", "audio/wav"),
    ("video", "video/mp4"),
]


class Words:
    """Words that occur nowhere else, so that they are found again wherever a format puts them."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.given: list[tuple[str, str]] = []  # kind, what to look for

    def new(self, kind: str) -> str:
        word = f"{kind}{next(self._numbers)}z"
        self.given.append((kind, word))
        return word

    def encoded(self, kind: str) -> str:
        """Base64 of one of them."""
        data = base64.b64encode(f"{kind}-{next(self._numbers):06d}".encode()).decode()
        self.given.append((kind, data))
        return data


def media(draw: st.DrawFn, words: Words) -> Media:
    kind, media_type = draw(st.sampled_from(MEDIA_TYPES))
    if kind == "audio" or draw(st.booleans()):
        return Media(kind, data=words.encoded("media"), media_type=media_type)
    return Media(kind, url=f"https://example.org/{words.new('media')}", media_type=media_type)


def told(draw: st.DrawFn, words: Words) -> tuple[Text | Media, ...]:
    shapes = draw(st.lists(st.booleans(), min_size=1, max_size=3))
    return tuple(media(draw, words) if is_media else Text(words.new("text")) for is_media in shapes)


def thought(draw: st.DrawFn, words: Words) -> Thought:
    origin = draw(st.sampled_from(["", "anthropic", "google", "openai"]))
    return Thought(words.new("thought"), signature="c2lnbmVk" if origin else "", origin=origin)


def exchange(draw: st.DrawFn, words: Words, number: int, tools: list[str]) -> Iterator[Turn]:
    """What a user says, what the model answers, the results of what it called."""
    yield Turn("user", told(draw, words))
    said: list[Part] = [thought(draw, words)] if draw(st.booleans()) else []
    said += [Text(words.new("text")) for _ in range(draw(st.integers(0, 2)))]
    if draw(st.integers(0, 9)) == 0:
        said.append(Refusal(words.new("text")))
    called = draw(st.lists(st.sampled_from(tools), max_size=2)) if tools else []
    calls = [
        ToolCall(f"call_{number}_{place}", name, json.dumps({"a": words.new("text")}))
        for place, name in enumerate(called)
    ]
    yield Turn("assistant", (*said, *calls) or (Text(words.new("text")),))
    for call in calls:
        yield Turn("tool", (ToolResult(call.id, told(draw, words), call.name, draw(st.booleans())),))


def tool(words: Words) -> Tool:
    name, description, member = (words.new("tool") for _ in range(3))
    schema = {"type": "object", "properties": {member: {"type": "string"}}}
    return Tool(name, description, Raw(msgspec.json.encode(schema)))


@st.composite
def conversations(draw: st.DrawFn, target: str) -> tuple[Conversation, list[tuple[str, str]]]:
    """One of another format than the target's, and the words in it; equal formats have tests of their own."""
    words = Words()
    tools = [tool(words) for _ in range(draw(st.integers(0, 2)))]
    names = [one.name for one in tools]
    turns = [
        Turn(draw(st.sampled_from(["system", "developer"])), (Text(words.new("text")),))
        for _ in range(draw(st.integers(0, 2)))
    ]
    for number in range(draw(st.integers(1, 3))):
        turns += exchange(draw, words, number, names)
    turns.append(Turn("user", (Text(words.new("text")),)))
    origin = draw(st.sampled_from([origin for origin in ORIGINS if origin != HOSTED.get(target, target)]))
    schema = Raw(msgspec.json.encode({"type": "object", "properties": {"b": {"type": "string"}}}))
    return (
        Conversation(
            origin=origin,
            turns=tuple(turns),
            tools=tuple(tools),
            tool_choice=draw(
                st.sampled_from([None, ToolChoice(), ToolChoice("none"), ToolChoice("required")])
                | st.just(ToolChoice("named", names[0])).filter(lambda _: len(names) == 1)
            )
            if names
            else None,
            parallel_tool_calls=draw(st.sampled_from([None, False])) if names else None,
            output=draw(st.sampled_from([None, None, OutputFormat("json"), OutputFormat("schema", "b", "", schema)])),
            thinking=draw(st.sampled_from([None, Thinking(effort="low"), Thinking(effort="high")])),
            sampling=Sampling(
                max_output_tokens=draw(st.none() | st.integers(100, 1000)),
                temperature=draw(st.sampled_from([None, 0.0, 0.5, 0.9])),
                top_p=draw(st.sampled_from([None, 0.5])),
                top_k=draw(st.sampled_from([None, 5])),
                seed=draw(st.sampled_from([None, 0, 7])),
                stop=tuple(words.new("stop") for _ in range(draw(st.integers(0, 2)))),
                choices=draw(st.sampled_from([None, 2])),
                logprobs=draw(st.booleans()),
                frequency_penalty=draw(st.sampled_from([None, 0.5])),
                presence_penalty=draw(st.sampled_from([None, 0.5])),
                logit_bias=draw(st.sampled_from([None, Raw(b'{"50256":-100}')])),
            ),
            cache_key=words.new("prompt_cache_key") if draw(st.booleans()) else "",
            service_tier=draw(st.sampled_from(["", "flex", "priority"])),
            user=words.new("user") if draw(st.booleans()) else "",
            metadata={"k": words.new("meta")} if draw(st.booleans()) else {},
            verbosity="low" if draw(st.booleans()) else "",
            store=draw(st.sampled_from([None, True])) if origin == "openai_chat" else None,
        ),
        words.given,
    )


def is_named(field: str, losses: set[str], origin: str) -> bool:
    return WORDS[origin].get(field, field) in losses


@pytest.mark.parametrize("target", OUTBOUND)
@settings(max_examples=60)
@given(st.data(), st.booleans())
def test_what_is_said_arrives_or_is_named_as_lost(target: str, data: st.DataObject, is_reasoning: bool) -> None:
    conversation, words = data.draw(conversations(target))
    manner = TargetManner("m-1", family=FAMILIES.get(target, ""), is_reasoning=is_reasoning, max_output_tokens=8192)
    outgoing = OUTBOUND[target].write_request(conversation, manner)
    body = outgoing.body.decode()
    losses = {loss.field for loss in outgoing.losses}
    for kind, word in words:
        if word in body or (kind == "tool" and conversation.tool_choice == ToolChoice("none")):
            continue
        names = MAY_BE_LOST.get(kind, ())
        assert any(name.lower() in loss.lower() for name in names for loss in losses), (kind, word, losses, body)
    if target in INBOUND:
        check_fields(conversation, INBOUND[target].read_request(outgoing.body), losses)


def check_fields(said: Conversation, heard: Conversation, losses: set[str]) -> None:
    """Whatever is no text is the same at the other end, or named."""
    pairs: dict[str, tuple[Any, Any]] = {
        "temperature": (said.sampling.temperature, heard.sampling.temperature),
        "top_p": (said.sampling.top_p, heard.sampling.top_p),
        "top_k": (said.sampling.top_k, heard.sampling.top_k),
        "seed": (said.sampling.seed, heard.sampling.seed),
        "stop": (said.sampling.stop, heard.sampling.stop),
        "n": (said.sampling.choices, heard.sampling.choices),
        "logprobs": (said.sampling.logprobs, heard.sampling.logprobs),
        "frequency_penalty": (said.sampling.frequency_penalty, heard.sampling.frequency_penalty),
        "presence_penalty": (said.sampling.presence_penalty, heard.sampling.presence_penalty),
        "logit_bias": (said.sampling.logit_bias, heard.sampling.logit_bias),
        "max_completion_tokens": (said.sampling.max_output_tokens, heard.sampling.max_output_tokens),
        "parallel_tool_calls": (said.parallel_tool_calls, heard.parallel_tool_calls),
        "tool_choice": (said.tool_choice and said.tool_choice.mode, heard.tool_choice and heard.tool_choice.mode),
        "response_format": (said.output and said.output.kind, heard.output and heard.output.kind),
        "service_tier": (said.service_tier, heard.service_tier),
        "prompt_cache_key": (said.cache_key, heard.cache_key),
        "verbosity": (said.verbosity, heard.verbosity),
        "user": (said.user, heard.user),
        "metadata": (said.metadata, heard.metadata),
        "store": (said.store, heard.store),
    }
    for field, (before, after) in pairs.items():
        if before and before != after and [before, after] not in SAME:
            assert is_named(field, losses, said.origin), (field, before, after, losses)
