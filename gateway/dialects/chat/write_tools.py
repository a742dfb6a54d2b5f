"""Tools, the choice among them and the format of the answer, as a provider gets them."""

from msgspec import UNSET, Raw, Struct, UnsetType

from gateway.dialects.chat.custom import SCHEMA
from gateway.dialects.chat.marks import control_of
from gateway.dialects.chat.request_schema import CacheControl
from gateway.dialects.chat.target import Target
from gateway.dialects.chat.words import DIALECT
from gateway.dialects.losses import Losses
from gateway.wire.conversation import Conversation, OutputFormat, Tool, ToolChoice

NO_HOSTED = "the provider runs no tools of its own in Chat Completions"
UNNAMED_FORMAT = "answer"


class FunctionOut(Struct, frozen=True, gc=False):
    name: str
    description: str | UnsetType = UNSET
    parameters: Raw | UnsetType = UNSET
    strict: bool | UnsetType = UNSET


class CustomOut(Struct, frozen=True, gc=False):
    name: str
    description: str | UnsetType = UNSET


class ToolOut(Struct, frozen=True, gc=False):
    type: str
    function: FunctionOut | UnsetType = UNSET
    custom: CustomOut | UnsetType = UNSET
    cache_control: CacheControl | UnsetType = UNSET


class SchemaOut(Struct, frozen=True, gc=False):
    name: str
    schema: Raw
    description: str | UnsetType = UNSET
    strict: bool | UnsetType = UNSET


def write_tools(conversation: Conversation, target: Target, losses: Losses) -> dict[str, object]:
    """The members `tools`, `tool_choice` and `parallel_tool_calls`; the last two only beside tools."""
    choice = conversation.tool_choice
    wanted = choice.allowed if choice is not None and not target.has_all_of_openai else ()
    tools: list[ToolOut | Raw] = []
    for number, tool in enumerate(conversation.tools):
        if wanted and tool.name not in wanted:
            continue  # a target that knows no allowed_tools sees only those
        written = write_tool(tool, target, losses)
        if written is None:
            losses.add(f"tools[{number}]", f"{tool.name}: {NO_HOSTED}")
        else:
            tools.append(written)
    if not tools:
        return {}
    members: dict[str, object] = {"tools": tools}
    if choice is not None:
        members["tool_choice"] = write_choice(choice, conversation.tools, target)
    if conversation.parallel_tool_calls is not None:
        members["parallel_tool_calls"] = conversation.parallel_tool_calls
    return members


def write_tool(tool: Tool, target: Target, losses: Losses) -> ToolOut | Raw | None:
    """None for a tool that some other provider runs."""
    if tool.raw is not None and tool.origin == DIALECT:
        return tool.raw
    if tool.kind == "hosted":
        return None
    mark = control_of(tool.cache, target, losses)
    description = tool.description or UNSET
    if tool.kind == "custom" and target.has_all_of_openai:
        return ToolOut("custom", custom=CustomOut(tool.name, description), cache_control=mark)
    schema = SCHEMA if tool.kind == "custom" else tool.schema
    function = FunctionOut(
        tool.name,
        description,
        UNSET if schema is None else schema,
        UNSET if tool.strict is None else tool.strict,
    )
    return ToolOut("function", function, cache_control=mark)


def write_choice(choice: ToolChoice, tools: tuple[Tool, ...], target: Target) -> object:
    """A word, or the object that names one tool or some."""
    custom = {tool.name for tool in tools if tool.kind == "custom"} if target.has_all_of_openai else set()

    def named(name: str) -> dict[str, object]:
        kind = "custom" if name in custom else "function"
        return {"type": kind, kind: {"name": name}}

    if choice.mode == "named":
        return named(choice.name)
    if not choice.allowed or not target.has_all_of_openai:
        return choice.mode
    allowed = {"mode": choice.mode, "tools": [named(name) for name in choice.allowed]}
    return {"type": "allowed_tools", "allowed_tools": allowed}


def write_format(output: OutputFormat) -> object:
    """`response_format`. A schema needs a name."""
    if output.kind == "text":
        return {"type": "text"}
    if output.kind == "json" or output.schema is None:
        return {"type": "json_object"}
    schema = SchemaOut(
        output.name or UNNAMED_FORMAT,
        output.schema,
        output.description or UNSET,
        UNSET if output.strict is None else output.strict,
    )
    return {"type": "json_schema", "json_schema": schema}
