"""A request as we write it. Absent members have their defaults, and are left out."""

from msgspec import Raw, Struct

from gateway.wire.conversation import CacheMark


class CacheControlOut(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="ephemeral"):
    ttl: str | None = None


class TextOut(Struct, omit_defaults=True, tag_field="type", tag="text"):
    text: str
    citations: list[Raw] | None = None
    cache_control: CacheControlOut | None = None


class SourceOut(Struct, frozen=True, omit_defaults=True):
    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None


class ImageOut(Struct, omit_defaults=True, tag_field="type", tag="image"):
    source: SourceOut
    cache_control: CacheControlOut | None = None


class DocumentOut(Struct, omit_defaults=True, tag_field="type", tag="document"):
    source: SourceOut
    title: str | None = None
    cache_control: CacheControlOut | None = None


class ThinkingOut(Struct, tag_field="type", tag="thinking"):
    thinking: str
    signature: str


class RedactedOut(Struct, tag_field="type", tag="redacted_thinking"):
    data: str


class ToolUseOut(Struct, omit_defaults=True, tag_field="type", tag="tool_use"):
    id: str
    name: str
    input: Raw
    cache_control: CacheControlOut | None = None


class ToolResultOut(Struct, omit_defaults=True, tag_field="type", tag="tool_result"):
    tool_use_id: str
    content: "str | list[BlockOut]" = ""
    is_error: bool = False
    cache_control: CacheControlOut | None = None


BlockOut = TextOut | ImageOut | DocumentOut | ThinkingOut | RedactedOut | ToolUseOut | ToolResultOut | Raw
Markable = TextOut | ImageOut | DocumentOut | ToolUseOut | ToolResultOut


class MessageOut(Struct):
    role: str
    content: str | list[BlockOut]


class ToolOut(Struct, omit_defaults=True):
    name: str
    input_schema: Raw
    description: str | None = None
    strict: bool | None = None
    cache_control: CacheControlOut | None = None


class ToolChoiceOut(Struct, frozen=True, omit_defaults=True):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class ThinkingConfigOut(Struct, frozen=True, omit_defaults=True):
    type: str
    budget_tokens: int | None = None
    display: str | None = None


class FormatOut(Struct, frozen=True, tag_field="type", tag="json_schema"):
    schema: Raw


class OutputConfigOut(Struct, omit_defaults=True):
    effort: str | None = None
    format: FormatOut | None = None


class MetadataOut(Struct, frozen=True):
    user_id: str


class RequestOut(Struct, omit_defaults=True, kw_only=True):
    model: str | None = None  # stands in the address at some hosts
    max_tokens: int
    messages: list[MessageOut]
    anthropic_version: str | None = None
    anthropic_beta: list[str] | None = None
    system: str | list[BlockOut] | None = None
    tools: list[ToolOut | Raw] | None = None
    tool_choice: ToolChoiceOut | None = None
    thinking: ThinkingConfigOut | None = None
    output_config: OutputConfigOut | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    metadata: MetadataOut | None = None
    service_tier: str | None = None
    stream: bool | None = None


def control_of(mark: CacheMark | None) -> CacheControlOut | None:
    """As it is written: five minutes is what goes without saying."""
    if mark is None:
        return None
    return CacheControlOut("1h" if mark.seconds > 300 else None)
