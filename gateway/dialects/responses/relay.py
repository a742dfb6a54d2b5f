"""A provider's stream on its way to a caller who speaks the same format: events go out as they came in.

Only usage, finish and errors are read. The event that ends the answer is held back until `closing`, so that there is
one, and our own object goes into it.
"""

import msgspec
from msgspec import UNSET, Raw

from core.scan import Malformed, top_level_spans
from gateway.dialects.answer import bytes_of, ended_without_content, stray_error, tokens_of_bytes
from gateway.dialects.edits import apply, attach, with_value
from gateway.dialects.responses.document import ErrorOut, response_of
from gateway.dialects.responses.errors import code_of
from gateway.dialects.responses.events import HEAD, Event, ResponseMember
from gateway.dialects.responses.names import CALLS_OF_THE_CALLER, DIALECT, finish_of
from gateway.dialects.responses.read_answer import FAILED, failure_of
from gateway.dialects.responses.read_stream import MAX_EVENT_BYTES, error_of, event_of, words
from gateway.dialects.responses.reading import MEMBERS, is_absent
from gateway.dialects.responses.sizes import content_bytes
from gateway.dialects.responses.usage import read_usage, usage_out
from gateway.dialects.responses.whole import answer_as_events
from gateway.framing.sse import MAX_STRAY_BYTES, SseParser
from gateway.framing.sse import Event as Frame
from gateway.wire.conversation import Conversation
from gateway.wire.delta import Usage
from gateway.wire.partial import Partial

CALLS = ("function_call", "custom_tool_call", *CALLS_OF_THE_CALLER)
ENDS = ("response.completed", "response.incomplete")
FAILURES = ("response.failed", "response.cancelled")
RESPONSE_KEY = (b"response",)

encode = msgspec.json.encode


