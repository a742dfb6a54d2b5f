"""Deltas put together: a whole answer, for callers who did not ask for a stream."""

from collections.abc import Iterable

import msgspec
from msgspec import Raw

from gateway.wire.conversation import (
    Answer,
    AnswerChoice,
    Citation,
    Media,
    Opaque,
    Part,
    Refusal,
    Text,
    Thought,
    ToolCall,
)
from gateway.wire.delta import (
    Began,
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
    Usage,
    UsageReport,
)

LOGPROBS = msgspec.json.Decoder(dict[str, list[Raw] | None])


class Gathering:
    """Takes Deltas in order and keeps what they add up to. Failures are not its concern."""

    def __init__(self) -> None:
        self.began = Began()
        self.usage: Usage | None = None
        self._choices: dict[int, _Choice] = {}

    def take(self, deltas: Iterable[Delta]) -> None:
        """Add to what has been gathered."""
        for delta in deltas:
            if isinstance(delta, Began):
                self.began = delta
            elif isinstance(delta, UsageReport):
                self.usage = delta.usage
            elif hasattr(delta, "choice"):
                self._choices.setdefault(delta.choice, _Choice()).take(delta)

    def answer(self) -> Answer:
        """Everything so far as one answer; the choices in the order of their indexes."""
        choices = tuple(self._choices[index].whole() for index in sorted(self._choices))
        return Answer(self.began.id, self.began.model, self.began.created, choices)


class _Choice:
    """The parts of one choice, in the order in which they began."""

    def __init__(self) -> None:
        self._parts: list[_Growing] = []
        self._calls: dict[int, _Growing] = {}
        self._finish = ""
        self._stop_sequence = ""
        self._logprobs: list[Raw] = []

    def take(self, delta: Delta) -> None:
        if isinstance(delta, TextDelta):
            self._grow(Text).words.append(delta.text)
            if delta.logprobs:
                self._logprobs.append(delta.logprobs)
        elif isinstance(delta, ThoughtDelta):
            self._grow(Thought).words.append(delta.text)
        elif isinstance(delta, ThoughtSealed):
            thought = self._grow(Thought)
            thought.seal = delta
        elif isinstance(delta, CallBegan):
            call = self._calls[delta.index] = self._grow(ToolCall, new=True)
            call.call = delta
        elif isinstance(delta, CallArguments):
            if delta.index in self._calls:
                self._calls[delta.index].words.append(delta.text)
        elif isinstance(delta, RefusalDelta):
            self._grow(Refusal).words.append(delta.text)
        elif isinstance(delta, CitationDelta):
            self._grow(Text).citations.append(delta.citation)
        elif isinstance(delta, MediaDelta):
            self._grow(Media, new=True).media = delta
        elif isinstance(delta, OpaqueDelta):
            self._grow(Opaque, new=True).opaque = delta
        elif isinstance(delta, Finish):
            self._finish, self._stop_sequence = delta.reason, delta.stop_sequence

    def whole(self) -> AnswerChoice:
        parts = tuple(part.whole() for part in self._parts)
        return AnswerChoice(parts, self._finish, self._stop_sequence, joined_logprobs(self._logprobs))

    def _grow(self, kind: type, new: bool = False) -> "_Growing":
        """The part that is being written, if it is of this kind and open; else a new one."""
        last = self._parts[-1] if self._parts else None
        if new or last is None or last.kind is not kind or last.seal is not None:
            last = _Growing(kind)
            self._parts.append(last)
        return last


class _Growing:
    """A part whose text still grows."""

    __slots__ = ("call", "citations", "kind", "media", "opaque", "seal", "words")

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.words: list[str] = []
        self.citations: list[Citation] = []
        self.seal: ThoughtSealed | None = None
        self.call: CallBegan | None = None
        self.media: MediaDelta | None = None
        self.opaque: OpaqueDelta | None = None

    def whole(self) -> Part:
        text = "".join(self.words)
        if self.call is not None:
            call = self.call
            arguments = text if text or call.is_custom else "{}"
            return ToolCall(call.id, call.name, arguments, call.is_custom, call.signature, call.origin)
        if self.media is not None:
            return Media(self.media.kind, data=self.media.data, media_type=self.media.media_type)
        if self.opaque is not None:
            return Opaque(self.opaque.origin, self.opaque.raw, self.opaque.what)
        if self.kind is Thought:
            seal = self.seal or ThoughtSealed()
            return Thought(text, seal.signature, seal.hidden, seal.origin, seal.id)
        if self.kind is Refusal:
            return Refusal(text)
        return Text(text, citations=tuple(self.citations))


def joined_logprobs(pieces: list[Raw]) -> Raw | None:
    """OpenAI's logprobs objects of all pieces as one; None when there is none."""
    if len(pieces) < 2:
        return pieces[0] if pieces else None
    merged: dict[str, list[Raw]] = {}
    for piece in pieces:
        for name, tokens in LOGPROBS.decode(piece).items():
            merged.setdefault(name, []).extend(tokens or ())
    return Raw(msgspec.json.encode(merged))
