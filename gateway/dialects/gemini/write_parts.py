"""Deltas and parts of an answer as parts of a candidate."""

from collections.abc import Iterable

from msgspec import Raw, Struct

from gateway.dialects.gemini.citations import write_grounding
from gateway.dialects.gemini.logprobs import write_logprobs
from gateway.dialects.gemini.media import DIALECT
from gateway.dialects.gemini.names import encoded
from gateway.dialects.gemini.schema import ABSENT, Blob, Part
from gateway.dialects.gemini.signatures import Seal, wrapped
from gateway.dialects.gemini.write_contents import as_object, call_part
from gateway.wire import conversation
from gateway.wire.conversation import Citation, Media, Opaque, Refusal, Text, Thought, ToolCall
from gateway.wire.delta import (
    CallArguments,
    CallBegan,
    CitationDelta,
    Delta,
    Finish,
    MediaDelta,
    OpaqueDelta,
    RefusalDelta,
    TextDelta,
    ThoughtDelta,
    ThoughtSealed,
)

WirePart = Part | Raw


class CandidateOut(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A candidate as callers get it. Its content comes first, which Google's own does too."""

    content: "ContentOut | None" = None
    finish_reason: str | None = None
    index: int = -1  # said always
    grounding_metadata: Raw = ABSENT
    logprobs_result: Raw = ABSENT


class ContentOut(Struct, frozen=True):
    parts: list[WirePart]
    role: str = "model"


class OpenCall:
    """A call whose arguments still come."""

    def __init__(self, began: CallBegan) -> None:
        self.began = began
        self.words: list[str] = []

    def whole(self) -> Part:
        began, text = self.began, "".join(self.words)
        call = ToolCall(began.id, began.name, text, began.is_custom)
        return call_part(call, wrapped(Seal(began.signature, maker=began.origin)))

    def is_over(self, before_another: bool) -> bool:
        """Whether its arguments are whole. Calls may come side by side, so an empty one waits while others begin."""
        text = "".join(self.words)
        if not text or self.began.is_custom:
            return not before_another
        return as_object(text) is not None


class ChoiceWriter:
    """Deltas of one choice in order to parts. Calls are told whole, so each is gathered until it ends."""

    def __init__(self, index: int) -> None:
        self.finish = ""  # our word for it
        self._index = index
        self._parts: list[WirePart] = []
        self._calls: dict[int, OpenCall] = {}
        self._is_thinking = False
        self._texts: list[str] = []
        self._citations: list[Citation] = []
        self._logprobs: Raw = ABSENT

    def take(self, delta: Delta) -> None:
        """Add to what the next chunk says."""
        if isinstance(delta, CallArguments):
            call = self._calls.get(delta.index)
            if call is not None:
                call.words.append(delta.text)
            return
        if self._calls and not isinstance(delta, Finish):
            before_another = isinstance(delta, CallBegan)
            self._close([index for index, call in self._calls.items() if call.is_over(before_another)])
        self._say(delta)
        if not isinstance(delta, CitationDelta):
            self._is_thinking = isinstance(delta, ThoughtDelta)

    def _say(self, delta: Delta) -> None:
        if isinstance(delta, TextDelta):
            self._texts.append(delta.text)
            self._add_text(delta.text)
            self._logprobs = logprobs_of(delta.logprobs) or self._logprobs
        elif isinstance(delta, ThoughtDelta):
            self._parts += [Part(text=delta.text, thought=True)] if delta.text else []
        elif isinstance(delta, ThoughtSealed):
            seal = Seal(delta.signature, delta.hidden, delta.id, delta.origin)
            self._parts += sealed_part("", seal, is_thought=self._is_thinking)
        elif isinstance(delta, CallBegan):
            self._calls.setdefault(delta.index, OpenCall(delta))
        elif isinstance(delta, RefusalDelta):
            self._parts.append(Part(text=delta.text))
        elif isinstance(delta, MediaDelta):
            self._parts.append(Part(inline_data=Blob(delta.media_type, delta.data)))
        elif isinstance(delta, OpaqueDelta):
            self._parts += [delta.raw] if delta.origin == DIALECT else []
        elif isinstance(delta, CitationDelta):
            self._citations.append(delta.citation)
        elif isinstance(delta, Finish):
            self.finish = self.finish or delta.reason

    def _add_text(self, text: str) -> None:
        """To the part before, if that is a text as well."""
        last = self._parts[-1] if self._parts else None
        if isinstance(last, Part) and last.text and not last.thought:
            self._parts[-1] = Part(text=last.text + text)
        elif text:
            self._parts.append(Part(text=text))

    def _close(self, indexes: Iterable[int]) -> None:
        for index in sorted(indexes):
            self._parts.append(self._calls.pop(index).whole())

    def candidate(self) -> CandidateOut | None:
        """What was said since the last one; None for nothing."""
        if not self._parts and not self._logprobs:
            return None
        parts, logprobs = self._parts, self._logprobs
        self._parts, self._logprobs = [], ABSENT
        return CandidateOut(ContentOut(parts), index=self._index, logprobs_result=logprobs)

    def last(self, finish_reason: str) -> CandidateOut:
        """The end: calls that are still open, sources, and the reason."""
        self._close([*self._calls])
        parts, self._parts = self._parts or [Part(text="")], []
        grounding = write_grounding(self._citations, "".join(self._texts))
        return CandidateOut(
            ContentOut(parts),
            finish_reason,
            self._index,
            encoded(grounding) if grounding is not None else ABSENT,
            self._logprobs,
        )


def sealed_part(text: str, seal: Seal, is_thought: bool) -> list[WirePart]:
    """A thought and its proof; one that a foreign maker hid is a thought of its own."""
    signature = wrapped(seal)
    if not signature and not text:
        return []
    thought = True if text or is_thought or seal.maker not in ("", "google") else None
    return [Part(text=text, thought=thought, thought_signature=signature or None)]


def answer_part(part: conversation.Part) -> list[WirePart]:
    """A part of a whole answer."""
    if isinstance(part, Text | Refusal):
        return [Part(text=part.text)] if part.text else []
    if isinstance(part, Thought):
        return sealed_part(part.text, Seal(part.signature, part.hidden, part.id, part.origin), is_thought=False)
    if isinstance(part, ToolCall):
        return [call_part(part, wrapped(Seal(part.signature, maker=part.origin)))]
    if isinstance(part, Media) and part.data:
        return [Part(inline_data=Blob(part.media_type, part.data))]
    return [part.raw] if isinstance(part, Opaque) and part.origin == DIALECT else []


def logprobs_of(raw: Raw | None) -> Raw:
    result = write_logprobs(raw)
    return ABSENT if result is None else encoded(result)
