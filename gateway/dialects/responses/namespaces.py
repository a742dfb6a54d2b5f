"""Tools that stand in a namespace, where other formats have flat names: `crm` and `find` to `crm__find`, and back."""

from collections.abc import Iterable
from zlib import crc32

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.responses.names import DIALECT
from gateway.wire.conversation import Tool

JOINT = "__"
MAX_NAME = 64  # the least that any provider takes. Source: OpenAI's and Google's references of function names, 2026-11


class Namespace(Struct, frozen=True, gc=False, tag_field="type", tag="namespace"):
    """A definition as it came, or the part of it that holds one tool."""

    name: str
    description: str
    tools: list[Raw]


class Place(Struct, frozen=True, gc=False):
    """What a flat name stands for."""

    name: str
    namespace: str = ""
    is_custom: bool = False
    is_hosted: bool = False


class Named(Struct, frozen=True, gc=False):
    name: str


NAMESPACE = msgspec.json.Decoder(Namespace)
NAMED = msgspec.json.Decoder(Named)


def flat_name(namespace: str, name: str) -> str:
    """One too long ends in a sum over all of it instead."""
    if not namespace:
        return name
    whole = namespace + ("" if namespace.endswith(JOINT) else JOINT) + name
    return whole if len(whole) <= MAX_NAME else f"{whole[: MAX_NAME - 9]}_{crc32(whole.encode()):08x}"


def places_of(tools: Iterable[Tool]) -> dict[str, Place]:
    """The way back for every tool that is something else than a function of its own name."""
    places: dict[str, Place] = {}
    for tool in tools:
        namespace = namespace_of(tool)
        is_custom = tool.kind == "custom"
        if namespace is not None:
            places[tool.name] = Place(NAMED.decode(namespace.tools[0]).name, namespace.name, is_custom)
        elif tool.kind != "function":
            places[tool.name] = Place(tool.name, is_custom=is_custom, is_hosted=not is_custom)
    return places


def namespace_of(tool: Tool) -> Namespace | None:
    """The namespace that it stands in, with this one tool."""
    if tool.raw is None or tool.origin != DIALECT or tool.kind == "hosted" or b'"namespace"' not in bytes(tool.raw):
        return None
    try:
        return NAMESPACE.decode(tool.raw)
    except msgspec.ValidationError:
        return None
