"""A provider's stream to Deltas, sans I/O."""

import msgspec

from core.scan import Malformed, top_level_spans
from gateway.dialects.answer import stray_error
from gateway.dialects.chat.answer_schema import read_chunk
from gateway.dialects.chat.read_answer import ChunkReader, read_answer
from gateway.dialects.relay import MAX_EVENT_BYTES, message_of
from gateway.framing.sse import MAX_STRAY_BYTES, Event, SseParser
from gateway.wire.delta import Delta, Failure

DONE = b"[DONE]"


class StreamReader:
    """See `dialects.contract`. What follows [DONE] or a failure is ignored."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.done = False
        self.malformed = False
        self.oversized = False
        self._limit = max_event_bytes
        self._parser = SseParser()
        self._chunks = ChunkReader()
        self._is_over = False

    def feed(self, chunk: bytes) -> list[Delta]:
        """The Deltas of the events that the chunk completes."""
        return [] if self._is_over else self._walk(chunk)

    def _walk(self, chunk: bytes) -> list[Delta]:
        deltas: list[Delta] = []
        for event in self._parser.feed(chunk):
            deltas += self._read(event)
            if self._is_over:
                return deltas
        if self._parser.pending_bytes > self._limit:
            self.oversized = self._is_over = True
            self._parser = SseParser()
        elif self._parser.pending_bytes <= MAX_STRAY_BYTES:
            deltas += self._read_stray()
        return deltas

    def end(self) -> list[Delta]:
        """A last event without its empty line counts if it is whole; bare JSON may be an answer that is no stream."""
        if self._is_over:
            return []
        was_malformed, answer = self.malformed, self._stray_text()
        deltas = self._walk(b"\n\n")
        if not deltas and not self._chunks.has_begun and answer:
            deltas = read_answer(answer)
            self.done = bool(deltas)
        self.malformed = was_malformed or self._chunks.has_nameless_calls
        self._is_over = True
        return deltas

    def _read(self, event: Event) -> list[Delta]:
        payload = event.data.strip()
        if event.name == b"error":
            return self._fail(stray_error(payload) or message_of(payload))
        if payload in (DONE, b""):
            if payload:
                self.done = self._is_over = True
                self.malformed = self.malformed or self._chunks.has_nameless_calls
            return []
        try:
            top_level_spans(payload, ())
            chunk = read_chunk(payload)
        except (Malformed, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._read_foreign(payload)
        if chunk.choices is None and not chunk.error:
            error = stray_error(payload)
            if error is not None:
                return self._fail(error)
        deltas = self._chunks.take(chunk)
        self._is_over = self._chunks.has_failed
        return deltas

    def _read_foreign(self, payload: bytes) -> list[Delta]:
        """An event that is no chunk: an error in another shape, or nothing."""
        error = stray_error(payload)
        if error is None:
            self.malformed = True
            return []
        return self._fail(error)

    def _read_stray(self) -> list[Delta]:
        """Some providers shed load by writing a bare JSON error in the place of an event."""
        text = self._stray_text()
        error = stray_error(text) if text else None
        return [] if error is None else self._fail(error)

    def _stray_text(self) -> bytes:
        """Bare JSON, as far as it has come; b"" when there is none."""
        text = self._parser.stray + self._parser.unfinished_line
        if text.lstrip().startswith((b"{", b"[")):
            return text
        self._parser.stray = b""
        return b""

    def _fail(self, error: bytes) -> list[Delta]:
        self._is_over = True
        return [Failure(error)]
