"""The chunks of a stream, whatever they are wrapped in: server-sent events, a JSON array, or a bare error."""

import msgspec
from msgspec import Raw

from gateway.dialects.gemini.documents import DocumentParser
from gateway.framing.sse import BYTE_ORDER_MARK, Event, SseParser

# A picture of four megapixels comes as one chunk, in base64.
MAX_EVENT_BYTES = 32 * 2**20
MEMBERS = msgspec.json.Decoder(dict[str, Raw])


class Frames:
    """Sans I/O. done: nothing comes any more; oversized: a chunk was too long, nothing more is read."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.oversized = False
        self._is_done = False
        self._limit = max_event_bytes
        self._first = b""  # before it is clear what this is
        self._events: SseParser | None = None
        self._documents: DocumentParser | None = None

    @property
    def done(self) -> bool:
        return self._is_done or (self._documents is not None and self._documents.done)

    def feed(self, chunk: bytes) -> list[bytes]:
        """Payloads that the chunk completes; each should be a JSON object."""
        if self.oversized or self._is_done:
            return []
        if self._documents is not None:
            found = self._documents.feed(chunk)
            self._watch(self._documents.pending_bytes)
        elif self._events is not None:
            found = self._payloads(self._events.feed(chunk))
            found += self._stray(self._events)
            self._watch(self._events.pending_bytes)
        else:
            return self._begin(chunk)
        return found

    def end(self) -> list[bytes]:
        """What a last event without its empty line still says."""
        if self.oversized or self._is_done or self._events is None:
            return []
        found = self._payloads(self._events.feed(b"\n\n"))
        return found + self._stray(self._events)

    def _begin(self, chunk: bytes) -> list[bytes]:
        """The first visible byte tells: JSON begins with a bracket or a brace, events do not."""
        text = self._first + chunk
        visible = text.removeprefix(BYTE_ORDER_MARK).lstrip()
        if not visible or (len(text) < len(BYTE_ORDER_MARK) and BYTE_ORDER_MARK.startswith(text)):
            self._first = text
            return []
        if visible[:1] in (b"[", b"{"):
            self._documents = DocumentParser()
            return self.feed(visible)
        self._events = SseParser()
        return self.feed(text)

    def _payloads(self, events: list[Event]) -> list[bytes]:
        found: list[bytes] = []
        for event in events:
            payload = event.data.strip()
            if payload == b"[DONE]":
                self._is_done = True
                break
            if event.name == b"error" and not is_error(payload):
                payload = msgspec.json.encode({"error": {"message": payload.decode(errors="replace")}})
            if payload:
                found.append(payload)
        return found

    def _stray(self, events: SseParser) -> list[bytes]:
        """An error as bare JSON in the place of an event."""
        if not events.stray:
            return []
        text = (events.stray + events.unfinished_line).strip()
        if not text.startswith((b"{", b"[")):
            events.stray = b""
        elif is_error(text):
            self._is_done = True
            return [text]
        return []

    def _watch(self, pending_bytes: int) -> None:
        self.oversized = self.oversized or pending_bytes > self._limit


def is_error(text: bytes) -> bool:
    """An object with an `error`, whole."""
    try:
        return "error" in MEMBERS.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
