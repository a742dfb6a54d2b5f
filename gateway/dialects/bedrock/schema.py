"""An answer as it comes, whole or in events, as far as anybody reads it. Everything may be missing.

Source of the names: botocore 1.44.5, bedrock-runtime/2023-09-30/service-2.json, read 2026-11-23.
"""

import msgspec
from msgspec import Raw, Struct


class CacheDetail(Struct, frozen=True, gc=False):
    ttl: str | None = None
    inputTokens: int | None = None


class TokenUsage(Struct, frozen=True, gc=False):
    """`inputTokens` leaves out what the cache read and wrote."""

    inputTokens: int | None = None
    outputTokens: int | None = None
    cacheReadInputTokens: int | None = None
    cacheWriteInputTokens: int | None = None
    cacheDetails: list[CacheDetail] | None = None


class ToolUse(Struct, frozen=True, gc=False):
    """A call; of a delta only `input`, as text."""

    toolUseId: str | None = None
    name: str | None = None
    input: Raw = Raw()
    type: str | None = None  # "server_tool_use": Bedrock runs it itself


class ReasoningText(Struct, frozen=True, gc=False):
    text: str | None = None
    signature: str | None = None


class Reasoning(Struct, frozen=True, gc=False):
    """Whole with `reasoningText`, in a delta with its members in the open."""

    reasoningText: ReasoningText | None = None
    text: str | None = None
    signature: str | None = None
    redactedContent: str | None = None  # base64


class Source(Struct, frozen=True, gc=False):
    bytes: str | None = None  # base64


class Picture(Struct, frozen=True, gc=False):
    format: str | None = None
    source: Source | None = None


class Cited(Struct, frozen=True, gc=False):
    text: str | None = None


class WebPlace(Struct, frozen=True, gc=False):
    url: str | None = None


class Place(Struct, frozen=True, gc=False):
    web: WebPlace | None = None


class CitationMember(Struct, frozen=True, gc=False):
    title: str | None = None
    source: str | None = None
    sourceContent: list[Cited] | None = None
    location: Place | None = None


class CitationsContent(Struct, frozen=True, gc=False):
    content: list[Cited] | None = None
    citations: list[Raw] | None = None


class Block(Struct, frozen=True, gc=False):
    """A block of an answer, the start of one, or a delta: a union, so one member is there."""

    text: str | None = None
    toolUse: ToolUse | None = None
    reasoningContent: Reasoning | None = None
    image: Picture | None = None
    citationsContent: CitationsContent | None = None
    citation: Raw = Raw()


class Event(Struct, frozen=True, gc=False):
    """The payload of any event; the message's header says which."""

    contentBlockIndex: int | None = None
    start: Block | None = None
    delta: Block | None = None
    stopReason: str | None = None
    usage: TokenUsage | None = None
    message: str | None = None  # of an exception
    originalMessage: str | None = None


class MessageMember(Struct, frozen=True, gc=False):
    content: list[Block] | None = None


class Output(Struct, frozen=True, gc=False):
    message: MessageMember | None = None


class AnswerMember(Struct, frozen=True, gc=False):
    """A whole answer."""

    output: Output | None = None
    stopReason: str | None = None
    usage: TokenUsage | None = None


EVENT = msgspec.json.Decoder(Event)
ANSWER = msgspec.json.Decoder(AnswerMember)
CITATION = msgspec.json.Decoder(CitationMember)
TEXT = msgspec.json.Decoder(str)
