"""Tools, the choice among them, and the form of the answer."""

import msgspec
from msgspec import Raw

from gateway.dialects.anthropic.models import Abilities
from gateway.dialects.anthropic.names import DIALECT
from gateway.dialects.anthropic.schemas import closed, object_schema
from gateway.dialects.anthropic.written import (
    FormatOut,
    OutputConfigOut,
    RequestOut,
    TextOut,
    ToolChoiceOut,
    ToolOut,
    control_of,
)
from gateway.dialects.arguments import FREE_TEXT, WITHOUT_GRAMMAR
from gateway.dialects.losses import Losses
from gateway.wire.conversation import Conversation, OutputFormat, Tool, ToolChoice

ANY_OBJECT = Raw(b'{"type":"object"}')
CHOICE_OF_MODE = {"auto": "auto", "required": "any", "named": "tool", "none": "none"}
JSON_PLEASE = "Answer with one JSON object and nothing else: no words around it, no code fence."
SCHEMA_PLEASE = "Answer with JSON that fits this JSON schema and nothing else: no words around it, no code fence.\n\n"


def write_tools(
    body: RequestOut, conversation: Conversation, called: dict[str, None], able: Abilities, losses: Losses
) -> None:
    """The tools that may be used, and which has to be."""
    choice = conversation.tool_choice
    allowed = choice.allowed if choice is not None else ()
    tools = [tool for tool in conversation.tools if not allowed or tool.name in allowed]
    is_own = conversation.origin == DIALECT
    named = {tool.name: tool for tool in reversed(tools)}  # the API refuses two of one name; the first one stays
    for name in named if len(named) < len(tools) else ():
        if sum(tool.name == name for tool in tools) > 1:
            losses.add(f"tools.{name}", "of several tools of one name the first was told")
    written = [tool_of(tool, is_own, able, losses) for tool in tools if named[tool.name] is tool]
    body.tools = [tool for tool in written if tool is not None] or None
    if body.tools is None:
        if choice is not None and choice.mode in ("required", "named"):
            losses.add("tool_choice", "there is no tool to choose")
        if called:
            # The API refuses calls in the past when no tools are defined. These can't be called: see the choice.
            body.tools = [ToolOut(name, ANY_OBJECT) for name in called]
            body.tool_choice = ToolChoiceOut("none")
        return
    body.tool_choice = choice_of(choice, conversation.parallel_tool_calls)


def choice_of(choice: ToolChoice | None, parallel: bool | None) -> ToolChoiceOut | None:
    disable = None if parallel is None else not parallel
    if choice is None:
        return None if parallel in (None, True) else ToolChoiceOut("auto", None, disable)
    if choice.mode == "none":
        return ToolChoiceOut("none")
    return ToolChoiceOut(CHOICE_OF_MODE[choice.mode], choice.name or None, disable)


def tool_of(tool: Tool, is_own: bool, able: Abilities, losses: Losses) -> ToolOut | Raw | None:
    """is_own: the caller speaks this format, so that his schemas are his business."""
    if tool.raw is not None and tool.origin == DIALECT:
        return tool.raw
    if tool.kind == "hosted":
        losses.add(f"tools.{tool.name}", "a tool that its own provider runs is not to be had elsewhere")
        return None
    if tool.kind == "custom":
        losses.add(f"tools.{tool.name}", WITHOUT_GRAMMAR)
        return ToolOut(tool.name, FREE_TEXT, tool.description or None, None, control_of(tool.cache))
    strict = True if tool.strict and able.schema else None
    if tool.strict and not able.schema:
        losses.add("tools[].strict", "this model is not held to the schema of a tool")
    schema = tool.schema if is_own and tool.schema else object_schema(tool.schema, f"tools.{tool.name}", losses)
    if strict and not is_own:
        schema = closed(schema, f"tools.{tool.name}", losses)
    return ToolOut(tool.name, schema, tool.description or None, strict, control_of(tool.cache))


def write_output(body: RequestOut, output: OutputFormat, is_own: bool, able: Abilities, losses: Losses) -> None:
    """A schema where the model takes one; otherwise the wish for JSON is put into words."""
    if output.kind == "json":
        instruct(body, JSON_PLEASE)
        losses.add("response_format", "JSON without a schema can only be asked for in words")
    elif output.kind == "schema" and output.schema is not None:
        if able.schema:
            body.output_config = body.output_config or OutputConfigOut()
            schema = output.schema if is_own else closed(output.schema, "response_format", losses)
            body.output_config.format = FormatOut(schema)
        else:
            instruct(body, SCHEMA_PLEASE + msgspec.json.format(bytes(output.schema), indent=0).decode())
            losses.add("response_format", "this model is not held to a schema; it was asked for in words")


def instruct(body: RequestOut, words: str) -> None:
    """One more paragraph of the system prompt."""
    system = body.system
    if isinstance(system, list):
        system.append(TextOut(words))
    else:
        body.system = [TextOut(words)]
