"""No pattern takes more than linear time for what a caller or a provider writes (S13), however it is searched for."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import core
import gateway

# `(?:[a-z]+-)*`: each round ends in a dash, which its letters are not, so there is one way to go through it.
PLAIN = {"gateway.catalog.names.NOT_EMBEDDER"}
REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)


def modules() -> Iterator[Any]:
    for package in (core, gateway):
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            # What trains has an environment of its own, and reads what is in the repository.
            if not found.name.endswith("__main__") and not found.name.startswith("core.training."):
                yield importlib.import_module(found.name)


def patterns() -> dict[str, re.Pattern[Any]]:
    """Every pattern that a module keeps, by itself or in a table."""
    return {
        f"{module.__name__}.{name}": pattern
        for module in modules()
        for name, value in vars(module).items()
        for pattern in patterns_in(value, 4)
    }


def patterns_in(value: object, depth: int) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from patterns_in(item, depth - 1)
    elif depth and isinstance(value, dict):
        yield from patterns_in([*value, *value.values()], depth - 1)


def nested(node: Any, inside: bool = False) -> bool:
    """Whether an unbounded repeat stands inside another one, which can be gone through in exponentially many ways."""
    if isinstance(node, tuple) and len(node) == 2 and node[0] in REPEATS:
        (_, most, repeated) = node[1]
        is_unbounded = most == codes.MAXREPEAT and node[0] is not codes.POSSESSIVE_REPEAT
        return (inside and is_unbounded) or nested(repeated, inside or is_unbounded)
    if isinstance(node, tuple | list | parser.SubPattern):
        return any(nested(item, inside) for item in node)
    return False


def test_the_check_knows_a_bad_one_when_it_sees_it() -> None:
    assert nested(parser.parse(r"(?:a+)+b"))
    assert nested(parser.parse(r"^(\s*\w+)*$"))
    assert not nested(parser.parse(r"a+b*(?:c|d+)?[ef]{1,3}"))


def test_no_pattern_repeats_what_repeats() -> None:
    found = patterns()
    assert len(found) > 80
    assert {name for name, pattern in found.items() if nested(parser.parse(pattern.pattern))} == PLAIN
