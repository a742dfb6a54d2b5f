"""The types of the schema, taken apart and put into words: for messages, the reference and the written file."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import Meta, Struct

NOUNS = {str: "text", float: "number", int: "whole number", bool: "true or false"}


def metas_of(kind: Any) -> tuple[Meta, ...]:
    """What is annotated to a type; for an optional one, to the type that it is otherwise."""
    if get_origin(kind) is Annotated:
        inner, *metas = get_args(kind)
        return (*metas_of(inner), *metas)
    return metas_of(present(kind)) if present(kind) is not kind else ()


def bare(kind: Any) -> Any:
    """The type without annotations and without None: `Annotated[float | None, …]` is float."""
    if get_origin(kind) is Annotated:
        return bare(get_args(kind)[0])
    return bare(present(kind)) if present(kind) is not kind else kind


def present(kind: Any) -> Any:
    """`X | None` without the None; any other type as it is."""
    if get_origin(kind) in (Union, types.UnionType):
        return next(one for one in get_args(kind) if one is not type(None))
    return kind


def block_in(kind: Any) -> type[Struct] | None:
    """The Struct that a setting holds: itself, in a mapping or in a list."""
    kind = bare(kind)
    candidates = (kind, *map(bare, get_args(kind)))
    return next((one for one in candidates if isinstance(one, type) and issubclass(one, Struct)), None)


def in_words(kind: Any) -> str:
    """A type as people say it: "number above 0", "list of text"."""
    plain = bare(kind)
    if get_origin(plain) is dict:
        return f"mapping of {in_words(get_args(plain)[1])}"
    if get_origin(plain) is tuple:
        return f"list of {in_words(get_args(plain)[0])}"
    if get_origin(plain) is Literal:
        return f"one of {', '.join(get_args(plain))}"
    return " ".join(filter(None, (NOUNS.get(plain, "block"), range_in_words(kind))))


def range_in_words(kind: Any) -> str:
    """ "0 or more", "above 0", "from 0 to 1"; "" for any."""
    metas = metas_of(kind)
    at_least = next((meta.ge for meta in metas if meta.ge is not None), None)
    above = next((meta.gt for meta in metas if meta.gt is not None), None)
    at_most = next((meta.le for meta in metas if meta.le is not None), None)
    if at_least is not None:
        return f"{at_least:g} or more" if at_most is None else f"from {at_least:g} to {at_most:g}"
    return "" if above is None else f"above {above:g}"


def expectation(kind: Any) -> str:
    """What a wrong value is told: "a number above 0 is expected", "a weight is 0 or more"."""
    title = next((meta.title for meta in metas_of(kind) if meta.title), None)
    if title is not None:
        return f"a {title} is {range_in_words(kind)}"
    words = in_words(kind)
    article = "a " if words.startswith(("number", "whole", "list", "mapping", "block")) else ""
    return f"{article}{words} is expected"
