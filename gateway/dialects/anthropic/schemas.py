"""JSON schemas as the API takes them."""

from typing import Any

import msgspec
from msgspec import Raw

from gateway.dialects.losses import Losses

# What constrained decoding does not know. Source: platform.claude.com, "Structured outputs", JSON Schema limitations,
# read 2026-11-23.
UNSUPPORTED = frozenset(
    (
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
        *("maxItems", "uniqueItems", "minProperties", "maxProperties", "patternProperties"),
    )
)
ON_TOP_REFUSED = ("oneOf", "anyOf", "allOf")
NAMED_SCHEMAS = ("properties", "$defs", "definitions")  # objects whose members are schemas
MEMBERS = msgspec.json.Decoder(dict[str, Raw])


def object_schema(schema: Raw | None, at: str, losses: Losses) -> Raw:
    """What a tool takes: an object, and said to be one."""
    if schema is None:
        return Raw(b'{"type":"object","properties":{}}')
    try:
        members = MEMBERS.decode(schema)
    except msgspec.DecodeError:
        losses.add(at, "a schema that is no JSON object was left out")
        return Raw(b'{"type":"object"}')
    refused = [name for name in ON_TOP_REFUSED if name in members]
    if not refused and bytes(members.get("type", b"")) == b'"object"':
        return schema
    if refused:
        losses.add(at, f"the API takes no {' or '.join(refused)} at the top of a tool's schema")
    kept = {name: raw for name, raw in members.items() if name not in refused and name != "type"}
    return Raw(msgspec.json.encode({"type": "object"} | kept))


def closed(schema: Raw, at: str, losses: Losses) -> Raw:
    """The schema as a model can be held to it: no members but those named, and none of the limits it cannot keep."""
    try:
        document: Any = msgspec.json.decode(schema)
    except (msgspec.DecodeError, RecursionError):
        return schema
    dropped: dict[str, None] = {}
    result = closed_value(document, dropped)
    if dropped:
        losses.add(at, f"answers cannot be held to {', '.join(dropped)}")
    return Raw(msgspec.json.encode(result))


def closed_value(value: Any, dropped: dict[str, None]) -> Any:
    """One schema and all within it. dropped: the keywords that were taken out."""
    if isinstance(value, list):
        return [closed_value(item, dropped) for item in value]
    if not isinstance(value, dict):
        return value
    result: dict[str, Any] = {}
    for name, inner in value.items():
        if name in NAMED_SCHEMAS and isinstance(inner, dict):
            result[name] = {key: closed_value(schema, dropped) for key, schema in inner.items()}
        elif name in UNSUPPORTED or (name == "minItems" and inner not in (0, 1)):
            dropped[name] = None
        elif name in ("enum", "const", "default", "examples"):
            result[name] = inner
        else:
            result[name] = closed_value(inner, dropped)
    if result.get("type") == "object":
        if result.get("additionalProperties") not in (None, False):
            dropped["additionalProperties"] = None
        result["additionalProperties"] = False
    return result
