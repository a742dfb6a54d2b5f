"""Google's schema language, a subset of OpenAPI 3.0, as JSON Schema; other words are refused.

Source: google-genai 3.4.0, `types.Schema`, read 2026-11-23.
"""

from gateway.simulator.faces.camel import camel
from gateway.simulator.faces.reading import refused

# fmt: off
KNOWN = frozenset((
    "additionalProperties", "anyOf", "default", "description", "enum", "example", "format", "items", "maxItems",
    "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "nullable", "pattern",
    "properties", "propertyOrdering", "required", "title", "type",
))
# fmt: on


def json_schema(schema: dict[str, object]) -> dict[str, object]:
    """The same with types in lower case, at any depth."""
    told = {camel(name): value for name, value in schema.items()}
    if unknown := told.keys() - KNOWN:
        raise refused(f'Invalid JSON payload received. Unknown name "{sorted(unknown)[0]}" in a schema', "tools")
    if isinstance(told.get("type"), str):
        told["type"] = str(told["type"]).lower()
    if isinstance(told.get("items"), dict):
        told["items"] = _inner(told["items"])
    properties = told.get("properties")
    if isinstance(properties, dict):
        told["properties"] = {name: _inner(value) for name, value in properties.items()}
    choices = told.get("anyOf")
    if isinstance(choices, list):
        told["anyOf"] = [_inner(choice) for choice in choices]
    return told


def _inner(schema: object) -> object:
    return json_schema(schema) if isinstance(schema, dict) else schema
