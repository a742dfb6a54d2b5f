"""YAML scalars to plain values. Refuses what YAML 1.1 silently reads as something else: 12:30, 0777, 2026-01-01."""

import re
from collections.abc import Callable
from typing import Any

from yaml import ScalarEvent, ScalarNode
from yaml.resolver import Resolver

Scalar = str | int | float | bool | None

TAG = "tag:yaml.org,2002:"
WHOLE = re.compile(r"[-+]?(0|[1-9][0-9_]{0,17})")  # fits 64 bits
FRACTION = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
EXPONENT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+")  # 1e-3: text in YAML 1.1, a number in 1.2
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
RESOLVER: Any = Resolver()


def scalar(event: ScalarEvent) -> Scalar:
    """The value of a scalar. Raises ValueError with what is wrong, which never repeats the value."""
    if event.tag not in (None, "!", TAG + "str"):
        raise ValueError("has a YAML tag (!...); tags are not used here")
    tag = TAG + "str" if event.tag else RESOLVER.resolve(ScalarNode, event.value, event.implicit)
    return READERS.get(tag.removeprefix(TAG), other)(event.value, event.implicit[0])


def text(value: str, is_plain: bool) -> str | float:
    if is_plain and EXPONENT.fullmatch(value):
        return float(value)
    if CONTROL.search(value):
        raise ValueError("holds a control character; text without any is expected")
    return value


def whole_number(value: str, is_plain: bool) -> int:
    if not WHOLE.fullmatch(value):
        raise ValueError("is no plain decimal number of up to 18 digits; write it as one, or put it in quotes")
    return int(value)


def fraction(value: str, is_plain: bool) -> float:
    special = value.lower().lstrip("+-")
    if special in (".inf", ".nan"):
        return float(value.lower().replace(".", ""))
    if not FRACTION.fullmatch(value):
        raise ValueError("is no plain decimal number; write it as one, or put it in quotes")
    return float(value.replace("_", ""))


def other(value: str, is_plain: bool) -> Scalar:
    raise ValueError("is a date or the like to YAML; write a plain value, or put it in quotes")


def merge(value: str, is_plain: bool) -> Scalar:
    raise ValueError("is a merge key (<<), which is not followed here; write the settings out")


READERS: dict[str, Callable[[str, bool], Scalar]] = {
    "str": text,
    "null": lambda value, is_plain: None,
    "bool": lambda value, is_plain: value.lower() in ("yes", "true", "on"),
    "int": whole_number,
    "float": fraction,
    "merge": merge,
}
