"""What all readers of a request share: refusals that name the place, and the members that nobody knows."""

from collections.abc import Container
from typing import TypeVar

import msgspec
from msgspec import Raw

from gateway.dialects.answer import is_something
from gateway.dialects.openai_chat import not_json, wrong_field
from gateway.errors import InvalidRequest
from gateway.wire.conversation import Loss

T = TypeVar("T")

MEMBERS = msgspec.json.Decoder(dict[str, Raw])
NO_PLACE = "no other format has a place for it"


def decoded(decoder: "msgspec.json.Decoder[T]", raw: Raw | bytes, path: str) -> T:
    """The value, or a refusal. path: where `raw` stands in the body, "" for the body itself."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise wrong_field(str(error), path) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_json(bytes(raw), str(error)) from error
    except RecursionError as error:
        raise InvalidRequest("The request body is nested too deep.") from error


def unknown_members(raw: Raw | bytes, known: Container[str]) -> dict[str, Raw]:
    """The members of an object that say something and that nobody reads."""
    members = MEMBERS.decode(raw)
    return {name: value for name, value in members.items() if name not in known and is_something(value)}


class Unsaid:
    """Collects what only the raw form of a part, a message or a tool says."""

    def __init__(self) -> None:
        self._paths: list[str] = []

    def note(self, raw: Raw | bytes, known: Container[str], path: str) -> None:
        """Every unknown member of this object."""
        for name in MEMBERS.decode(raw):
            if name not in known:
                self._paths += [f"{path}.{name}" for name in unknown_members(raw, known)]
                return

    def add(self, path: str) -> None:
        self._paths.append(path)

    def told(self) -> tuple[Loss, ...]:
        return tuple(Loss(path, NO_PLACE) for path in self._paths)
