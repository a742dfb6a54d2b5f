"""Names in camelCase: protobuf's JSON takes snake_case beside it, and Google's own SDK mixes both in one body."""

import re

import msgspec

from gateway.simulator.chat import misread

OWN = frozenset(("args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema"))
AFTER_UNDERSCORE = re.compile(r"(?<=[a-z0-9])_([a-z])")


def in_camel_case(body: bytes) -> bytes:
    """`body` with all names but those inside of the caller's own objects in camelCase, or a Refusal."""
    try:
        return msgspec.json.encode(renamed(msgspec.json.decode(body)))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise misread(error) from error


def renamed(value: object) -> object:
    """At any depth."""
    if isinstance(value, list):
        return [renamed(item) for item in value]
    if not isinstance(value, dict):
        return value
    told = ((camel(name), inner) for name, inner in value.items())
    return {name: inner if name in OWN else renamed(inner) for name, inner in told}


def camel(name: str) -> str:
    return AFTER_UNDERSCORE.sub(lambda found: found[1].upper(), name)
