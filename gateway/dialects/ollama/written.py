"""A request as we write it. Absent members have their defaults, and are left out."""

from msgspec import Raw, Struct


class FunctionCallOut(Struct, frozen=True):
    name: str
    arguments: Raw


class CallOut(Struct, frozen=True):
    id: str
    function: FunctionCallOut


class MessageOut(Struct, omit_defaults=True):
    """`content` is always there, if only empty."""

    role: str
    content: str
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[CallOut] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class FunctionOut(Struct, frozen=True, omit_defaults=True):
    name: str
    parameters: Raw
    description: str | None = None


class ToolOut(Struct, frozen=True, tag_field="type", tag="function"):
    function: FunctionOut


class OptionsOut(Struct, omit_defaults=True):
    num_predict: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop: list[str] | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None


class RequestOut(Struct, omit_defaults=True, kw_only=True):
    model: str
    messages: list[MessageOut]
    stream: bool
    tools: list[ToolOut] | None = None
    format: str | Raw | None = None
    think: bool | str | None = None
    options: OptionsOut | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
