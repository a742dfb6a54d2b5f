"""A provider's stream on its way to a caller who speaks the same format: events go out as they came in.

Only usage, finish and errors are read. What ends an answer is held back until `closing`, so that however a provider
ends, the caller sees one message_delta and one message_stop.
"""

import msgspec
from msgspec import Raw

from core.scan import Malformed, top_level_spans
from gateway.dialects.answer import bytes_of, ended_without_content, stray_error, tokens_of_bytes
from gateway.dialects.anthropic.errors import error_event
from gateway.dialects.anthropic.events import BLOCK, EVENT, Event
from gateway.dialects.anthropic.frames import event
from gateway.dialects.anthropic.names import finish_of
from gateway.dialects.anthropic.read_stream import MAX_EVENT_BYTES, error_json
from gateway.dialects.anthropic.schema import is_absent
from gateway.dialects.anthropic.usage import RunningUsage, usage_out
from gateway.dialects.anthropic.whole import answer_as_events
from gateway.dialects.anthropic.write_answer import MessageDocument
from gateway.dialects.edits import attach, with_value
from gateway.framing.sse import MAX_STRAY_BYTES, SseParser
from gateway.wire.delta import Usage
from gateway.wire.partial import Partial

STOP_EVENT = b'{"type":"message_stop"}'
NAMELESS_START = b'{"type":"message_start","message":%s}' % msgspec.json.encode(
    MessageDocument("", "", [], None, None, usage_out(None))
)
BLOCK_STOP = b'{"type":"content_block_stop","index":%d}'


class StreamRelay:
    """A Relay, see `dialects.codec`. parser: for hosts that wrap the events."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES, parser: SseParser | None = None) -> None:
        self.started = False
        self.finish = ""
        self.error: bytes | None = None
        self.done = False
        self.malformed = False
        self.oversized = False
        self.provider_model = ""
        self._limit = max_event_bytes
        self._parser = parser or SseParser()
        self._usage = RunningUsage()
        self._has_begun = False
        self._open: set[int] = set()  # indexes of blocks without a stop
        self._has_calls = False
        self._end_event = b""  # the message_delta that is held back
        self._stop_event = STOP_EVENT
        self._late = b""  # what only the end of the connection completed
        self._pieces = 0
        self._bytes = 0

    @property
    def usage(self) -> Usage | None:
        return self._usage.usage

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
                self._read(frame.name, frame.data, ready)
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
            self.error = stray_error(body)
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
        end = self._end_event
        if billed is not None and billed.estimated:
            end = with_value(end, b"usage", msgspec.json.encode(usage_out(billed)))
        stop = self._stop_event if metadata is None else attach(self._stop_event, metadata)
        stops = b"".join(event(b"content_block_stop", BLOCK_STOP % index) for index in sorted(self._open))
        return self._late + stops + event(b"message_delta", end) + event(b"message_stop", stop)

    def cut(
        self,
        message: str,
        code: int | str,
        error_type: str,
        metadata: bytes | None,
        partial: Partial | None = None,
    ) -> bytes:
        """The end of an answer that broke off."""
        return error_event(message, code, error_type, metadata, partial)

    def _is_over(self) -> bool:
        return self.done or self.oversized or self.error is not None

    def _read(self, name: bytes, data: bytes, ready: list[bytes]) -> None:
        """One event: what of it may go out now."""
        if len(data) > self._limit:
            self.oversized = True
            return
        try:
            top_level_spans(data, ())  # stricter than the decoder about what it skips: depth, UTF-8
            self._act(name, EVENT.decode(data), data, ready)
        except (Malformed, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._read_foreign(name, data)

    def _act(self, name: bytes, read: Event, data: bytes, ready: list[bytes]) -> None:
        if name == b"error" or read.type == "error" or (not read.type and not is_absent(read.error)):
            self.error = error_json(data, read.error)
        elif read.type == "message_delta":
            self._hold_end(read, data)
        elif read.type == "message_stop":
            self._stop_event, self.done = data, True
            self._finish()
        elif read.type and self._is_in_order(read):
            if not self._has_begun:
                self._has_begun = True
                ready.append(event(b"message_start", NAMELESS_START))
            ready.append(event(read.type.encode(), data))

    def _read_foreign(self, name: bytes, data: bytes) -> None:
        error = stray_error(data)
        if error is not None or name == b"error":
            self.error = error_json(data, Raw(error or b""))
        elif data.strip() not in (b"", b"[DONE]"):
            self.malformed = True

    def _read_stray(self) -> None:
        """A bare JSON error in the place of an event."""
        text = (self._parser.stray + self._parser.unfinished_line)[:MAX_STRAY_BYTES]
        if text.lstrip()[:1] in (b"{", b"["):
            self.error = stray_error(text)
        else:
            self._parser.stray = b""

    def _is_in_order(self, read: Event) -> bool:
        """Whether it may go out: one message_start, and nothing behind the finish but pings."""
        if read.type == "message_start":
            is_first, self._has_begun = not self._has_begun, True
            if is_first and read.message is not None:
                self.provider_model = read.message.model or ""
                self._usage.take(read.message.usage)
            return is_first
        if read.type == "ping":
            return self._has_begun
        if self.finish:
            return False
        self._note(read)
        return True

    def _note(self, read: Event) -> None:
        """Which blocks are open, and how much they say."""
        index = read.index or 0
        size = 0
        if read.type == "content_block_start" and not is_absent(read.content_block):
            self._open.add(index)
            block = BLOCK.decode(read.content_block)
            self._has_calls = self._has_calls or block.type == "tool_use"
            size = bytes_of(block.text or block.thinking or block.data or block.name or "")
        elif read.type == "content_block_delta" and read.delta is not None:
            delta = read.delta
            size = bytes_of(delta.text or delta.thinking or delta.partial_json or "")
        elif read.type == "content_block_stop":
            self._open.discard(index)
        self.started = self.started or size > 0
        self._pieces += size > 0
        self._bytes += size

    def _hold_end(self, read: Event, data: bytes) -> None:
        """Of several the last one counts that says how the answer ended; counts go on."""
        self._usage.take(read.usage)
        if read.delta is not None and read.delta.stop_reason:
            self.finish = finish_of(read.delta.stop_reason, self._has_calls)
            self._end_event = data
        elif self._end_event:
            self._end_event = with_value(self._end_event, b"usage", msgspec.json.encode(usage_out(self.usage)))

    def _finish(self) -> None:
        """A provider that says it is through has finished, whether it said how or not."""
        if self._has_begun and not self.finish:
            self.finish = finish_of("end_turn", self._has_calls)
            stop_reason = "tool_use" if self._has_calls else "end_turn"
            end = {"type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": None}}
            self._end_event = msgspec.json.encode(end | {"usage": usage_out(self.usage)})
