"""Gemini as Vertex hosts it: the same words, but a signature holds only at the host that wrote it.

So what Vertex signs is "vertex"'s here, and what Google's other API signed is as foreign as anybody's.
Source: BerriAI/litellm#32140, read 2026-11-23: "Corrupted thought signature", status 400, either way.
"""

from collections.abc import Iterable
from urllib.parse import quote

from msgspec.structs import replace

from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.gemini.read_answer import read_answer
from gateway.dialects.gemini.read_stream import GeminiStreamReader
from gateway.dialects.gemini.signatures import HOME
from gateway.dialects.gemini.write_request import write_request
from gateway.wire.conversation import Conversation, Part, Thought, ToolCall, Turn
from gateway.wire.delta import CallBegan, Delta, ThoughtSealed

DIALECT = "gemini_vertex"
FAMILY = "vertex"
ELSEWHERE = "google-ai"  # what Google's other API is called while Vertex is at home
SIGNED_BY = {FAMILY: HOME, HOME: ELSEWHERE}


class VertexOutbound:
    """An Outbound, see `dialects.contract`."""

    name = DIALECT

    def path(self, model: str, stream: bool) -> str:
        """Appended to `…/projects/PROJECT/locations/LOCATION`."""
        how = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return f"/publishers/google/models/{quote(model, safe=':@')}:{how}"

    def write_request(self, conversation: Conversation, manner: TargetManner) -> Outgoing:
        return write_request(at_home(conversation), replace(manner, family=HOME))

    def stream_reader(self) -> "VertexStreamReader":
        return VertexStreamReader()

    def read_answer(self, body: bytes) -> list[Delta]:
        return renamed(read_answer(body))


class VertexStreamReader(GeminiStreamReader):
    """A StreamReader, see `dialects.contract`."""

    def feed(self, chunk: bytes) -> list[Delta]:
        return renamed(super().feed(chunk))

    def end(self) -> list[Delta]:
        return renamed(super().end())


def renamed(deltas: Iterable[Delta]) -> list[Delta]:
    """The same with what is signed here told as Vertex's."""
    return [
        replace(delta, origin=FAMILY)
        if isinstance(delta, ThoughtSealed | CallBegan) and delta.origin == HOME
        else delta
        for delta in deltas
    ]


def at_home(conversation: Conversation) -> Conversation:
    """The conversation as it is told to one who takes himself for Google."""
    return replace(conversation, turns=tuple(turn_at_home(turn) for turn in conversation.turns))


def turn_at_home(turn: Turn) -> Turn:
    if not any(map(is_signed, turn.parts)):
        return turn
    parts: tuple[Part, ...] = tuple(
        replace(part, origin=SIGNED_BY[part.origin]) if is_signed(part) else part  # type: ignore[union-attr]
        for part in turn.parts
    )
    return replace(turn, parts=parts)


def is_signed(part: Part) -> bool:
    """By either of Google's hosts."""
    return isinstance(part, Thought | ToolCall) and part.origin in SIGNED_BY
