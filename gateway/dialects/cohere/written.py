"""A request as we write it. Absent members have their defaults, and are left out."""

from msgspec import Raw, Struct


class TextOut(Struct, frozen=True, tag_field="type", tag="text"):
    text: str


class ThinkingOut(Struct, frozen=True, tag_field="type", tag="thinking"):
    thinking: str


class ImageUrlOut(Struct, frozen=True, omit_defaults=True):
    url: str
    detail: str | None = None


class ImageOut(Struct, frozen=True, tag_field="type", tag="image_url"):
    image_url: ImageUrlOut


BlockOut = TextOut | ThinkingOut | ImageOut


class FunctionCallOut(Struct, frozen=True):
    name: str
    arguments: str


class CallOut(Struct, frozen=True, tag_field="type", tag="function"):
    id: str
    function: FunctionCallOut


class MessageOut(Struct, omit_defaults=True):
    role: str
    content: str | list[BlockOut] | None = None
    tool_plan: str | None = None
    tool_calls: list[CallOut] | None = None
    tool_call_id: str | None = None


class FunctionOut(Struct, frozen=True, omit_defaults=True):
    name: str
    parameters: Raw
    description: str | None = None


class ToolOut(Struct, frozen=True, tag_field="type", tag="function"):
    function: FunctionOut


class FormatOut(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="json_object"):
    json_schema: Raw | None = None


class ThinkingConfigOut(Struct, frozen=True, omit_defaults=True):
    type: str
    token_budget: int | None = None


class RequestOut(Struct, omit_defaults=True, kw_only=True):
    model: str
    messages: list[MessageOut]
    stream: bool
    tools: list[ToolOut] | None = None
    strict_tools: bool | None = None
    tool_choice: str | None = None
    response_format: FormatOut | None = None
    thinking: ThinkingConfigOut | None = None
    max_tokens: int | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    p: float | None = None
    k: int | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: bool | None = None
