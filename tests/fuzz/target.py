"""What a fuzz target is: where its inputs come from, and what must hold for every one of them."""

import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct

Choice = TypeVar("Choice")
Check = Callable[[bytes], None]


class Target(Struct, frozen=True):
    """Something that reads what strangers send.

    check: fails, with any exception, for an input that breaks a promise. seeds: real inputs, which it all takes.
    """

    name: str  # "stream.gemini": also the folder of its corpus
    check: Check
    seeds: tuple[bytes, ...]


def bounded(size: int, given: int, factor: int, allowance: int) -> None:
    """`size` bytes came out for `given` bytes: no more than `factor` times as many, and `allowance` bytes."""
    limit = factor * given + allowance
    assert size <= limit, f"{given} bytes became {size}, over {factor} times as many and {allowance}"


def halves(data: bytes) -> tuple[bytes, bytes]:
    """The same bytes in two pieces; where they are cut follows from the bytes, so a failure can be repeated."""
    place = (sum(data) * 31 + len(data)) % (len(data) + 1)
    return data[:place], data[place:]


def as_json(text: bytes) -> object:
    """Its value. Fails for what is no JSON in UTF-8; a number may be as large as it likes."""
    return json.loads(text.decode(), parse_constant=refused, parse_int=float)


def refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def chosen(data: bytes, choices: Sequence[Choice]) -> Choice:
    """One of them, which one follows from the bytes."""
    return choices[sum(data) % len(choices)]
