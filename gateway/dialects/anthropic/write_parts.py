"""Parts of a conversation to content blocks; what has no block becomes a Loss."""

import re
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Iterator

import msgspec
from msgspec import Raw

from gateway.dialects.anthropic.names import DIALECT
from gateway.dialects.anthropic.written import (
    BlockOut,
    DocumentOut,
    ImageOut,
    RedactedOut,
    SourceOut,
    TextOut,
    ThinkingOut,
    ToolResultOut,
    ToolUseOut,
    control_of,
)
from gateway.dialects.losses import Losses
from gateway.wire.conversation import Citation, Media, Opaque, Part, Refusal, Text, Thought, ToolCall, ToolResult

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
# The first characters of an image in base64, for callers who do not say what it is.
IMAGE_SIGNS = {"/9j/": "image/jpeg", "iVBOR": "image/png", "R0lGOD": "image/gif", "UklGR": "image/webp"}
TEXT_TYPES = re.compile(r"text/|application/(json|xml|yaml|x-yaml|javascript|sql|x-sh)\b|.*\+(json|xml)$")
BAD_ID = re.compile(r"[^a-zA-Z0-9_-]")
OBJECT = msgspec.json.Decoder(dict[str, Raw])


class PartWriter:
    """Writes parts of one conversation.

    family: whose signatures the model accepts. fetches: its host reads images and files by address or upload.
    """

    def __init__(self, family: str, losses: Losses, fetches: bool = True) -> None:
        self._family = family
        self._losses = losses
        self._fetches = fetches
        self.uploads = False  # an upload of the provider's is used

    def blocks(self, part: Part, turn: int, role: str) -> Iterator[BlockOut]:
        """The blocks of any part but calls and results, which go by way of `call` and `result`."""
        if isinstance(part, Text):
            yield from self.text(part, turn)
        elif isinstance(part, Media):
            if role != "user":
                self._losses.add_in_turn(turn, part.kind, f"a message of the {role} holds no media here")
            else:
                yield from self.media(part, turn)
        elif isinstance(part, Thought):
            yield from self.thought(part, turn)
        elif isinstance(part, Refusal):
            yield from self.text(Text(part.text), turn)
        elif isinstance(part, Opaque):
            if part.origin == DIALECT:
                yield part.raw
            else:
                self._losses.add_in_turn(turn, part.what, "only its own format has it")

    def text(self, part: Text, turn: int) -> Iterator[TextOut]:
        """The API refuses texts without anything but white space."""
        if not part.text.strip():
            if part.cache is not None:
                self._losses.add_in_turn(turn, "cache_control", "an empty text cannot carry a mark")
            return
        citations = [citation.raw for citation in part.citations if citation.origin == DIALECT]
        self._note_foreign(part.citations, turn)
        yield TextOut(part.text, citations or None, control_of(part.cache))

    def _note_foreign(self, citations: tuple[Citation, ...], turn: int) -> None:
        if any(citation.origin != DIALECT for citation in citations):
            self._losses.add_in_turn(turn, "annotations", "sources that Anthropic did not find cannot be told")

    def thought(self, part: Thought, turn: int) -> Iterator[BlockOut]:
        """Only the maker's own, and those unchanged. Other families take unsealed ones as well."""
        if not (part.text or part.signature or part.hidden):
            return
        is_own = part.origin == self._family and bool(part.signature or part.hidden)
        if is_own and part.hidden:
            yield RedactedOut(part.hidden)
        elif is_own or (not part.origin and self._family != "anthropic"):
            yield ThinkingOut(part.text, part.signature)
        else:
            self._losses.add_in_turn(turn, "thinking", "this model takes back only thoughts that it signed itself")

    def media(self, part: Media, turn: int) -> Iterator[BlockOut]:
        if not self._fetches and not part.data and (part.url or part.file_id):
            self._losses.add_in_turn(
                turn, part.kind, f"this host fetches nothing; the {part.kind} has to be sent as data"
            )
            return
        if part.raw is not None and part.origin in ("", DIALECT) and part.kind in ("image", "file"):
            yield part.raw
            return
        if part.file_id and not part.url and not part.data and part.origin != DIALECT:
            self._losses.add_in_turn(turn, part.kind, "a file uploaded elsewhere cannot be read by this provider")
        elif part.kind == "image":
            yield from self.image(part, turn)
        elif part.kind == "file":
            yield from self.document(part, turn)
        else:
            self._losses.add_in_turn(turn, part.kind, f"Claude takes no {part.kind}")

    def image(self, part: Media, turn: int) -> Iterator[ImageOut]:
        if part.detail not in ("", "auto"):
            self._losses.add_in_turn(turn, "image_url.detail", "images are read in one detail here")
        media_type = part.media_type.lower().replace("image/jpg", "image/jpeg")
        if part.data and media_type not in IMAGE_TYPES:
            media_type = next((kind for sign, kind in IMAGE_SIGNS.items() if part.data.startswith(sign)), media_type)
        if part.data and media_type not in IMAGE_TYPES:
            kinds = ", ".join(kind.removeprefix("image/") for kind in IMAGE_TYPES)
            reason = f"an image has to be one of {kinds}; this is {media_type or 'unnamed'}"
            self._losses.add_in_turn(turn, "image", reason)
            return
        yield ImageOut(self.source(part, media_type), control_of(part.cache))

    def document(self, part: Media, turn: int) -> Iterator[DocumentOut]:
        """PDF as it is, texts as text; nothing else is read."""
        media_type = part.media_type.lower()
        source = self.source(part, media_type)
        if part.data and TEXT_TYPES.match(media_type):
            words = words_of(part.data)
            if not words.strip():
                self._losses.add_in_turn(turn, "file", "the text of the file cannot be read")
                return
            source = SourceOut("text", "text/plain", words)
        elif part.data and not (media_type == "application/pdf" or part.data.startswith("JVBERi")):
            self._losses.add_in_turn(turn, "file", f"a file has to be PDF or text; this is {media_type or 'unnamed'}")
            return
        elif part.data:
            source = SourceOut("base64", "application/pdf", part.data)
        yield DocumentOut(source, part.name or None, control_of(part.cache))

    def source(self, part: Media, media_type: str) -> SourceOut:
        if part.data:
            return SourceOut("base64", media_type, part.data)
        if part.url:
            return SourceOut("url", url=part.url)
        self.uploads = True
        return SourceOut("file", file_id=part.file_id)

    def call(self, part: ToolCall, id_: str, turn: int) -> BlockOut:
        if part.raw is not None and id_ == part.id:
            return part.raw
        return ToolUseOut(id_, part.name, self.input(part, turn), control_of(part.cache))

    def input(self, part: ToolCall, turn: int) -> Raw:
        """An object is all that the API takes as input."""
        if part.is_custom:
            return Raw(msgspec.json.encode({"input": part.arguments}))
        arguments = part.arguments.strip()
        try:
            OBJECT.decode(arguments or "{}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._losses.add_in_turn(turn, "tool_calls", "arguments that are no JSON object were wrapped in one")
            return Raw(msgspec.json.encode({"arguments": part.arguments}))
        return Raw((arguments or "{}").encode())

    def result(self, part: ToolResult, id_: str, turn: int) -> BlockOut:
        if part.raw is not None and id_ == part.call_id:
            return part.raw
        if len(part.parts) == 1 and isinstance(part.parts[0], Text) and not part.parts[0].cache:
            self._note_foreign(part.parts[0].citations, turn)
            return ToolResultOut(id_, part.parts[0].text, part.is_error, control_of(part.cache))
        content = [block for inner in part.parts for block in self.blocks(inner, turn, "user")]
        return ToolResultOut(id_, content or "", part.is_error, control_of(part.cache))


class CallIds:
    """Ids as the API wants them: of letters, digits, `_` and `-`, and none twice."""

    def __init__(self) -> None:
        self._latest: dict[str, str] = {}  # the caller's id to ours
        self._taken: set[str] = set()

    def of_call(self, id_: str) -> str:
        """A new call's; what is said of the caller's id from now on belongs to it."""
        clean = BAD_ID.sub("_", id_) or "call"
        chosen, number = clean, 1
        while chosen in self._taken:
            number += 1
            chosen = f"{clean}_{number}"
        self._taken.add(chosen)
        self._latest[id_] = chosen
        return chosen

    def of_result(self, id_: str) -> str | None:
        """None where nothing was called by this id."""
        return self._latest.get(id_)


def words_of(data: str) -> str:
    """The text in base64; "" when it is none."""
    try:
        return b64decode(data).decode()
    except (NoBase64, UnicodeDecodeError, ValueError):
        return ""
