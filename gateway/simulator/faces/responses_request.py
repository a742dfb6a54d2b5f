"""A request to OpenAI's Responses API.

Source: openai 3.54.0, `types.responses.response_create_params` and `response_input_param`, read 2026-11-23.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from gateway.simulator.chat import Chat, Count, ForcedTool, Message, Part, ResponseFormat, Tool, Wanted
from gateway.simulator.complaint import Refusal
from gateway.simulator.extras import Extras
from gateway.simulator.faces.reading import (
    IMAGE,
    OTHER,
    check_answered,
    decoded,
    forced,
    function_tool,
    refused,
    shaped,
)
from gateway.simulator.faces.seals import is_seal_of

SEALED = "reasoning.encrypted_content"
TEXTS = ("input_text", "output_text", "summary_text", "refusal")


class ContentPart(Struct, frozen=True):
    type: str
    text: str | None = None
    refusal: str | None = None


class Item(Struct, frozen=True):
    """One item of the input, of any type."""

    type: str = "message"
    role: Literal["system", "developer", "user", "assistant"] = "user"
    content: str | list[ContentPart] | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    output: str | list[ContentPart] | None = None
    encrypted_content: str | None = None


class OfferedTool(Struct, frozen=True):
    """Those of other types than "function" are accepted and never called."""

    type: str
    name: str = ""
    parameters: dict[str, object] | None = None


class ToolChoice(Struct, frozen=True):
    type: str
    name: str = ""
    mode: Literal["auto", "required"] = "auto"
    tools: list[OfferedTool] = []


class Reasoning(Struct, frozen=True):
    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None


class TextFormat(Struct, frozen=True):
    type: Literal["text", "json_object", "json_schema"] = "text"
    schema: dict[str, object] = {}


class TextConfig(Struct, frozen=True):
    format: TextFormat = TextFormat()
    verbosity: str | None = None


class ResponsesRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """OpenAI refuses parameters that it does not know."""

    model: str
    input: Raw
    instructions: str | None = None
    stream: bool | None = False
    max_output_tokens: Count | None = None
    tools: Raw = Raw(b"null")
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    parallel_tool_calls: bool | None = True
    reasoning: Reasoning | None = None
    include: list[str] | None = None
    text: TextConfig | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    background: bool | None = None
    conversation: Raw = Raw()
    context_management: Raw = Raw()
    max_tool_calls: Raw = Raw()
    prompt: Raw = Raw()
    prompt_cache_key: str | None = None
    prompt_cache_options: Raw = Raw()
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    stream_options: Raw = Raw()
    truncation: str | None = None
    user: str | None = None


REQUEST = msgspec.json.Decoder(ResponsesRequest)
INPUT = msgspec.json.Decoder(str | Annotated[list[Item], Meta(min_length=1)])
TOOLS = msgspec.json.Decoder(list[OfferedTool] | None)


def read_responses(body: bytes) -> Chat:
    """The request, or a Refusal."""
    request = decoded(REQUEST, body)
    given, offered = decoded(INPUT, request.input), decoded(TOOLS, request.tools) or []
    if request.previous_response_id:
        message = f"Previous response with id '{request.previous_response_id}' not found."
        raise Refusal(400, message, code="previous_response_not_found", param="previous_response_id")
    items = [Item(content=given)] if isinstance(given, str) else given
    check_items(items)
    if request.instructions:
        items = [Item(role="system", content=request.instructions), *items]
    prompt = (request.instructions or "").encode() + bytes(request.input) + (bytes(request.tools) if offered else b"")
    tools = allowed([tool_of(tool) for tool in offered], request.tool_choice)
    return Chat(
        wanted(request), [message_of(item) for item in items if speaks(item)], tools, prompt, extras_of(request)
    )


def extras_of(request: ResponsesRequest) -> Extras:
    """The answer repeats much of what was asked for."""
    reasoning = request.reasoning or Reasoning()
    include = request.include or []
    echo: dict[str, object] = {
        "instructions": request.instructions,
        "max_output_tokens": request.max_output_tokens,
        "metadata": request.metadata or {},
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "reasoning": {"effort": reasoning.effort, "summary": reasoning.summary},
        "store": request.store is not False,
        "temperature": 1.0 if request.temperature is None else request.temperature,
        "text": {"format": {"type": "text"}} if request.text is None else request.text,
        "tool_choice": request.tool_choice or "auto",
        "tools": msgspec.json.decode(request.tools) or [],
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "truncation": request.truncation or "disabled",
    }
    return Extras(
        logprobs="message.output_text.logprobs" in include or bool(request.top_logprobs),
        top_logprobs=request.top_logprobs or 0,
        shows_thoughts=bool(reasoning.summary or reasoning.generate_summary),
        seals_thoughts=SEALED in include,
        echo=echo,
    )


def wanted(request: ResponsesRequest) -> Wanted:
    return Wanted(
        model=request.model,
        stream=request.stream,
        max_tokens=request.max_output_tokens,
        tool_choice=choice_of(request.tool_choice),
        parallel_tool_calls=request.parallel_tool_calls,
        response_format=None if request.text is None else format_of(request.text.format),
        reasoning_effort=None if request.reasoning is None else request.reasoning.effort,
    )


def format_of(told: TextFormat) -> ResponseFormat:
    return shaped(told.schema) if told.type == "json_schema" else ResponseFormat(told.type)


def choice_of(
    choice: Literal["none", "auto", "required"] | ToolChoice | None,
) -> Literal["none", "auto", "required"] | ForcedTool | None:
    if not isinstance(choice, ToolChoice):
        return choice
    if choice.type == "allowed_tools":
        return choice.mode
    return forced(choice.name) if choice.type == "function" else "auto"


def allowed(tools: list[Tool], choice: Literal["none", "auto", "required"] | ToolChoice | None) -> list[Tool]:
    if not isinstance(choice, ToolChoice) or choice.type != "allowed_tools":
        return tools
    names = {tool.name for tool in choice.tools}
    return [tool for tool in tools if tool.function is not None and tool.function.name in names]


def tool_of(tool: OfferedTool) -> Tool:
    if tool.type != "function":
        return Tool(tool.type)
    if not tool.name:
        raise Refusal(400, "Missing required parameter: 'tools[0].name'.", param="tools[0].name")
    return function_tool(tool.name, tool.parameters)


def check_items(items: list[Item]) -> None:
    """Results belong to calls, and sealed thoughts are a simulated provider's own."""
    called = {item.call_id for item in items if item.type == "function_call"}
    check_answered(called, [item.call_id for item in items if item.type == "function_call_output"], "input")
    for item in items:
        if item.encrypted_content is not None and not is_seal_of(item.encrypted_content, ""):
            raise Refusal(400, "The encrypted content could not be verified.", code="invalid_encrypted_content")
        if item.type == "message" and item.content is None:
            raise refused("Missing required parameter: 'input[0].content'.", "input[0].content")


def speaks(item: Item) -> bool:
    return item.type in ("message", "function_call", "function_call_output")


def message_of(item: Item) -> Message:
    if item.type == "function_call_output":
        return Message("tool", parts_of(item.output or ""))
    if item.type == "function_call":
        return Message("assistant")
    return Message(item.role, parts_of(item.content or ""))


def parts_of(content: str | list[ContentPart]) -> list[Part]:
    if isinstance(content, str):
        return [Part("text", content)]
    return [part_of(part) for part in content]


def part_of(part: ContentPart) -> Part:
    if part.type in TEXTS:
        return Part("text", part.text or part.refusal)
    return IMAGE if part.type == "input_image" else OTHER
