"""A provider's answer, whole or as a stream, as far as anybody reads it. Everything may be missing.

Source of the names: anthropic 2.12, `anthropic.types.raw_message_stream_event`, read 2026-11-23.
"""

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.anthropic.schema import ABSENT


class CacheCreation(Struct, frozen=True, gc=False):
    ephemeral_1h_input_tokens: int | None = None


class OutputTokensDetails(Struct, frozen=True, gc=False):
    thinking_tokens: int | None = None


class UsageMember(Struct, frozen=True, gc=False):
    """`usage`, at the start and in every message_delta; running totals."""

    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens: int | None = None
    output_tokens_details: OutputTokensDetails | None = None


class AnswerBlock(Struct, frozen=True, gc=False):
    """A block of an answer, or the beginning of one."""

    type: str = ""
    text: str | None = None
    citations: list[Raw] | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = ABSENT


class BlockDelta(Struct, frozen=True, gc=False):
    """The `delta` of content_block_delta, and that of message_delta."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    citation: Raw = ABSENT
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: "StopDetails | None" = None


class StopDetails(Struct, frozen=True, gc=False):
    explanation: str | None = None


class MessageMember(Struct, frozen=True, gc=False):
    """A whole answer, or the `message` of message_start."""

    type: str = ""
    id: str | None = None
    model: str | None = None
    content: list[Raw] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None
    usage: UsageMember | None = None
    error: Raw = ABSENT


class Event(Struct, frozen=True, gc=False):
    """The data of any event."""

    type: str = ""
    index: int | None = None
    message: MessageMember | None = None
    content_block: Raw = ABSENT
    delta: BlockDelta | None = None
    usage: UsageMember | None = None
    error: Raw = ABSENT


EVENT = msgspec.json.Decoder(Event)
MESSAGE = msgspec.json.Decoder(MessageMember)
BLOCK = msgspec.json.Decoder(AnswerBlock)
