"""A caller's request, as far as the vocabulary has words for it. Unknown members are tolerated; the reader keeps them.

Source of the names: openai 3.54, `openai.types.responses.response_create_params`, read 2026-11-23.
"""

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.responses.reading import ABSENT


class Kind(Struct, frozen=True, gc=False):
    """What an item, a part or a tool is; messages may leave it out."""

    type: str | None = None
    role: str | None = None


class CacheBreakpoint(Struct, frozen=True, gc=False, omit_defaults=True):
    mode: str = ""
    ttl: str | None = None


class InputAudio(Struct, frozen=True, gc=False):
    data: str
    format: str = "wav"


class Part(Struct, frozen=True, gc=False):
    """A part of a message or of a result, of any type that has a word in the vocabulary."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    file_url: str | None = None
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None
    detail: str | None = None
    input_audio: InputAudio | None = None
    annotations: list[Raw] | None = None
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class Annotation(Struct, frozen=True, gc=False):
    """A source of a text: url_citation, file_citation, container_file_citation or file_path."""

    type: str = ""
    url: str | None = None
    title: str | None = None
    filename: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class MessageItem(Struct, frozen=True, gc=False):
    role: str
    content: Raw = ABSENT


class Caller(Struct, frozen=True, gc=False):
    type: str = "direct"


class CallItem(Struct, frozen=True, gc=False):
    """function_call and custom_tool_call."""

    call_id: str
    name: str
    namespace: str | None = None
    arguments: Raw = ABSENT  # a string; some clients send the object
    input: str | None = None
    caller: Caller | None = None


class ResultItem(Struct, frozen=True, gc=False):
    """function_call_output and custom_tool_call_output."""

    call_id: str
    output: Raw = ABSENT
    name: str | None = None
    namespace: str | None = None
    caller: Caller | None = None


class ReasoningText(Struct, frozen=True, gc=False):
    """summary_text or reasoning_text."""

    text: str = ""


class ReasoningItem(Struct, frozen=True, gc=False):
    id: str | None = None
    summary: list[ReasoningText] | None = None
    content: list[ReasoningText] | None = None
    encrypted_content: str | None = None


class ToolDefinition(Struct, frozen=True, gc=False):
    type: str
    name: str | None = None
    description: str | None = None
    parameters: Raw = ABSENT
    strict: bool | None = None
    format: Kind | None = None
    tools: list[Raw] | None = None


class ToolReference(Struct, frozen=True, gc=False):
    """An element of `allowed_tools`, or a `tool_choice` that names one tool."""

    type: str = ""
    name: str | None = None
    namespace: str | None = None
    server_label: str | None = None
    mode: str | None = None
    tools: "list[ToolReference] | None" = None


class FormatMember(Struct, frozen=True, gc=False):
    type: str
    name: str | None = None
    description: str | None = None
    schema: Raw = ABSENT
    strict: bool | None = None


class TextMember(Struct, frozen=True, gc=False):
    format: FormatMember | None = None
    verbosity: str | None = None


class ReasoningMember(Struct, frozen=True, gc=False):
    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None  # what `summary` was called before 2025-05


class Request(Struct, frozen=True, gc=False):
    input: Raw = ABSENT
    instructions: str | None = None
    tools: list[Raw] | None = None
    tool_choice: Raw = ABSENT
    parallel_tool_calls: bool | None = None
    text: TextMember | None = None
    reasoning: ReasoningMember | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    include: list[str] | None = None
    stream: bool | None = None
    store: bool | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    service_tier: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: dict[str, str] | None = None


REQUEST = msgspec.json.Decoder(Request)
KIND = msgspec.json.Decoder(Kind)
PART = msgspec.json.Decoder(Part)
ANNOTATION = msgspec.json.Decoder(Annotation)
MESSAGE_ITEM = msgspec.json.Decoder(MessageItem)
CALL_ITEM = msgspec.json.Decoder(CallItem)
RESULT_ITEM = msgspec.json.Decoder(ResultItem)
REASONING_ITEM = msgspec.json.Decoder(ReasoningItem)
TOOL = msgspec.json.Decoder(ToolDefinition)
TOOL_REFERENCE = msgspec.json.Decoder(ToolReference)

KNOWN = frozenset((*Request.__struct_fields__, "model", "models", "steelyard", "provider", "session_id"))
