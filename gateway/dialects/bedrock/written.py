"""A request as we write it. Absent members have their defaults, and are left out.

Source of the names: botocore 1.44.5, bedrock-runtime/2023-09-30/service-2.json, read 2026-11-23.
"""

from msgspec import Raw, Struct


class CachePointOut(Struct, frozen=True, omit_defaults=True):
    type: str
    ttl: str | None = None


class S3Out(Struct, frozen=True):
    uri: str


class SourceOut(Struct, frozen=True, omit_defaults=True):
    bytes: str | None = None  # base64
    s3Location: S3Out | None = None


class MediaOut(Struct, frozen=True, omit_defaults=True):
    """A picture, a recording, a film; a document has a name too."""

    format: str
    source: SourceOut
    name: str | None = None


class ReasoningTextOut(Struct, frozen=True, omit_defaults=True):
    text: str
    signature: str | None = None


class ReasoningOut(Struct, frozen=True, omit_defaults=True):
    reasoningText: ReasoningTextOut | None = None
    redactedContent: str | None = None


class ToolUseOut(Struct, frozen=True):
    toolUseId: str
    name: str
    input: Raw


class ToolResultOut(Struct, omit_defaults=True, kw_only=True):
    toolUseId: str
    content: "list[BlockOut]"
    status: str | None = None


class BlockOut(Struct, frozen=True, omit_defaults=True):
    """A union: one member is there."""

    text: str | None = None
    image: MediaOut | None = None
    document: MediaOut | None = None
    audio: MediaOut | None = None
    video: MediaOut | None = None
    toolUse: ToolUseOut | None = None
    toolResult: ToolResultOut | None = None
    reasoningContent: ReasoningOut | None = None
    cachePoint: CachePointOut | None = None


class MessageOut(Struct, frozen=True):
    role: str
    content: list[BlockOut]


class SchemaOut(Struct, frozen=True):
    json: Raw


class ToolSpecOut(Struct, frozen=True, omit_defaults=True):
    name: str
    inputSchema: SchemaOut
    description: str | None = None
    strict: bool | None = None


class ToolOut(Struct, frozen=True, omit_defaults=True):
    toolSpec: ToolSpecOut | None = None
    cachePoint: CachePointOut | None = None


class NameOut(Struct, frozen=True, omit_defaults=True):
    """An object that is empty, or holds a name."""

    name: str | None = None


class ToolChoiceOut(Struct, frozen=True, omit_defaults=True):
    auto: NameOut | None = None
    any: NameOut | None = None
    tool: NameOut | None = None


class ToolConfigOut(Struct, frozen=True, omit_defaults=True):
    tools: list[ToolOut]
    toolChoice: ToolChoiceOut | None = None


class InferenceOut(Struct, omit_defaults=True):
    maxTokens: int | None = None
    temperature: float | None = None
    topP: float | None = None
    stopSequences: list[str] | None = None


class JsonSchemaOut(Struct, frozen=True, omit_defaults=True):
    schema: str  # JSON, as text
    name: str | None = None
    description: str | None = None


class StructureOut(Struct, frozen=True):
    jsonSchema: JsonSchemaOut


class TextFormatOut(Struct, frozen=True):
    type: str
    structure: StructureOut


class OutputConfigOut(Struct, frozen=True, omit_defaults=True):
    textFormat: TextFormatOut | None = None


class TierOut(Struct, frozen=True):
    type: str


class RequestOut(Struct, omit_defaults=True, kw_only=True):
    """The model, and whether to stream, stand in the address."""

    messages: list[MessageOut]
    system: list[BlockOut] | None = None
    inferenceConfig: InferenceOut | None = None
    toolConfig: ToolConfigOut | None = None
    outputConfig: OutputConfigOut | None = None
    additionalModelRequestFields: dict[str, object] | None = None
    requestMetadata: dict[str, str] | None = None
    serviceTier: TierOut | None = None
