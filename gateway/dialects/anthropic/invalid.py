"""Refusals of a request, in the manner of this format: `messages.0.content.1.text: Field required`."""

import re
from typing import TypeVar

import msgspec
from msgspec import Raw

from core.scan import NOT_AN_OBJECT, Malformed, check_object, too_many
from gateway.dialects.findings import REASON_CHARACTERS, excerpt, half_a_character, not_json
from gateway.errors import InvalidRequest
from gateway.wire.no_address import ADDRESSES

T = TypeVar("T")

# Each value, message, block and tool costs time on the event loop, whatever its size; see dialects.openai_chat.
MAX_VALUES = 300_000
MAX_MESSAGES = 10_000
MAX_BLOCKS = 10_000  # of all messages together
MAX_TOOLS = 2_048
MAX_NAME_CHARACTERS = 256
LINK_SCHEMES = ("http:", "https:", "data:")

WRONG_TYPE = re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<got>[^`]+)`(?: - at `\$(?P<path>.*)`)?$")
MISSING = re.compile(r"Object missing required field `(?P<field>[^`]+)`(?: - at `\$(?P<path>.*)`)?$")
WRONG_ROLE = re.compile(r"Invalid enum value '(?P<value>.*)' - at `\$(?P<path>.*)`$", re.DOTALL)
ANYTHING_ELSE = re.compile(r"(?P<finding>.*) - at `\$(?P<path>.*)`$", re.DOTALL)
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


def read_body(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """The body, read. The check before it refuses what the decoder would skip over or take long for."""
    try:
        check_object(body, MAX_VALUES)
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise wrong_field(str(error), "") from error
    except msgspec.DecodeError as error:  # the check has passed, so it is about what the escapes spell
        raise half_a_character(body, str(error)) from error
    except Malformed as error:
        raise refused(decoder, body, error) from error


def refused(decoder: "msgspec.json.Decoder[T]", body: bytes, error: Malformed) -> InvalidRequest:
    """What is wrong with a body that did not pass the check. Of broken JSON the decoder knows the place."""
    if str(error) == NOT_AN_OBJECT:
        try:
            decoder.decode(body)
        except msgspec.ValidationError as finding:
            return wrong_field(str(finding), "")
        except (msgspec.DecodeError, UnicodeDecodeError) as finding:
            return not_json(body, str(finding))
    advice = "; send fewer messages, blocks or tools" if str(error) == too_many(MAX_VALUES) else ""
    return InvalidRequest(f"The request body cannot be accepted: {error}{advice}.")


def decoded(decoder: "msgspec.json.Decoder[T]", raw: Raw, at: str) -> T:
    """A value inside a body that was read. at: where it stands there."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise wrong_field(str(error), at) from error
    except msgspec.DecodeError as error:
        raise refusal(at, "holds half a surrogate pair, which is no character; write both halves or neither") from error


def refusal(at: str, finding: str) -> InvalidRequest:
    return InvalidRequest(f"{at}: {finding}" if at else finding, param=at or None)


def missing(at: str) -> InvalidRequest:
    return refusal(at, "Field required")


def not_one_of(at: str, value: str, allowed: tuple[str, ...]) -> InvalidRequest:
    return refusal(at, f"'{excerpt(value)}' is not one of " + ", ".join(f"'{word}'" for word in allowed))


def wrong_field(reason: str, at: str) -> InvalidRequest:
    """The decoder's finding in words of this format."""
    if len(reason) > REASON_CHARACTERS:  # it may quote a value of any length in its middle
        reason = reason[: REASON_CHARACTERS // 2] + "…" + reason[-REASON_CHARACTERS // 2 :]
    if found := WRONG_TYPE.match(reason):
        if not at and (name := joined(found["path"] or "")) in ADDRESSES:
            return refusal(name, "Extra inputs are not permitted; whoever runs this server says where requests go")
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


def check_count(at: str, count: int, most: int, things: str) -> None:
    if count > most:
        raise refusal(at, f"at most {most:,} {things} are allowed, got {count:,}")


def check_link(url: str, at: str) -> None:
    """Only what every provider may fetch; one on this machine might open a file: URL."""
    if not url[:6].lower().startswith(LINK_SCHEMES):
        raise refusal(at, f"{excerpt(url)!r} is no http, https or data URL; send what is in a file as base64")
