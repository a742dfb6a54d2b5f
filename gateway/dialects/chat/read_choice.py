"""One choice of an answer to Deltas: the same for a message, and for the many deltas of a stream."""

import msgspec
from msgspec import Raw

from gateway.dialects.answer import is_something
from gateway.dialects.chat.answer_schema import ContentPiece, Piece
from gateway.dialects.chat.calls import Calls
from gateway.dialects.chat.citations import read_annotations
from gateway.dialects.chat.media import sniffed_audio, split_url
from gateway.dialects.chat.read_messages import thinking_text
from gateway.dialects.chat.reasoning import thought_deltas
from gateway.dialects.chat.words import finish_of
from gateway.dialects.gathering import LOGPROBS
from gateway.wire.conversation import Citation
from gateway.wire.delta import (
    CitationDelta,
    Delta,
    Finish,
    MediaDelta,
    RefusalDelta,
    TextDelta,
    ThoughtDelta,
    ThoughtSealed,
)


class ChoiceReader:
    """What has come of one choice."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.calls = Calls(index)
        self.has_sources = False
        self.is_finished = False

    def take(self, piece: Piece, logprobs: Raw, answer_id: str) -> list[Delta]:
        """The Deltas of a message or delta: thought, then text, then the rest."""
        deltas: list[Delta] = []
        index = self.index
        if piece.reasoning_details or piece.reasoning_content or piece.reasoning:
            thought = piece.reasoning_content or piece.reasoning or ""
            deltas += thought_deltas(thought, piece.reasoning_details or (), index)
        content = piece.content
        odds = checked_logprobs(logprobs) if logprobs else None
        if isinstance(content, list):
            deltas += self._array(content)
        elif content or (odds is not None and piece.refusal is None):
            deltas.append(TextDelta(content or "", index, odds))
        if piece.refusal:
            deltas.append(RefusalDelta(piece.refusal, index))
        if piece.tool_calls:
            deltas += self.calls.take(piece.tool_calls, answer_id)
        if piece.function_call is not None:
            deltas += self.calls.take_old(piece.function_call, answer_id)
        if piece.annotations:
            deltas += self.sources(read_annotations(piece.annotations))
        if piece.audio is not None or piece.images or piece.extra_content is not None:
            deltas += self._rare(piece)
        return deltas

    def sources(self, citations: list[Citation]) -> list[Delta]:
        self.has_sources = self.has_sources or bool(citations)
        return [CitationDelta(citation, self.index) for citation in citations]

    def finish(self, reason: str) -> list[Delta]:
        """The end of the choice; a second one is ignored."""
        if self.is_finished:
            return []
        self.is_finished = True
        return [Finish(finish_of(reason, bool(self.calls)), self.index)]

    def _array(self, content: list[ContentPiece]) -> list[Delta]:
        """Mistral's content: texts and thoughts."""
        deltas: list[Delta] = []
        for element in content:
            thought = thinking_text(element.thinking) if element.thinking else ""
            if thought:
                deltas.append(ThoughtDelta(thought, self.index))
            elif element.text:
                deltas.append(TextDelta(element.text, self.index))
        return deltas

    def _rare(self, piece: Piece) -> list[Delta]:
        deltas: list[Delta] = []
        audio = piece.audio
        if audio is not None and audio.transcript:
            deltas.append(TextDelta(audio.transcript, self.index))
        if audio is not None and audio.data:
            deltas.append(MediaDelta(sniffed_audio(audio.data), audio.data, "audio", self.index))
        for image in piece.images or ():
            _, media_type, data = split_url(image.image_url.url)
            if data:
                deltas.append(MediaDelta(media_type, data, "image", self.index))
        google = piece.extra_content.google if piece.extra_content else None
        if google is not None and google.thought_signature:
            deltas.append(ThoughtSealed(google.thought_signature, origin="google", choice=self.index))
        return deltas


def checked_logprobs(raw: Raw) -> Raw | None:
    """An object of arrays that says something, or None."""
    if not is_something(raw):
        return None
    try:
        return raw if any(LOGPROBS.decode(raw).values()) else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
