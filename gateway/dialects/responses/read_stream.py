"""A provider's stream to Deltas."""

import msgspec
from msgspec import Raw

from gateway.dialects.answer import is_something, stray_error
from gateway.dialects.responses.events import EVENT, HEAD, TERMINAL, Event
from gateway.dialects.responses.names import FAMILY
from gateway.dialects.responses.read_output import PLACE_OF_DELTA, PLACE_OF_DONE, AnswerReader
from gateway.framing.sse import MAX_STRAY_BYTES, SseParser
from gateway.framing.sse import Event as Frame
from gateway.wire.delta import Delta, Failure

MAX_EVENT_BYTES = 16 * 2**20  # the last event repeats the whole answer, and the request's tools
READ_TYPES = frozenset(
    (
        *PLACE_OF_DELTA,
        *PLACE_OF_DONE,
        *TERMINAL,
        "response.created",
        "response.in_progress",
        "response.queued",
        "response.output_item.added",
        "response.output_item.done",
        "response.content_part.done",
        "response.reasoning_summary_part.done",
        "response.output_text.annotation.added",
    )
)


class StreamReader:
    """See `dialects.contract`. family: whose thoughts are encrypted in it."""

    def __init__(self, family: str = FAMILY, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.done = False
        self.malformed = False
        self.oversized = False
        self._limit = max_event_bytes
        self._parser = SseParser()
        self._answer = AnswerReader(family)
        self._has_failed = False

    def feed(self, chunk: bytes) -> list[Delta]:
        """The Deltas that the chunk completes."""
        deltas: list[Delta] = []
        if self._is_over():
            return deltas
        for frame in self._parser.feed(chunk):
            self._read(frame, deltas)
            if self._is_over():
                return deltas
        if self._parser.pending_bytes > self._limit:
            self.oversized = True
        elif self._parser.stray or self._parser.unfinished_start in (b"{", b"["):
            self._read_stray(deltas)
        return deltas

    def end(self) -> list[Delta]:
        """A last event without its empty line counts if it is whole."""
        was_malformed = self.malformed
        deltas = self.feed(b"\n\n")
        self.malformed = was_malformed
        return deltas

    def _is_over(self) -> bool:
        return self.done or self.oversized or self._has_failed

    def _read(self, frame: Frame, deltas: list[Delta]) -> None:
        if len(frame.data) > self._limit:
            self.oversized = True
            return
        try:
            event = event_of(frame)
            error = error_of(event, frame)
            if error is not None:
                self._fail(error, deltas)
            elif event is not None:
                self._take(event, deltas)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._read_foreign(frame, deltas)

    def _take(self, event: Event, deltas: list[Delta]) -> None:
        """A provider that says it is through has finished, whether it said how or not."""
        deltas += self._answer.read(event)
        if self._answer.has_ended:
            self.done = True
            self._has_failed = bool(deltas) and isinstance(deltas[-1], Failure)

    def _read_foreign(self, frame: Frame, deltas: list[Delta]) -> None:
        """Data that is none of this format's events."""
        text = frame.data.strip()
        if text == b"[DONE]":
            self._answer.finish(deltas)
            self.done = self._answer.has_begun
            return
        error = stray_error(text)
        if error is not None or frame.name == b"error":
            self._fail(error or words(text), deltas)
        elif text:
            self.malformed = True

    def _read_stray(self, deltas: list[Delta]) -> None:
        """A bare JSON error where an event should be."""
        text = (self._parser.stray + self._parser.unfinished_line)[:MAX_STRAY_BYTES]
        if text.lstrip()[:1] not in (b"{", b"["):
            self._parser.stray = b""
            return
        error = stray_error(text)
        if error is not None:
            self._fail(error, deltas)

    def _fail(self, error: bytes, deltas: list[Delta]) -> None:
        self._has_failed = True
        deltas.append(Failure(error))


def event_of(frame: Frame) -> Event | None:
    """None for one that nobody reads, whatever stands in it."""
    try:
        event = EVENT.decode(frame.data)
    except msgspec.ValidationError:
        if HEAD.decode(frame.data).type in READ_TYPES:
            raise
        return None
    if event.type or not frame.name:
        return event
    return msgspec.structs.replace(event, type=frame.name.decode("utf-8", "replace"))


def error_of(event: Event | None, frame: Frame) -> bytes | None:
    """The error object of an event that is nothing but an error."""
    if event is None or event.response is not None:
        return None
    if event.type == "error" or frame.name == b"error" or is_something(event.error):
        return error_object(event.error, frame.data)
    return stray_error(frame.data) if not event.type else None


def error_object(error: Raw, data: bytes) -> bytes:
    """The one inside it, or the event itself; words become the message of one."""
    if bytes(memoryview(error)[:1]) == b"{":
        return bytes(error)
    found = stray_error(data)
    return found if found is not None and found[:1] == b"{" else words(data)


def words(text: bytes) -> bytes:
    return msgspec.json.encode({"code": "server_error", "message": text.decode("utf-8", "replace")})
