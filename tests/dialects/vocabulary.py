"""JSON to the vocabulary of conversations and Deltas. msgspec does not decode `Raw | None`, hence by hand."""

import types
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Raw, Struct

T = TypeVar("T")


def read(text: str | bytes, kind: type[T]) -> T:
    """The value of this type that the text shows; members that the type lacks are refused."""
    built: T = build(msgspec.json.decode(text), kind)
    return built


def build(value: Any, kind: Any) -> Any:
    """One value; tagged unions by the member `type`."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Raw:
        return Raw(msgspec.json.encode(value))
    if origin in (Union, types.UnionType):
        return build(value, chosen(value, inner))
    if origin is tuple:
        return tuple(build(item, inner[0]) for item in value)
    if origin is list:
        return [build(item, inner[0]) for item in value]
    if origin is dict:
        return {name: build(item, inner[1]) for name, item in value.items()}
    if isinstance(kind, type) and issubclass(kind, Struct):
        return struct(value, kind)
    return msgspec.convert(value, kind)


def struct(value: dict[str, Any], kind: type[Struct]) -> Struct:
    hints = get_type_hints(kind)
    tag = kind.__struct_config__.tag_field
    members = {name: build(item, hints[name]) for name, item in value.items() if name != tag}
    return kind(**members)


def chosen(value: Any, kinds: tuple[Any, ...]) -> Any:
    """The alternative that a value is of."""
    if value is None and type(None) in kinds:
        return type(None)
    others = [kind for kind in kinds if kind is not type(None)]
    structs = [kind for kind in others if isinstance(kind, type) and issubclass(kind, Struct)]
    if len(others) > 1 and structs:
        return next(kind for kind in structs if kind.__struct_config__.tag == value["type"])
    return others[0]
