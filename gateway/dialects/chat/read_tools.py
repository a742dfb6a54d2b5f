"""Tools, the choice among them and the format of the answer, from a caller's request."""

from typing import Literal

import msgspec
from msgspec import Raw

from gateway.dialects.chat.marks import mark_of
from gateway.dialects.chat.reading import MEMBERS, Unsaid, decoded, schema_of
from gateway.dialects.chat.request_schema import (
    ChatRequest,
    Function,
    Named,
    ResponseFormat,
    ToolChoiceObject,
    ToolDefinition,
)
from gateway.dialects.chat.words import DIALECT
from gateway.dialects.findings import excerpt, missing
from gateway.errors import InvalidRequest
from gateway.wire.conversation import OutputFormat, Tool, ToolChoice

TOOL = msgspec.json.Decoder(ToolDefinition)
FUNCTION_MEMBERS = frozenset(Function.__struct_fields__)
TOOL_MEMBERS = frozenset(ToolDefinition.__struct_fields__)
Mode = Literal["auto", "none", "required"]
MODES: dict[str, Mode] = {"auto": "auto", "none": "none", "required": "required", "any": "required"}  # any: Mistral's


def read_tools(request: ChatRequest, unsaid: Unsaid) -> tuple[Tool, ...]:
    """`tools`, and what they were called before 2023-11."""
    tools = [read_tool(raw, f"tools[{number}]", unsaid) for number, raw in enumerate(request.tools or ())]
    functions = enumerate(request.functions or ())
    tools += [tool_of(function, f"functions[{number}]") for number, function in functions]
    return tuple(tools)


def read_tool(raw: Raw, path: str, unsaid: Unsaid) -> Tool:
    definition = decoded(TOOL, raw, path)
    mark = mark_of(definition.cache_control, None)
    if definition.type == "custom" and definition.custom is not None:
        custom = definition.custom
        if custom.format is not None and custom.format.type != "text":
            unsaid.add(f"{path}.custom.format")
        description = custom.description or ""
        return Tool(custom.name, description, kind="custom", origin=DIALECT, raw=raw, cache=mark)
    if definition.type != "function":
        return Tool(definition.name or definition.type, kind="hosted", origin=DIALECT, raw=raw, cache=mark)
    function = definition.function
    if function is not None:
        unsaid.note(raw, TOOL_MEMBERS, path)
        unsaid.note(decoded(MEMBERS, raw, path)["function"], FUNCTION_MEMBERS, f"{path}.function")
        return tool_of(function, f"{path}.function", raw, definition)
    if definition.name is None:
        raise missing(f"{path}.function")
    flat = Function(definition.name, definition.description, definition.parameters, definition.strict)
    return tool_of(flat, path, None, definition)


def tool_of(function: Function, path: str, raw: Raw | None = None, definition: ToolDefinition | None = None) -> Tool:
    return Tool(
        function.name,
        function.description or "",
        schema=schema_of(function.parameters, f"{path}.parameters"),
        strict=function.strict,
        origin=DIALECT if raw else "",
        raw=raw,
        cache=mark_of(definition.cache_control, None) if definition else None,
    )


def read_choice(request: ChatRequest) -> ToolChoice | None:
    choice = request.tool_choice
    if isinstance(choice, ToolChoiceObject):
        return read_choice_object(choice)
    if choice is not None:
        return ToolChoice(mode_of(choice, "tool_choice"))
    if isinstance(request.function_call, Named):
        return ToolChoice("named", request.function_call.name)
    return None if request.function_call is None else ToolChoice(mode_of(request.function_call, "function_call"))


def read_choice_object(choice: ToolChoiceObject) -> ToolChoice:
    """Names one tool, or some. A bare name is the shape of the Responses API."""
    if choice.allowed_tools is not None:
        named = (tool.function or tool.custom for tool in choice.allowed_tools.tools)
        names = [tool.name for tool in named if tool is not None]
        names += [tool.name for tool in choice.allowed_tools.tools if tool.name]
        return ToolChoice(mode_of(choice.allowed_tools.mode, "tool_choice.allowed_tools.mode"), allowed=tuple(names))
    named_tool = choice.function or choice.custom
    name = named_tool.name if named_tool is not None else choice.name
    if name:
        return ToolChoice("named", name)
    if choice.type in MODES:
        return ToolChoice(mode_of(choice.type, "tool_choice.type"))
    raise missing(f"tool_choice.{'custom' if choice.type == 'custom' else 'function'}")


def mode_of(word: str, path: str) -> Mode:
    mode = MODES.get(word)
    if mode is not None:
        return mode
    raise InvalidRequest(
        f"Invalid value: {excerpt(word)!r}. Supported values are: 'none', 'auto', and 'required'.",
        param=path,
        code="invalid_value",
    )


def read_format(wanted: ResponseFormat | None) -> OutputFormat | None:
    """None for an answer of no stated format, and for a format that OpenAI does not have."""
    if wanted is None:
        return None
    if wanted.type == "text":
        return OutputFormat()
    if wanted.type == "json_object":
        schema = schema_of(wanted.schema, "response_format.schema")
        return OutputFormat("json" if schema is None else "schema", schema=schema)
    if wanted.type != "json_schema":
        return None
    if wanted.json_schema is None:
        raise missing("response_format.json_schema")
    told = wanted.json_schema
    schema = schema_of(told.schema, "response_format.json_schema.schema")
    return OutputFormat("schema", told.name or "", told.description or "", schema, told.strict)
