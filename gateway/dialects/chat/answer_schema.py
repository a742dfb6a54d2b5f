"""What providers of the compatible family answer, as far as anybody reads it: whole, and in the chunks of a stream.

Every member may be missing or null. A member of a wrong type costs itself only, see `salvaged`.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import fields

from gateway.dialects.chat.reasoning import ReasoningDetail
from gateway.dialects.chat.request_schema import ExtraContent, ImageOfAnswer

T = TypeVar("T", bound=Struct)

ABSENT = Raw(b"")


class FunctionPiece(Struct, frozen=True, gc=False):
    name: str | None = None
    arguments: dict[str, Raw] | str | None = None


class CustomPiece(Struct, frozen=True, gc=False):
    name: str | None = None
    input: str | None = None


class CallPiece(Struct, frozen=True, gc=False):
    index: int | None = None
    id: str | int | None = None
    function: FunctionPiece | None = None
    custom: CustomPiece | None = None
    extra_content: ExtraContent | None = None


class AudioPiece(Struct, frozen=True, gc=False):
    data: str | None = None
    transcript: str | None = None


class ContentPiece(Struct, frozen=True, gc=False):
    """Mistral's: an element of a content array, a text or a thought."""

    type: str = "text"
    text: str | None = None
    thinking: Raw = ABSENT


class Piece(Struct, frozen=True, gc=False):
    """A `delta`, or the `message` of a whole answer."""

    content: str | list[ContentPiece] | None = None
    tool_calls: list[CallPiece] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[ReasoningDetail] | None = None
    refusal: str | None = None
    function_call: FunctionPiece | None = None
    annotations: list[Raw] | None = None
    audio: AudioPiece | None = None
    images: list[ImageOfAnswer] | None = None
    extra_content: ExtraContent | None = None


class Choice(Struct, frozen=True, gc=False):
    index: int | None = None
    delta: Piece | None = None
    message: Piece | None = None
    finish_reason: str | None = None
    logprobs: Raw = ABSENT
    error: Raw = ABSENT


class GroqExtras(Struct, frozen=True, gc=False):
    usage: Raw = ABSENT
    error: Raw = ABSENT


class Chunk(Struct, frozen=True, gc=False):
    """One event of a stream, or a whole answer."""

    id: str | int | None = None
    created: int | float | None = None
    model: str | None = None
    choices: list[Choice] | None = None
    usage: Raw = ABSENT
    error: Raw = ABSENT
    x_groq: GroqExtras | None = None
    citations: Raw = ABSENT  # Perplexity's and xAI's
    search_results: Raw = ABSENT


MEMBERS = msgspec.json.Decoder(dict[str, Raw])
ITEMS = msgspec.json.Decoder(list[Raw])
CHUNK = msgspec.json.Decoder(Chunk)


def read_chunk(payload: bytes) -> Chunk:
    """Raises msgspec.DecodeError or UnicodeDecodeError where it is no chunk at all."""
    try:
        return CHUNK.decode(payload)
    except msgspec.ValidationError:
        return salvaged_chunk(payload)


def salvaged_chunk(payload: bytes) -> Chunk:
    """The chunk without the members that are of a wrong type. Choices have to be an array of objects."""
    members = MEMBERS.decode(payload)
    choices = members.pop("choices", Raw(b"null"))
    found = salvaged(Chunk, members)
    if bytes(choices) == b"null":
        return found
    return msgspec.structs.replace(found, choices=[salvaged_choice(raw) for raw in ITEMS.decode(choices)])


def salvaged_choice(raw: Raw) -> Choice:
    members = MEMBERS.decode(raw)
    pieces = {name: members.pop(name) for name in ("delta", "message") if name in members}
    found = {name: salvaged(Piece, MEMBERS.decode(piece)) for name, piece in pieces.items() if bytes(piece) != b"null"}
    return msgspec.structs.replace(salvaged(Choice, members), **found)


def salvaged(kind: type[T], members: dict[str, Raw]) -> T:
    """Every member that can be read."""
    values: dict[str, Any] = {}
    for field in fields(kind):
        if field.name in members:
            try:
                values[field.name] = msgspec.json.decode(members[field.name], type=field.type)
            except msgspec.ValidationError:
                continue
    return kind(**values)
