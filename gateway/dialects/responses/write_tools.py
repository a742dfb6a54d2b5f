"""Tools, the choice among them and the form of the answer, in this format's words."""

from collections.abc import Iterable

from msgspec import UNSET, Raw, Struct, UnsetType

from gateway.dialects.losses import Losses
from gateway.dialects.responses.names import DIALECT
from gateway.dialects.responses.namespaces import Namespace, Place, namespace_of
from gateway.wire.conversation import OutputFormat, Tool, ToolChoice

NO_HOSTED = "a tool that another provider runs is not to be had here"
NO_ARGUMENTS = Raw(b'{"type":"object","properties":{}}')
NULL = Raw(b"null")
UNNAMED_FORMAT = "answer"


class FunctionOut(Struct, frozen=True, gc=False, tag_field="type", tag="function"):
    name: str
    description: str | UnsetType
    parameters: Raw
    strict: bool | UnsetType


class CustomOut(Struct, frozen=True, gc=False, tag_field="type", tag="custom"):
    name: str
    description: str | UnsetType


class ChoiceOut(Struct, frozen=True, gc=False):
    """One tool by name, in `tool_choice` or `allowed_tools`."""

    type: str
    name: str | UnsetType = UNSET
    namespace: str | UnsetType = UNSET


class AllowedOut(Struct, frozen=True, gc=False, tag_field="type", tag="allowed_tools"):
    mode: str
    tools: list[ChoiceOut]


class FormatOut(Struct, frozen=True, gc=False):
    type: str
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    schema: Raw | UnsetType = UNSET
    strict: bool | UnsetType = UNSET


ToolOut = FunctionOut | CustomOut | Namespace | Raw


def write_tools(tools: Iterable[Tool], is_own: bool, losses: Losses) -> list[ToolOut]:
    """is_own: the caller speaks this format, so that his words stand. Neighbours of a namespace come together again."""
    written: list[ToolOut] = []
    for number, tool in enumerate(tools):
        namespace = namespace_of(tool)
        last = written[-1] if written else None
        if namespace is not None and isinstance(last, Namespace) and last.name == namespace.name:
            last.tools.extend(namespace.tools)
        elif namespace is not None:
            written.append(namespace)
        elif tool.raw is not None and tool.origin == DIALECT:
            written.append(tool.raw)
        elif tool.kind == "hosted":
            losses.add(f"tools[{number}]", f"{tool.name}: {NO_HOSTED}")
        else:
            written.append(tool_of(tool, is_own))
    return written


def tool_of(tool: Tool, is_own: bool) -> ToolOut:
    """Without a word on `strict` this format holds a model to any schema that allows it; the others do not."""
    description = tool.description or UNSET
    if tool.kind == "custom":
        return CustomOut(tool.name, description)
    unsaid: bool | UnsetType = UNSET if is_own else False
    nothing = NULL if is_own else NO_ARGUMENTS
    strict = unsaid if tool.strict is None else tool.strict
    return FunctionOut(tool.name, description, nothing if tool.schema is None else tool.schema, strict)


def write_choice(choice: ToolChoice, places: dict[str, Place]) -> str | ChoiceOut | AllowedOut:
    """A word, or the object that names one tool or some."""

    def named(name: str) -> ChoiceOut:
        place = places.get(name) or Place(name)
        if place.is_hosted:
            return ChoiceOut(place.name)
        return ChoiceOut("custom" if place.is_custom else "function", place.name, place.namespace or UNSET)

    if choice.mode == "named":
        return named(choice.name)
    if choice.allowed:
        return AllowedOut(choice.mode, [named(name) for name in choice.allowed])
    return choice.mode


def write_format(output: OutputFormat | None) -> FormatOut:
    """`text.format`. A schema needs a name."""
    if output is None or output.kind == "text":
        return FormatOut("text")
    if output.kind == "json" or output.schema is None:
        return FormatOut("json_object")
    return FormatOut(
        "json_schema",
        output.name or UNNAMED_FORMAT,
        output.description or UNSET,
        output.schema,
        UNSET if output.strict is None else output.strict,
    )
