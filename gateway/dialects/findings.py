"""What is wrong with a request, in OpenAI's words: the field, what was expected, what came instead."""

import re

from msgspec import Raw

from core.scan import Malformed, top_level_spans
from gateway.errors import InvalidRequest
from gateway.wire.no_address import ADDRESSES
from gateway.wire.openai_chat import ROLES

EXCERPT_CHARACTERS = 60
COUNTED_BYTES = 1_048_576  # farther into a body nobody looks for a line
REASON_CHARACTERS = 1_000  # of the decoder's words; it may quote a value of any length in their middle

WRONG_TYPE = re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<got>[^`]+)`(?: - at `\$\.?(?P<path>.*)`)?$")
MISSING = re.compile(r"Object missing required field `(?P<field>[^`]+)`(?: - at `\$\.?(?P<path>.*)`)?$")
ANYTHING_ELSE = re.compile(r"(?P<finding>.*) - at `\$\.?(?P<path>.*)`$")
AT_BYTE = re.compile(r"^(?:JSON is malformed: )?(?P<reason>.*) \(byte (?P<byte>\d+)\)$")
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
PAIR_BYTES = len(r"\ud83d\ude00")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

TYPE_NAMES = {
    "str": "a string",
    "int": "an integer",
    "float": "a decimal number",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
ANY_NUMBER = "a number"  # what is expected where a decimal number may stand
SHOWN_TYPES = ("str", "int", "float", "bool")  # short enough to be quoted


def wrong_field(reason: str, prefix: str, body: bytes = b"") -> InvalidRequest:
    """The decoder's finding. `body`, where it is at hand, tells the value of a top-level field."""
    if len(reason) > REASON_CHARACTERS:
        reason = reason[: REASON_CHARACTERS // 2] + "…" + reason[-REASON_CHARACTERS // 2 :]
    if found := WRONG_TYPE.match(reason):
        if found["path"] in ADDRESSES and not prefix:
            return an_address(found["path"])
        names = (name for name in found["expected"].split(" | ") if name != "null")
        expected = " or ".join(ANY_NUMBER if name == "float" else TYPE_NAMES.get(name, name) for name in names)
        path = found["path"] or ""
        value = value_of(body, path) if found["got"] in SHOWN_TYPES else ""
        return wrong_type(joined(prefix, path), expected, found["got"], value)
    if found := MISSING.match(reason):
        return missing(joined(prefix, found["path"] or "", found["field"]))
    if found := ANYTHING_ELSE.match(reason):
        where = joined(prefix, found["path"])
        return InvalidRequest(f"Invalid '{where}': {found['finding']}.", param=where, code="invalid_value")
    return InvalidRequest(f"The request body cannot be accepted: {reason}.")


def an_address(param: str) -> InvalidRequest:
    return InvalidRequest(
        f"Unsupported parameter: '{param}'. Where requests go is set by whoever runs this server; leave it out.",
        param=param,
        code="unsupported_parameter",
    )


def wrong_type(param: str, expected: str, got: str, value: str = "") -> InvalidRequest:
    where = f"for '{param}'" if param else "of the request body"
    instead = f"instead: {value}" if value else "instead"
    return InvalidRequest(
        f"Invalid type {where}: expected {expected}, but got {TYPE_NAMES.get(got, got)} {instead}.",
        param=param or None,
        code="invalid_type",
    )


def wrong_role(role: str, param: str) -> InvalidRequest:
    roles = ", ".join(f"'{known}'" for known in ROLES[:-1])
    return InvalidRequest(
        f"Invalid value: {excerpt(role)!r}. Supported values are: {roles}, and '{ROLES[-1]}'.",
        param=param,
        code="invalid_value",
    )


def wrong_text(text: Raw, param: str) -> InvalidRequest:
    return wrong_type(param, "a string", kind_of(text)) if text else missing(param)


def missing(param: str) -> InvalidRequest:
    return InvalidRequest(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def not_json(body: bytes, reason: str) -> InvalidRequest:
    """Names the place where the JSON stops making sense."""
    if not body.strip():
        return InvalidRequest("The request body is empty; expected a JSON object.")
    if body.startswith(BYTE_ORDER_MARK):
        return InvalidRequest("The request body begins with a byte order mark; send JSON in UTF-8 without one.")
    found = AT_BYTE.match(reason)
    if found is None:
        return InvalidRequest(f"The request body is not valid JSON: {reason}.")
    place, finding = int(found["byte"]), found["reason"]
    if finding == "invalid character":
        finding += f" {body[place : place + 1].decode('latin-1')!r}"
    return InvalidRequest(f"The request body is not valid JSON: {finding} {place_of(body, place)}.")


def half_a_character(body: bytes, reason: str) -> InvalidRequest:
    """For a well-formed body in which the decoder found a surrogate without its other half.

    It stops right behind it, or behind what stands there instead; without a place it was looking behind the body's end.
    """
    found = AT_BYTE.match(reason)
    end = int(found["byte"]) if found else len(body)
    start = max(0, end - PAIR_BYTES)
    halves = list(SURROGATE.finditer(body[start:end]))
    if not halves:
        return not_json(body, reason)
    half = halves[-1]
    return InvalidRequest(
        f"The request body holds {half[0].decode()} {place_of(body, start + half.start())}: half a surrogate pair, "
        "which is no character; write both halves or neither."
    )


def place_of(body: bytes, place: int) -> str:
    if place > COUNTED_BYTES:
        return f"near byte {place}"
    line = body.count(b"\n", 0, place) + 1
    column = place - body.rfind(b"\n", 0, place)
    return f"near byte {place} (line {line}, column {column})"


def kind_of(raw: Raw) -> str:
    """The decoder's name of a value's type, by its first byte; "null" for an absent one."""
    first = bytes(memoryview(raw)[:1])
    if first in (b'"', b"[", b"{"):
        return {b'"': "str", b"[": "array", b"{": "object"}[first]
    if first in (b"", b"n"):
        return "null"
    return "bool" if first in (b"t", b"f") else "int"


def joined(*names: str) -> str:
    """`messages[0]` and `role` to `messages[0].role`; `content` and `[1].type` to `content[1].type`."""
    return ".".join(name for name in names if name).replace(".[", "[")


def value_of(body: bytes, name: str) -> str:
    """The JSON of a top-level member, "" when there is none of this name."""
    try:
        spans = top_level_spans(body, (name.encode(),))
    except Malformed:
        return ""
    if not spans:
        return ""
    _, _, start, end, _ = spans[-1]
    return excerpt(body[start : min(end, start + 4 * EXCERPT_CHARACTERS)].decode("utf-8", "replace"))


def excerpt(text: str) -> str:
    """As much of a value as a message needs."""
    return text if len(text) <= EXCERPT_CHARACTERS else text[:EXCERPT_CHARACTERS] + "…"
