"""One answer by several targets: where the first breaks off, the next goes on from what the caller has.

Both are read into the common vocabulary, also where a provider speaks the caller's own format, and one writer tells the
caller of both: so the stream that he sees has one beginning, one end, and all that lies between.
"""

import msgspec
from msgspec.structs import replace

from gateway.dialects.codec import AnswerFacts, Asked, Codec, Identity
from gateway.dialects.contract import Inbound, Outbound, Outgoing, StreamWriter, TargetManner
from gateway.dialects.translation import TranslatedStream
from gateway.wire.conversation import Conversation, Text, Thinking, Turn
from gateway.wire.delta import (
    Began,
    Delta,
    Finish,
    TextDelta,
    ThoughtDelta,
    ThoughtSealed,
    Usage,
    UsageReport,
)

# How a last message of the assistant is marked as one to go on with, by the name that a provider's row has for it.
MARKS: dict[str, dict[str, object]] = {"plain": {}, "prefix": {"prefix": True}, "partial": {"partial": True}}
# vLLM and SGLang want it said of the request. Source: docs.vllm.ai, "OpenAI-Compatible Server", read 2026-11-23.
OF_REQUEST: dict[str, dict[str, object]] = {
    "continue_final_message": {"continue_final_message": True, "add_generation_prompt": False}
}
SILENT = (Began, UsageReport, Finish, ThoughtDelta, ThoughtSealed)  # nothing of an answer's own text


class Told:
    """What the caller of a stream has been told so far, and the writer that goes on telling."""

    def __init__(self, writer: StreamWriter) -> None:
        self.writer = writer
        self.is_plain = True  # nothing but text and thoughts
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        """All of it so far."""
        return "".join(self._pieces)

    def write(self, deltas: list[Delta]) -> bytes:
        """Tell, and take note."""
        for delta in deltas:
            if isinstance(delta, TextDelta):
                self._pieces.append(delta.text)
            elif not isinstance(delta, SILENT):
                self.is_plain = False
        return self.writer.write(deltas)


class NotedStream(TranslatedStream):
    """A Relay that remembers what it has told."""

    def __init__(self, outbound: Outbound, told: Told, identity: Identity, model: str) -> None:
        super().__init__(outbound, told.writer, identity, model)
        self.told = told

    def _write(self, deltas: list[Delta]) -> bytes:
        return self.told.write(self._account.take(deltas))


class ContinuedStream(NotedStream):
    """A Relay for the target that goes on. Its thoughts are its own affair, and the answer has begun already.

    trimmed: white space at the end of what the caller has that the target was not shown; it may begin with the same.
    """

    def __init__(self, outbound: Outbound, told: Told, identity: Identity, model: str, trimmed: str) -> None:
        super().__init__(outbound, told, identity, model)
        self._trimmed = trimmed

    def _write(self, deltas: list[Delta]) -> bytes:
        taken = self._account.take(deltas)
        own = (delta for delta in taken if not isinstance(delta, Began | ThoughtDelta | ThoughtSealed))
        return self.told.write([self._joined(delta) for delta in own])

    def _joined(self, delta: Delta) -> Delta:
        """Without the white space that the caller has already."""
        if not self._trimmed or not isinstance(delta, TextDelta):
            return delta
        text = delta.text
        while text and self._trimmed and text[0] == self._trimmed[0]:
            text, self._trimmed = text[1:], self._trimmed[1:]
        if text:
            self._trimmed = ""
        return replace(delta, text=text)

    def closing(self, metadata: bytes | None, billed: Usage | None = None) -> bytes:
        """The end of a whole answer. billed: of all who took part."""
        return self._late + self._writer.closing(metadata, billed or self.usage)


class Noted:
    """The codec of an answer that somebody else may have to go on with."""

    def __init__(self, usual: Codec, inbound: Inbound, outbound: Outbound) -> None:
        self._usual = usual
        self._inbound = inbound
        self._outbound = outbound

    def request(self, asked: Asked, manner: TargetManner) -> Outgoing:
        """As usual."""
        return self._usual.request(asked, manner)

    def relay(self, asked: Asked, model: str) -> NotedStream:
        """For a stream."""
        told = Told(self._inbound.stream_writer(asked.conversation, asked.prompt.wants_usage))
        return NotedStream(self._outbound, told, asked.identity, model)

    def answer(self, body: bytes, asked: Asked, model: str) -> tuple[AnswerFacts, bytes]:
        """As usual."""
        return self._usual.answer(body, asked, model)


class Continuation:
    """The codec of the rest of an answer: the request ends with what the caller has of it."""

    def __init__(self, usual: Codec, outbound: Outbound, told: Told, written_tokens: int, style: str) -> None:
        """written_tokens: of the answer so far; they count against the caller's limit. style: see MARKS."""
        self._usual = usual
        self._outbound = outbound
        self._told = told
        self._written_tokens = written_tokens
        self._style = style
        self._text = told.text
        self._shown = self._text.rstrip()  # Anthropic refuses white space at the end of it

    def request(self, asked: Asked, manner: TargetManner) -> Outgoing:
        """The conversation with the beginning of its answer. Nothing else is added to it."""
        outgoing = self._outbound.write_request(
            continued(asked.conversation, self._shown, self._written_tokens), manner
        )
        return replace(outgoing, body=marked(outgoing.body, self._style))

    def relay(self, asked: Asked, model: str) -> ContinuedStream:
        """For a stream."""
        trimmed = self._text[len(self._shown) :]
        return ContinuedStream(self._outbound, self._told, asked.identity, model, trimmed)

    def answer(self, body: bytes, asked: Asked, model: str) -> tuple[AnswerFacts, bytes]:
        """As usual; nobody goes on with a whole answer."""
        return self._usual.answer(body, asked, model)


def continued(conversation: Conversation, text: str, written_tokens: int) -> Conversation:
    """The conversation with `text` as the beginning of its answer. Who thinks first cannot begin in the middle."""
    sampling = conversation.sampling
    if sampling.max_output_tokens is not None:
        left = max(1, sampling.max_output_tokens - written_tokens)
        sampling = replace(sampling, max_output_tokens=left)
    thinking = None if conversation.thinking is None else Thinking(effort="none", budget_tokens=0)
    turns = (*conversation.turns, Turn("assistant", (Text(text),)))
    return replace(conversation, turns=turns, sampling=sampling, thinking=thinking)


def marked(body: bytes, style: str) -> bytes:
    """The request with its last message marked as one to go on with."""
    of_message, of_request = MARKS.get(style), OF_REQUEST.get(style)
    if not of_message and not of_request:
        return body
    document = msgspec.json.decode(body)
    if of_message:
        document["messages"][-1] |= of_message
    return msgspec.json.encode(document | (of_request or {}))
