"""A stream to Deltas: server-sent events, named by the `type` in their data."""

import msgspec

from gateway.dialects.answer import stray_error
from gateway.dialects.cohere.read_answer import AnswerReader
from gateway.dialects.cohere.schema import EVENT, Event
from gateway.framing.sse import MAX_STRAY_BYTES, SseParser
from gateway.framing.sse import Event as Frame
from gateway.wire.delta import Delta, Failure

MAX_EVENT_BYTES = 8 * 2**20
NO_EVENTS = (b"", b"[DONE]")


class StreamReader:
    """See `dialects.contract`."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.malformed = False
        self.oversized = False
        self._limit = max_event_bytes
        self._parser = SseParser()
        self._answer = AnswerReader()
        self._has_failed = False

    @property
    def done(self) -> bool:
        return self._answer.done

    def feed(self, chunk: bytes) -> list[Delta]:
        """The Deltas that the chunk completes."""
        deltas: list[Delta] = []
        if self._is_over():
            return deltas
        for frame in self._parser.feed(chunk):
            deltas += self._read(frame)
            if self._is_over():
                return deltas
        if self._parser.pending_bytes > self._limit:
            self.oversized = True
        elif self._parser.stray or self._parser.unfinished_start in (b"{", b"["):
            deltas += self._read_stray()
        return deltas

    def end(self) -> list[Delta]:
        """A last event without its empty line counts if it is whole."""
        was_malformed = self.malformed
        deltas = self.feed(b"\n\n")
        self.malformed = was_malformed
        return deltas

    def _is_over(self) -> bool:
        return self.done or self.oversized or self._has_failed or self._answer.failed

    def _read(self, frame: Frame) -> list[Delta]:
        if len(frame.data) > self._limit:
            self.oversized = True
            return []
        try:
            event = EVENT.decode(frame.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            event = Event()
        if event.type:
            return self._answer.read(event)
        error = stray_error(frame.data) or bare_message(frame.data)
        if error is not None:
            return self._fail(error)
        self.malformed = self.malformed or frame.data.strip() not in NO_EVENTS
        return []

    def _read_stray(self) -> list[Delta]:
        """A bare JSON error where an event should be."""
        text = (self._parser.stray + self._parser.unfinished_line)[:MAX_STRAY_BYTES]
        if text.lstrip()[:1] not in (b"{", b"["):
            self._parser.stray = b""
            return []
        error = stray_error(text) or bare_message(text)
        return [] if error is None else self._fail(error)

    def _fail(self, error: bytes) -> list[Delta]:
        self._has_failed = True
        return [Failure(error)]


class Refusal(msgspec.Struct, frozen=True):
    """Cohere's errors are a text, and an id of the request."""

    message: str


REFUSAL = msgspec.json.Decoder(Refusal)


def bare_message(text: bytes) -> bytes | None:
    try:
        told = REFUSAL.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return msgspec.json.encode({"message": told.message, "type": "error"})
