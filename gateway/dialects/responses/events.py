"""A provider's answer, whole or as a stream, as far as anybody reads it. Everything may be missing.

Source of the names: openai 3.54, `openai.types.responses.response_stream_event`, read 2026-11-23.
"""

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.responses.reading import ABSENT
from gateway.dialects.responses.usage import UsageMember


class IncompleteDetails(Struct, frozen=True, gc=False):
    reason: str | None = None


class ResponseMember(Struct, frozen=True, gc=False):
    """A whole answer, or the `response` of an event."""

    object: str | None = None
    id: str | None = None
    created_at: float | None = None
    model: str | None = None
    status: str | None = None
    error: Raw = ABSENT
    incomplete_details: IncompleteDetails | None = None
    output: list[Raw] | None = None
    usage: UsageMember | None = None


class ContentPart(Struct, frozen=True, gc=False):
    """output_text, refusal, reasoning_text or summary_text."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    annotations: list[Raw] | None = None
    logprobs: list[Raw] | None = None


class OutputItem(Struct, frozen=True, gc=False):
    """An item of an answer that the vocabulary has words for, or the beginning of one."""

    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: str | None = None
    input: str | None = None
    content: list[ContentPart] | None = None
    summary: list[ContentPart] | None = None
    encrypted_content: str | None = None
    result: str | None = None  # of image_generation_call
    output_format: str | None = None


class Event(Struct, frozen=True, gc=False):
    """The data of any event that is read."""

    type: str = ""
    sequence_number: int | None = None
    response: ResponseMember | None = None
    item: Raw = ABSENT
    item_id: str | None = None
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    delta: str | None = None
    text: str | None = None
    refusal: str | None = None
    arguments: str | None = None
    input: str | None = None
    part: ContentPart | None = None
    annotation: Raw = ABSENT
    logprobs: list[Raw] | None = None
    error: Raw = ABSENT
    message: str | None = None


class ItemHead(Struct, frozen=True, gc=False):
    """Which item, or which event."""

    type: str = ""
    id: str | None = None


EVENT = msgspec.json.Decoder(Event)
RESPONSE = msgspec.json.Decoder(ResponseMember)
ITEM = msgspec.json.Decoder(OutputItem)
HEAD = msgspec.json.Decoder(ItemHead)

READ_ITEMS = ("message", "reasoning", "function_call", "custom_tool_call", "image_generation_call")
TERMINAL = ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "error")
