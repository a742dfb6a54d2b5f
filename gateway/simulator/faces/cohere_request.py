"""A request to Cohere's chat API, version 2. Source: cohere 7.3.1, `V2Client.chat`, read 2026-11-23."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from gateway.simulator.chat import Chat, Count, Message, Part, ResponseFormat, Tool, Wanted
from gateway.simulator.extras import Extras
from gateway.simulator.faces.reading import IMAGE, OTHER, check_answered, decoded, refused, shaped


class Block(Struct, frozen=True):
    type: Literal["text", "image_url", "thinking", "document"]
    text: str | None = None
    thinking: str | None = None
    image_url: dict[str, str] | None = None
    document: Raw = Raw()


class CalledFunction(Struct, frozen=True):
    name: str
    arguments: str


class Call(Struct, frozen=True):
    id: str
    function: CalledFunction
    type: Literal["function"] = "function"


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[Block] | None = None
    tool_calls: list[Call] = []
    tool_plan: str | None = None
    tool_call_id: str = ""
    citations: Raw = Raw()


class Thinking(Struct, frozen=True):
    type: Literal["enabled", "disabled"]
    token_budget: int | None = None


class Format(Struct, frozen=True, forbid_unknown_fields=True):
    type: Literal["text", "json_object"]
    json_schema: dict[str, object] | None = None


class CohereRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Cohere refuses members that it does not know."""

    model: str
    messages: Raw
    stream: bool
    tools: Raw = Raw(b"null")
    tool_choice: Literal["REQUIRED", "NONE"] | None = None
    strict_tools: bool | None = None
    documents: Raw = Raw()
    citation_options: Raw = Raw()
    response_format: Format | None = None
    safety_mode: str | None = None
    max_tokens: Count | None = None
    stop_sequences: Annotated[list[str], Meta(max_length=5)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    seed: Annotated[int, Meta(ge=0)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Meta(ge=0, le=1)] | None = None
    k: Annotated[int, Meta(ge=0, le=500)] | None = None
    p: Annotated[float, Meta(ge=0.01, le=0.99)] | None = None
    logprobs: bool | None = None
    thinking: Thinking | None = None
    priority: int | None = None


REQUEST = msgspec.json.Decoder(CohereRequest)
MESSAGES = msgspec.json.Decoder(Annotated[list[Said], Meta(min_length=1)])
TOOLS = msgspec.json.Decoder(list[Tool] | None)


def read_cohere(body: bytes) -> Chat:
    """The request, or a Refusal."""
    request = decoded(REQUEST, body)
    messages, tools = decoded(MESSAGES, request.messages), decoded(TOOLS, request.tools) or []
    check_calls(messages)
    if tools and request.response_format is not None and request.response_format.type == "json_object":
        raise refused("response_format of type json_object cannot be used with tools", "response_format")
    prompt = bytes(request.messages) + (bytes(request.tools) if tools else b"")
    extras = Extras(logprobs=bool(request.logprobs))
    return Chat(wanted(request), [message_of(message) for message in messages], tools, prompt, extras)


def wanted(request: CohereRequest) -> Wanted:
    choices: dict[str | None, Literal["required", "none"]] = {"REQUIRED": "required", "NONE": "none"}
    return Wanted(
        model=request.model,
        stream=request.stream,
        max_tokens=request.max_tokens,
        stop=request.stop_sequences,
        seed=request.seed,
        tool_choice=choices.get(request.tool_choice),
        response_format=None if request.response_format is None else format_of(request.response_format),
        reasoning_effort="none" if request.thinking is not None and request.thinking.type == "disabled" else "medium",
    )


def format_of(told: Format) -> ResponseFormat:
    return ResponseFormat(told.type) if told.json_schema is None else shaped(told.json_schema)


def check_calls(messages: list[Said]) -> None:
    """Results belong to calls."""
    called = {call.id for message in messages for call in message.tool_calls}
    check_answered(called, [message.tool_call_id for message in messages if message.role == "tool"], "messages")


def message_of(message: Said) -> Message:
    content = message.content or []
    if isinstance(content, str):
        return Message(message.role, content)
    return Message(message.role, [part_of(block) for block in content])


def part_of(block: Block) -> Part:
    if block.type in ("text", "thinking"):
        return Part("text", block.text or block.thinking)
    return IMAGE if block.type == "image_url" else OTHER
