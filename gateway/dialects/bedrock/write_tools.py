"""Tools and the choice among them."""

from msgspec import Raw

from gateway.dialects.arguments import FREE_TEXT, TAKES_NOTHING, WITHOUT_GRAMMAR
from gateway.dialects.bedrock.model import Model
from gateway.dialects.bedrock.write_parts import tool_name
from gateway.dialects.bedrock.written import NameOut, SchemaOut, ToolChoiceOut, ToolConfigOut, ToolOut, ToolSpecOut
from gateway.dialects.losses import Losses
from gateway.wire.conversation import Conversation, Tool, ToolChoice

ANY_OBJECT = Raw(b'{"type":"object"}')
ANY = ToolChoiceOut(any=NameOut())


def write_tools(
    conversation: Conversation, called: dict[str, None], model: Model, losses: Losses
) -> ToolConfigOut | None:
    """Calls in the past want their tools defined, even where none may be called any more."""
    choice = conversation.tool_choice or ToolChoice()
    tools = conversation.tools if choice.mode != "none" else ()
    written: dict[str, ToolOut] = {}
    for tool in tools:
        if choice.allowed and tool.name not in choice.allowed:
            continue
        spec = spec_of(tool, model, losses)
        if spec is not None and spec.name in written:
            losses.add(f"tools.{tool.name}", "of several tools of one name the first was told")
        elif spec is not None:
            written[spec.name] = ToolOut(spec)
    if not written:
        return of_the_past(conversation, called, choice, losses)
    if conversation.parallel_tool_calls is False:
        losses.add("parallel_tool_calls", "Bedrock has no way to ask for one call at a time")
    return ToolConfigOut(list(written.values()), choice_of(choice))


def of_the_past(
    conversation: Conversation, called: dict[str, None], choice: ToolChoice, losses: Losses
) -> ToolConfigOut | None:
    if choice.mode in ("required", "named"):
        losses.add("tool_choice", "there is no tool to choose")
    if not called:
        return None
    if conversation.tools:
        losses.add("tool_choice", "Bedrock cannot forbid calls once there were some; the model may make one")
    names = dict.fromkeys(map(tool_name, called))
    return ToolConfigOut([ToolOut(ToolSpecOut(name, SchemaOut(ANY_OBJECT))) for name in names])


def choice_of(choice: ToolChoice) -> ToolChoiceOut | None:
    """Nothing where the model may choose, which goes without saying."""
    if choice.mode == "named":
        return ToolChoiceOut(tool=NameOut(tool_name(choice.name)))
    return ANY if choice.mode == "required" else None


def spec_of(tool: Tool, model: Model, losses: Losses) -> ToolSpecOut | None:
    if tool.kind == "hosted":
        losses.add(f"tools.{tool.name}", "a tool that its own provider runs is not to be had elsewhere")
        return None
    name = tool_name(tool.name)
    if name != tool.name:
        losses.add(f"tools.{tool.name}", f"a tool's name is 64 letters, digits, _ and - at most; it is {name} here")
    if tool.cache is not None:
        losses.add("cache_control", "a mark on a tool is not told; one on the system prompt holds for tools as well")
    if tool.kind == "custom":
        losses.add(f"tools.{tool.name}", WITHOUT_GRAMMAR)
        return ToolSpecOut(name, SchemaOut(FREE_TEXT), tool.description or None)
    if tool.strict and not model.has_schemas:
        losses.add("tools[].strict", "this model is not held to the schema of a tool")
    strict = True if tool.strict and model.has_schemas else None
    return ToolSpecOut(name, SchemaOut(tool.schema or TAKES_NOTHING), tool.description or None, strict)