class StreamRelay:
    """A Relay, see `dialects.codec`."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.started = False
        self.finish = ""
        self.usage: Usage | None = None
        self.error: bytes | None = None
        self.done = False
        self.malformed = False
        self.oversized = False
        self.provider_model = ""
        self._limit = max_event_bytes
        self._parser = SseParser()
        self._head = b""  # the response as it was created
        self._items: list[bytes] = []  # those that are done
        self._end_event = b""
        self._sequence = -1  # the last number
        self._has_calls = False
        self._is_fresh = True  # nothing of the item at hand came in pieces
        self._late = b""  # what only the end of the connection completed
        self._pieces = 0
        self._bytes = 0

    @property
    def response(self) -> bytes:
        """The whole of it once it has ended, to be kept for a request that goes on from there; b"" before."""
        start, end = response_span(self._end_event)
        return self._end_event[start:end]

    @property
    def complete(self) -> bool:
        """Whether the answer has finished, and nothing went wrong."""
        return bool(self.finish) and self.error is None and not self.oversized

    @property
    def empty(self) -> bool:
        """Whether it finished well without any content, which no model means to do."""
        return self.complete and not self.started and ended_without_content(self.finish, self.usage)

    @property
    def output_tokens_estimate(self) -> int:
        """Our own count: a token per piece at least, a token per four bytes otherwise."""
        return max(self._pieces, tokens_of_bytes(self._bytes))

    def feed(self, chunk: bytes) -> bytes:
        """What may go to the caller now: whole events."""
        ready: list[bytes] = []
        if not self._is_over():
            for frame in self._parser.feed(chunk):
                self._read(frame, ready)
                if self._is_over():
                    return b"".join(ready)
            if self._parser.pending_bytes > self._limit:
                self.oversized = True
            elif self._parser.stray or self._parser.unfinished_start in (b"{", b"["):
                self._read_stray()
        return b"".join(ready)

    def feed_answer(self, body: bytes) -> bytes:
        """The same for a whole answer: some servers send one whatever was asked for."""
        events = answer_as_events(body)
        if not events:
            self.error = error_in(body)
            self.malformed = self.error is None
        return self.feed(events)

    def end(self) -> None:
        """The connection has ended. A last event that lacks its empty line counts if its JSON is whole."""
        was_malformed = self.malformed
        text = self._parser.stray + self._parser.unfinished_line
        self._late += self.feed(b"\n\n")
        if not self.started and not self._is_over() and answer_as_events(text):
            self._late += self.feed_answer(text)
        self.malformed = was_malformed

    def closing(self, metadata: bytes | None, billed: Usage | None = None) -> bytes:
        """The end that was held back. billed: told in the place of the provider's count when it is our own estimate."""
        data = self._end_event
        start, end = response_span(data)
        response = data[start:end]
        if billed is not None and billed.estimated:
            response = with_value(response, b"usage", encode(usage_out(billed)))
        if metadata is not None:
            response = attach(response, metadata)
        return self._late + event(HEAD.decode(data).type.encode(), apply(data, [(start, end, response)]))

    def cut(
        self,
        message: str,
        code: int | str,
        error_type: str,
        metadata: bytes | None,
        partial: Partial | None = None,
    ) -> bytes:
        """A failed response, as the StreamWriter writes it."""
        error = ErrorOut(code_of(code), message, error_type, UNSET if partial is None else partial)
        head = self._head or encode(response_of(Conversation(DIALECT, ())))
        response = encode(MEMBERS.decode(head) | {"status": Raw(b'"failed"'), "error": Raw(encode(error))})
        failed = {
            "type": "response.failed",
            "sequence_number": self._sequence + 1,
            "response": Raw(response if metadata is None else attach(response, metadata)),
            "error": error,
        }
        return event(b"response.failed", encode(failed))

    def _is_over(self) -> bool:
        return self.done or self.oversized or self.error is not None

    def _read(self, frame: Frame, ready: list[bytes]) -> None:
        """One event: what of it may go out now."""
        if len(frame.data) > self._limit:
            self.oversized = True
            return
        try:
            top_level_spans(frame.data, ())  # stricter than the decoder about what it skips: depth, UTF-8
            read = event_of(frame)
            self.error = error_of(read, frame)
            if self.error is None:
                self._act(read, frame, ready)
        except (Malformed, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._read_foreign(frame)

    def _act(self, read: Event | None, frame: Frame, ready: list[bytes]) -> None:
        """None for an event that nobody here reads."""
        if read is None:
            ready.append(event(frame.name or HEAD.decode(frame.data).type.encode(), frame.data))
            return
        self._sequence = self._sequence + 1 if read.sequence_number is None else read.sequence_number
        response = read.response or ResponseMember()
        if read.type in FAILURES:
            self.error = failure_of(response) or FAILED
        elif read.type in ENDS and read.response is not None:
            self._hold_end(read.type, response, frame.data)
        elif read.type == "response.created" and self._head:
            return
        else:
            self._note(read, frame.data)
            ready.append(event(read.type.encode(), frame.data))

    def _read_foreign(self, frame: Frame) -> None:
        """Data that is none of this format's events."""
        text = frame.data.strip()
        if text == b"[DONE]":
            self._finish()
            return
        error = stray_error(text)
        if error is not None or frame.name == b"error":
            self.error = error or words(text)
        elif text:
            self.malformed = True

    def _read_stray(self) -> None:
        """A bare JSON error in the place of an event."""
        text = (self._parser.stray + self._parser.unfinished_line)[:MAX_STRAY_BYTES]
        if text.lstrip()[:1] in (b"{", b"["):
            self.error = stray_error(text)
        else:
            self._parser.stray = b""

    def _note(self, read: Event, data: bytes) -> None:
        """Who speaks, and how much has been said. What came in pieces is not counted again when it is done."""
        if read.response is not None:
            self.provider_model = self.provider_model or read.response.model or ""
            start, end = response_span(data)
            self._head = self._head or data[start:end]
        elif not is_absent(read.item):
            self._note_item(read.type, read.item)
        elif read.delta:
            self._is_fresh = False
            self._count(bytes_of(read.delta))

    def _note_item(self, kind: str, item: Raw) -> None:
        head = HEAD.decode(item)
        self._has_calls = self._has_calls or head.type in CALLS
        is_done = kind == "response.output_item.done"
        if is_done:
            self._items.append(bytes(item))
        if head.type in CALLS or (is_done and self._is_fresh):
            self._count(content_bytes(item))
        self._is_fresh = True

    def _count(self, size: int) -> None:
        self.started = self.started or size > 0
        self._pieces += size > 0
        self._bytes += size

    def _hold_end(self, kind: str, response: ResponseMember, data: bytes) -> None:
        self.usage = read_usage(response.usage)
        self.provider_model = response.model or self.provider_model
        for item in response.output or ():
            self._has_calls = self._has_calls or HEAD.decode(item).type in CALLS
            if not self._pieces:
                self._count(content_bytes(item))
        reason = (response.incomplete_details.reason or "") if response.incomplete_details else ""
        self.finish = finish_of(kind.rpartition(".")[2], reason, self._has_calls)
        self._end_event, self.done = data, True

    def _finish(self) -> None:
        """A provider that says it is through has finished, whether it said how or not."""
        self.done = bool(self._head)
        if self._head:
            self.finish = finish_of("completed", "", self._has_calls)
            output = b"[" + b",".join(self._items) + b"]"
            response = with_value(with_value(self._head, b"status", b'"completed"'), b"output", output)
            end = {"type": "response.completed", "sequence_number": self._sequence + 1, "response": Raw(response)}
            self._end_event = encode(end)


def error_in(body: bytes) -> bytes | None:
    """The error object of a body that is no answer."""
    try:
        status = msgspec.json.decode(body, type=ResponseMember)
        return failure_of(status) or stray_error(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return stray_error(body)


def response_span(data: bytes) -> tuple[int, int]:
    """Where the response stands in an event; nowhere in none."""
    spans = top_level_spans(data, RESPONSE_KEY) if data else []
    return (spans[-1][2], spans[-1][3]) if spans else (0, 0)


def event(name: bytes, data: bytes) -> bytes:
    """Data is JSON, so a line feed in it is mere white space."""
    if b"\n" in data or b"\r" in data:
        data = data.replace(b"\n", b" ").replace(b"\r", b" ")
    return b"event: %s\ndata: %s\n\n" % (name, data)
