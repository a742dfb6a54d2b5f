"""What all readers of a request share: refusals that name the place, and what no other format can say."""

from collections.abc import Container
from typing import TypeVar

import msgspec
from msgspec import Raw

from core.scan import NOT_AN_OBJECT, Malformed, check_object, too_many
from gateway.dialects.chat.reading import decoded
from gateway.dialects.findings import excerpt, half_a_character, not_json, wrong_field
from gateway.dialects.openai_chat import MAX_VALUES
from gateway.errors import InvalidRequest
from gateway.wire.conversation import Loss

__all__ = ["ABSENT", "MEMBERS", "RAWS", "STRING", "Unsaid", "decoded", "is_absent", "is_array", "is_string"]

T = TypeVar("T")

ABSENT = Raw(b"")  # no such member
MEMBERS = msgspec.json.Decoder(dict[str, Raw])
RAWS = msgspec.json.Decoder(list[Raw])
STRING = msgspec.json.Decoder(str)
NO_PLACE = "only the Responses format has a place for it"


def read_body(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """The body, read. The check before it refuses what the decoder would skip over or take long for."""
    try:
        check_object(body, MAX_VALUES)
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise wrong_field(str(error), "", body) from error
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
            return wrong_field(str(finding), "", body)
        except (msgspec.DecodeError, UnicodeDecodeError) as finding:
            return not_json(body, str(finding))
    advice = "; send fewer items, parts or tools" if str(error) == too_many(MAX_VALUES) else ""
    return InvalidRequest(f"The request body cannot be accepted: {error}{advice}.")


def not_one_of(at: str, value: str, allowed: tuple[str, ...]) -> InvalidRequest:
    words = ", ".join(f"'{word}'" for word in allowed)
    return InvalidRequest(
        f"Invalid value: {excerpt(value)!r}. Supported values are: {words}.", param=at, code="invalid_value"
    )


def is_absent(raw: Raw) -> bool:
    """Not there, or null."""
    return bytes(memoryview(raw)[:1]) in (b"", b"n")


def is_string(raw: Raw) -> bool:
    return bytes(memoryview(raw)[:1]) == b'"'


def is_array(raw: Raw) -> bool:
    return bytes(memoryview(raw)[:1]) == b"["


class Unsaid:
    """Collects what the vocabulary has no word for, so that other formats can report its loss."""

    def __init__(self) -> None:
        self.losses: list[Loss] = []

    def add(self, at: str) -> None:
        self.losses.append(Loss(at, NO_PLACE))

    def note(self, raw: Raw, known: Container[str], at: str) -> bool:
        """Every member that says something and that is not known. Whether there is one."""
        names = [name for name, value in MEMBERS.decode(raw).items() if name not in known and not is_absent(value)]
        for name in names:
            self.add(f"{at}.{name}")
        return bool(names)
