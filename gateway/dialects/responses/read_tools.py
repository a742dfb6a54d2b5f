"""Tools, the choice among them and the form of the answer, from a caller's request."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
from msgspec import Raw

from gateway.dialects.chat.reading import schema_of
from gateway.dialects.findings import kind_of, missing, wrong_type
from gateway.dialects.responses.names import DIALECT
from gateway.dialects.responses.namespaces import Namespace, flat_name, namespace_of
from gateway.dialects.responses.reading import STRING, Unsaid, decoded, is_absent, is_string, not_one_of
from gateway.dialects.responses.schema import TOOL, TOOL_REFERENCE, FormatMember, ToolDefinition, ToolReference
from gateway.wire.conversation import OutputFormat, Tool, ToolChoice

FUNCTION_MEMBERS = frozenset(("type", "name", "description", "parameters", "strict"))
CUSTOM_MEMBERS = frozenset(("type", "name", "description", "format"))
MODES: dict[str, Literal["auto", "none", "required"]] = {"auto": "auto", "none": "none", "required": "required"}


def read_tools(raws: Sequence[Raw], unsaid: Unsaid) -> tuple[Tool, ...]:
    """Those of a namespace under flat names."""
    return tuple(tool for number, raw in enumerate(raws) for tool in tools_of(raw, f"tools[{number}]", unsaid))


def tools_of(raw: Raw, at: str, unsaid: Unsaid) -> Iterator[Tool]:
    tool = decoded(TOOL, raw, at)
    if tool.type == "namespace":
        yield from tools_of_namespace(tool, at, unsaid)
    elif tool.type in ("function", "custom"):
        yield tool_of(tool, raw, at, unsaid)
    else:
        yield Tool(tool.name or tool.type, kind="hosted", origin=DIALECT, raw=raw)


def tool_of(tool: ToolDefinition, raw: Raw, at: str, unsaid: Unsaid) -> Tool:
    """A function, or a tool that takes free text."""
    if not tool.name:
        raise missing(f"{at}.name")
    if tool.type == "custom":
        if tool.format is not None and tool.format.type != "text":
            unsaid.add(f"{at}.format")
        unsaid.note(raw, CUSTOM_MEMBERS, at)
        return Tool(tool.name, tool.description or "", kind="custom", origin=DIALECT, raw=raw)
    says_more = unsaid.note(raw, FUNCTION_MEMBERS, at)
    return Tool(
        tool.name,
        tool.description or "",
        schema_of(tool.parameters, f"{at}.parameters"),
        tool.strict,
        origin=DIALECT if says_more else "",
        raw=raw if says_more else None,
    )


def tools_of_namespace(namespace: ToolDefinition, at: str, unsaid: Unsaid) -> Iterator[Tool]:
    """Each keeps a definition of the namespace that holds it alone."""
    if not namespace.name:
        raise missing(f"{at}.name")
    if namespace.description:
        unsaid.add(f"{at}.description")
    for number, raw in enumerate(namespace.tools or ()):
        inner_at = f"{at}.tools[{number}]"
        inner = decoded(TOOL, raw, inner_at)
        if inner.type not in ("function", "custom"):
            raise not_one_of(f"{inner_at}.type", inner.type, ("function", "custom"))
        tool = tool_of(inner, raw, inner_at, unsaid)
        alone = msgspec.json.encode(Namespace(namespace.name, namespace.description or "", [raw]))
        name = flat_name(namespace.name, tool.name)
        yield msgspec.structs.replace(tool, name=name, origin=DIALECT, raw=Raw(alone))


def read_choice(raw: Raw, tools: Sequence[Tool]) -> tuple[ToolChoice | None, bool]:
    """The choice, and whether the vocabulary has words for it: one for a hosted tool it has not."""
    if is_absent(raw):
        return None, True
    if is_string(raw):
        return ToolChoice(mode_of(decoded(STRING, raw, "tool_choice"), "tool_choice")), True
    if kind_of(raw) != "object":
        raise wrong_type("tool_choice", "a string or an object", kind_of(raw))
    choice = decoded(TOOL_REFERENCE, raw, "tool_choice")
    if choice.type == "allowed_tools":
        mode = mode_of(choice.mode or "auto", "tool_choice.mode")
        names = tuple(name for tool in choice.tools or () for name in names_of(tool, tools))
        return ToolChoice(mode, allowed=names), True
    if choice.type not in ("function", "custom"):
        return None, False
    if not choice.name:
        raise missing("tool_choice.name")
    return ToolChoice("named", flat_name(choice.namespace or "", choice.name)), True


def names_of(reference: ToolReference, tools: Sequence[Tool]) -> list[str]:
    """The tools that an element of `allowed_tools` means; a namespace means all of its own."""
    if reference.type != "namespace":
        return [flat_name(reference.namespace or "", reference.name or reference.type)]
    places = [(tool.name, namespace_of(tool)) for tool in tools]
    return [name for name, place in places if place is not None and place.name == reference.name]


def mode_of(word: str, at: str) -> Literal["auto", "none", "required"]:
    if word not in MODES:
        raise not_one_of(at, word, tuple(MODES))
    return MODES[word]


def read_format(member: FormatMember | None) -> OutputFormat | None:
    """`text.format`."""
    if member is None:
        return None
    if member.type == "text":
        return OutputFormat()
    if member.type == "json_object":
        return OutputFormat("json")
    if member.type != "json_schema":
        raise not_one_of("text.format.type", member.type, ("text", "json_object", "json_schema"))
    if is_absent(member.schema):
        raise missing("text.format.schema")
    return OutputFormat("schema", member.name or "", member.description or "", member.schema, member.strict)
