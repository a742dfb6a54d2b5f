"""What all readers of a request share: refusals that name the place, and the members that nobody knows."""

from collections.abc import Container
from typing import TypeVar

import msgspec
from msgspec import Raw

from gateway.dialects.answer import is_something
from gateway.dialects.findings import half_a_character, kind_of, wrong_field, wrong_type
from gateway.errors import InvalidRequest
from gateway.wire.conversation import Loss

T = TypeVar("T")

MEMBERS = msgspec.json.Decoder(dict[str, Raw])
NO_PLACE = "no other format has a place for it"


def decoded(decoder: "msgspec.json.Decoder[T]", raw: Raw | bytes, path: str) -> T:
    """The value, or a refusal. raw: JSON that has passed the check of a whole body. path: where it stands in there."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise wrong_field(str(error), path, b"" if path else bytes(raw)) from error
    except msgspec.DecodeError as error:
        finding = half_a_character(bytes(raw), str(error))
        if path:
            finding = InvalidRequest(finding.message.replace("The request body", f"'{path}'", 1), param=path)
        raise finding from error


def unknown_members(body: bytes, known: Container[str]) -> dict[str, Raw]:
    """The members of a request that nobody reads. An empty object may switch something on, false something off."""
    members = decoded(MEMBERS, body, "")
    return {name: value for name, value in members.items() if name not in known and kind_of(value) != "null"}


class Unsaid:
    """Collects what only the raw form of a part, a message or a tool says."""

    def __init__(self) -> None:
        self._paths: list[str] = []

    def note(self, raw: Raw | bytes, known: frozenset[str], path: str) -> None:
        """Every unknown member of this object."""
        self.note_members(decoded(MEMBERS, raw, path), known, path)

    def note_members(self, members: dict[str, Raw], known: frozenset[str], path: str) -> None:
        if not members.keys() <= known:
            names = (name for name, value in members.items() if name not in known and is_something(value))
            self._paths += [f"{path}.{name}" for name in names]

    def add(self, path: str) -> None:
        self._paths.append(path)

    def told(self) -> tuple[Loss, ...]:
        return tuple(Loss(path, NO_PLACE) for path in self._paths)


def schema_of(raw: Raw, path: str) -> Raw | None:
    """A JSON schema; None for an absent one."""
    kind = kind_of(raw)
    if kind not in ("object", "null"):
        raise wrong_type(path, "an object", kind)
    return raw if kind == "object" else None
