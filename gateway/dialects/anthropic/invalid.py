"""Refusals of a request, in the manner of this format: `messages.0.content.1.text: Field required`."""

import re
from typing import TypeVar

import msgspec
from msgspec import Raw

from core.scan import Malformed, top_level_spans
from gateway.errors import InvalidRequest

T = TypeVar("T")

WRONG_TYPE = re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<got>[^`]+)`(?: - at `\$(?P<path>.*)`)?$")
MISSING = re.compile(r"Object missing required field `(?P<field>[^`]+)`(?: - at `\$(?P<path>.*)`)?$")
WRONG_ROLE = re.compile(r"Invalid enum value '(?P<value>.*)' - at `\$(?P<path>.*)`$", re.DOTALL)
ANYTHING_ELSE = re.compile(r"(?P<finding>.*) - at `\$(?P<path>.*)`$", re.DOTALL)
AT_BYTE = re.compile(r"^(?:JSON is malformed: )?(?P<reason>.*) \(byte (?P<byte>\d+)\)$")
STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d*|\.\.\.)\]")
ROLES = ("user", "assistant", "system")
TYPE_NAMES = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


def decoded(decoder: "msgspec.json.Decoder[T]", raw: Raw | bytes, at: str) -> T:
    """The value, or a refusal that names the place. at: where `raw` stands in the body, "" for the body itself."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise wrong_field(str(error), at) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_json(bytes(raw), str(error)) from error
    except RecursionError as error:
        raise InvalidRequest("The request body is nested too deep.") from error


def check_scannable(body: bytes) -> None:
    """Refuse what the decoder skips over: deep nesting, wrong UTF-8."""
    try:
        top_level_spans(body, ())
    except Malformed as error:
        raise InvalidRequest(f"The request body cannot be accepted: {error}.") from error


def refusal(at: str, finding: str) -> InvalidRequest:
    return InvalidRequest(f"{at}: {finding}" if at else finding, param=at or None)


def missing(at: str) -> InvalidRequest:
    return refusal(at, "Field required")


def not_one_of(at: str, value: str, allowed: tuple[str, ...]) -> InvalidRequest:
    shown = value if len(value) <= 64 else value[:64] + "…"
    return refusal(at, f"'{shown}' is not one of " + ", ".join(f"'{word}'" for word in allowed))


def wrong_field(reason: str, at: str) -> InvalidRequest:
    """The decoder's finding in words of this format."""
    if found := WRONG_TYPE.match(reason):
        expected = " or ".join(TYPE_NAMES.get(name, name) for name in found["expected"].split(" | ") if name != "null")
        got = TYPE_NAMES.get(found["got"], found["got"])
        return refusal(joined(at, found["path"] or "") or "body", f"Input should be {expected}, got {got}")
    if found := MISSING.match(reason):
        return missing(joined(at, found["path"] or "", found["field"]))
    if found := WRONG_ROLE.match(reason):
        return not_one_of(joined(at, found["path"]), found["value"], ROLES)
    if found := ANYTHING_ELSE.match(reason):
        return refusal(joined(at, found["path"]), found["finding"])
    return refusal(at, reason)


def joined(*paths: str) -> str:
    """`messages.0` and `$.source[2].data` to `messages.0.source.2.data`."""
    return ".".join(".".join(name or number for name, number in STEP.findall(path)) for path in paths if path)


def not_json(body: bytes, reason: str) -> InvalidRequest:
    """Names the place where the JSON stops making sense."""
    if not body.strip():
        return InvalidRequest("The request body is empty; expected a JSON object.")
    found = AT_BYTE.match(reason)
    if found is None:
        return InvalidRequest(f"The request body is not valid JSON: {reason}.")
    place = int(found["byte"])
    line = body.count(b"\n", 0, place) + 1
    column = place - body.rfind(b"\n", 0, place)
    return InvalidRequest(
        f"The request body is not valid JSON: {found['reason']} near byte {place} (line {line}, column {column})."
    )
