"""A caller's request, as far as anybody reads it. Unknown members are tolerated here and kept by the reader.

Source of the names: anthropic 2.12, `anthropic.types`, read 2026-11-23.
"""

from typing import Literal

import msgspec
from msgspec import Raw, Struct

ABSENT = Raw(b"")  # no such member


class CacheControl(Struct, frozen=True, gc=False):
    type: str = "ephemeral"
    ttl: str | None = None  # 5m or 1h


class Kind(Struct, frozen=True, gc=False):
    """What a block, a tool or a source is."""

    type: str


class TextBlock(Struct, frozen=True, gc=False):
    text: str
    cache_control: CacheControl | None = None
    citations: list[Raw] | None = None


class Source(Struct, frozen=True, gc=False):
    """Of an image or a document: base64, url, file, text or content."""

    type: str
    media_type: str = ""
    data: str | None = None
    url: str | None = None
    file_id: str | None = None


class CitationsSwitch(Struct, frozen=True, gc=False):
    enabled: bool | None = None


class MediaBlock(Struct, frozen=True, gc=False):
    source: Source
    cache_control: CacheControl | None = None
    title: str | None = None
    context: str | None = None
    citations: CitationsSwitch | None = None
    transformations: Raw = ABSENT


class ToolUseBlock(Struct, frozen=True, gc=False):
    id: str
    name: str
    input: Raw = Raw(b"{}")
    cache_control: CacheControl | None = None
    caller: Kind | None = None  # {"type": "direct"} when the model itself called
    toolset_name: str | None = None


class ToolResultBlock(Struct, frozen=True, gc=False):
    tool_use_id: str
    content: Raw = ABSENT  # a string or blocks
    is_error: bool | None = None
    cache_control: CacheControl | None = None
    toolset_name: str | None = None


class ThinkingBlock(Struct, frozen=True, gc=False):
    thinking: str = ""
    signature: str = ""


class RedactedThinkingBlock(Struct, frozen=True, gc=False):
    data: str


class SearchResultBlock(Struct, frozen=True, gc=False):
    source: str = ""
    title: str = ""
    content: list[TextBlock] = []


class Location(Struct, frozen=True, gc=False):
    """A citation, whatever its type: what other formats have a place for."""

    type: str = ""
    url: str | None = None
    source: str | None = None
    title: str | None = None
    document_title: str | None = None
    cited_text: str | None = None
    encrypted_index: str | None = None


class Message(Struct, frozen=True, gc=False):
    role: Literal["user", "assistant", "system"]
    content: Raw  # a string or blocks


class ToolDefinition(Struct, frozen=True, gc=False):
    name: str = ""
    type: str | None = None  # "custom" and none mean the same
    description: str | None = None
    input_schema: Raw = ABSENT
    strict: bool | None = None
    cache_control: CacheControl | None = None


class ToolChoiceMember(Struct, frozen=True, gc=False):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class ThinkingMember(Struct, frozen=True, gc=False):
    type: str
    budget_tokens: int | None = None
    display: str | None = None


class FormatMember(Struct, frozen=True, gc=False):
    type: str
    schema: Raw = ABSENT


class OutputConfig(Struct, frozen=True, gc=False):
    effort: str | None = None
    format: FormatMember | None = None


class Metadata(Struct, frozen=True, gc=False):
    user_id: str | None = None


class Request(Struct, frozen=True, gc=False):
    """The body of POST /v1/messages; `max_tokens` is required there, but not where tokens are only counted."""

    messages: list[Message]
    model: str | None = None
    models: list[str] | None = None  # ours: a chain, tried in order
    max_tokens: int | None = None
    system: Raw = ABSENT
    tools: list[Raw] | None = None
    tool_choice: ToolChoiceMember | None = None
    thinking: ThinkingMember | None = None
    output_config: OutputConfig | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stream: bool | None = None
    metadata: Metadata | None = None
    service_tier: str | None = None
    cache_control: CacheControl | None = None


OURS = frozenset(("models", "steelyard", "provider", "session_id"))  # members of a request that no provider sees
KNOWN = frozenset(Request.__struct_fields__) | OURS
KNOWN_OF_TOOL = frozenset(ToolDefinition.__struct_fields__)

REQUEST = msgspec.json.Decoder(Request)
MEMBERS = msgspec.json.Decoder(dict[str, Raw])
RAWS = msgspec.json.Decoder(list[Raw])
STRING = msgspec.json.Decoder(str)
KIND = msgspec.json.Decoder(Kind)
TOOL = msgspec.json.Decoder(ToolDefinition)
LOCATION = msgspec.json.Decoder(Location)
TEXT = msgspec.json.Decoder(TextBlock)
MEDIA = msgspec.json.Decoder(MediaBlock)
TOOL_USE = msgspec.json.Decoder(ToolUseBlock)
TOOL_RESULT = msgspec.json.Decoder(ToolResultBlock)
THINKING = msgspec.json.Decoder(ThinkingBlock)
REDACTED = msgspec.json.Decoder(RedactedThinkingBlock)
SEARCH_RESULT = msgspec.json.Decoder(SearchResultBlock)


def is_string(raw: Raw) -> bool:
    return bytes(memoryview(raw)[:1]) == b'"'


def is_array(raw: Raw) -> bool:
    return bytes(memoryview(raw)[:1]) == b"["


def is_absent(raw: Raw) -> bool:
    """No such member, or null."""
    return bytes(memoryview(raw)[:4]) in (b"", b"null")
