"""Google's own schema language, a subset of OpenAPI 3.0, to JSON Schema; and JSON Schema to what Google keeps to.

Source of what `responseJsonSchema` supports: Google Gen AI SDK reference, GenerateContentConfig.responseJsonSchema;
of the subset: the same, Schema; both read 2026-11-23.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from gateway.dialects.gemini.names import encoded

Schema = dict[str, Any]  # JSON Schema has no fixed shape

SCHEMA = msgspec.json.Decoder(Schema)
RENAMED = {
    "any_of": "anyOf",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
    "property_ordering": "propertyOrdering",
    "additional_properties": "additionalProperties",
    "defs": "$defs",
    "ref": "$ref",
}
COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
# fmt: off
IGNORED = frozenset((
    "allOf", "not", "if", "then", "else", "patternProperties", "propertyNames", "pattern", "minLength", "maxLength",
    "multipleOf", "exclusiveMinimum", "exclusiveMaximum", "uniqueItems", "contains", "minContains", "maxContains",
    "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "unevaluatedProperties",
    "unevaluatedItems",
))
# fmt: on
MAPS = ("properties", "$defs", "definitions")  # their members are schemas with names of the caller's
CONST = re.compile(rb'"const"\s*:')
ANY_IGNORED = re.compile(b'"(?:%s)"\\s*:' % "|".join(sorted(IGNORED)).encode())


def json_schema(raw: Raw) -> Raw:
    """The schema with lower-case types, `nullable` as a type, and properties in their `propertyOrdering`."""
    return encoded(translated(SCHEMA.decode(raw)))


def translated(schema: Schema) -> Schema:
    told = {RENAMED.get(name, name): value for name, value in schema.items()}
    kind = told.get("type")
    if isinstance(kind, str):
        told["type"] = kind.lower()
    for name in COUNTS:  # 64-bit numbers are strings in protobuf's JSON
        if isinstance(told.get(name), str) and told[name].isdecimal():
            told[name] = int(told[name])
    if isinstance(told.get("properties"), dict):
        told["properties"] = ordered(told["properties"], told.pop("propertyOrdering", None))
    for name in ("items", "additionalProperties"):
        if isinstance(told.get(name), dict):
            told[name] = translated(told[name])
    if isinstance(told.get("anyOf"), list):
        told["anyOf"] = [translated(item) if isinstance(item, dict) else item for item in told["anyOf"]]
    if isinstance(told.get("$defs"), dict):
        told["$defs"] = ordered(told["$defs"], None)
    if told.pop("nullable", False):
        return or_null(told)
    return told


def ordered(properties: Schema, names: object) -> Schema:
    """Those that `names`, a list of names as it should be, puts first come first."""
    listed = (name for name in names if isinstance(name, str)) if isinstance(names, list) else ()
    first = dict.fromkeys(name for name in listed if name in properties)
    return {
        name: translated(properties[name]) if isinstance(properties[name], dict) else properties[name]
        for name in [*first, *(name for name in properties if name not in first)]
    }


def or_null(schema: Schema) -> Schema:
    """The same or null."""
    if isinstance(schema.get("anyOf"), list):
        return schema | {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    if isinstance(schema.get("enum"), list):
        schema = schema | {"enum": [*schema["enum"], None]}
    return schema | {"type": [schema["type"], "null"]} if isinstance(schema.get("type"), str) else schema


def understood(raw: Raw) -> Raw:
    """The schema with each `const` as an `enum` of one, which Google keeps to; every other word as it came."""
    if CONST.search(raw) is None:
        return raw
    try:
        return encoded(without_const(msgspec.json.decode(raw)))
    except msgspec.DecodeError:
        return raw


def without_const(value: Any) -> Any:
    if isinstance(value, list):
        return [without_const(item) for item in value]
    if not isinstance(value, dict):
        return value
    told = {name: without_const(item) for name, item in value.items()}
    const = told.get("const")
    if isinstance(const, str | int | float) and not isinstance(const, bool) and "enum" not in told:
        told["enum"] = [told.pop("const")]  # a property that is named so has a schema there, no plain value
        told.setdefault("type", "string" if isinstance(const, str) else "number")
    return told


def ignored_words(raw: Raw) -> list[str]:
    """The words of the schema that Google takes and does not keep to."""
    if ANY_IGNORED.search(raw) is None:
        return []
    try:
        return sorted(set(words_in(msgspec.json.decode(raw))))
    except (msgspec.DecodeError, RecursionError):
        return []


def words_in(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from words_in(item)
    elif isinstance(value, dict):
        yield from IGNORED & value.keys()
        for name, inner in value.items():
            yield from words_in(list(inner.values()) if name in MAPS and isinstance(inner, dict) else inner)
