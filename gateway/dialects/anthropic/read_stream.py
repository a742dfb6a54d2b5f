"""A provider's stream to Deltas."""

import msgspec
from msgspec import Raw

from gateway.dialects.answer import stray_error
from gateway.dialects.anthropic.events import BLOCK, EVENT, AnswerBlock, BlockDelta, Event, MessageMember
from gateway.dialects.anthropic.names import DIALECT, FAMILY, finish_of
from gateway.dialects.anthropic.read_blocks import citation_of
from gateway.dialects.anthropic.schema import LOCATION, is_absent
from gateway.dialects.anthropic.usage import RunningUsage
from gateway.framing.sse import MAX_STRAY_BYTES, SseParser
from gateway.framing.sse import Event as Frame
from gateway.wire.conversation import Citation
from gateway.wire.delta import (
    Began,
    CallArguments,
    CallBegan,
    CitationDelta,
    Delta,
    Failure,
    Finish,
    OpaqueDelta,
    RefusalDelta,
    TextDelta,
    ThoughtDelta,
    ThoughtSealed,
    UsageReport,
)

MAX_EVENT_BYTES = 8 * 2**20
EMPTY_INPUTS = (b"", b"{}", b"null")
MEMBERS = msgspec.json.Decoder(dict[str, Raw])


class AnswerReader:
    """What the events of one answer mean, in order. family: of the maker, whose signatures the answer carries."""

    def __init__(self, family: str = FAMILY) -> None:
        self.done = False
        self._family = family
        self._began = Began()
        self._has_begun = False
        self._has_finished = False
        self._usage = RunningUsage()
        self._calls = 0
        self._text_length = 0  # characters so far
        self._open: dict[int, OpenBlock] = {}  # by the provider's index

    def read(self, event: Event) -> list[Delta]:
        """The Deltas of one event."""
        deltas: list[Delta] = []
        if event.type == "content_block_delta":
            self._continue(event, deltas)
        elif event.type == "content_block_start":
            self._start(event, deltas)
        elif event.type == "content_block_stop":
            self._stop(self._index(event), deltas)
        elif event.type == "message_start":
            self._begin(event.message or MessageMember(), deltas)
        elif event.type == "message_delta":
            self._conclude(event, deltas)
        elif event.type == "message_stop":
            self._end(deltas)
        return deltas

    def _begin(self, message: MessageMember, deltas: list[Delta]) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._began = Began(message.id or "", message.model or "")
            deltas.append(self._began)
            self._count(message, deltas)

    def _count(self, source: Event | MessageMember, deltas: list[Delta]) -> None:
        usage = self._usage.take(source.usage)
        if usage is not None:
            deltas.append(UsageReport(usage))

    def _index(self, event: Event) -> int:
        """The block that an event speaks of: the newest where it does not say."""
        return event.index if event.index is not None else max(self._open, default=0)

    def _start(self, event: Event, deltas: list[Delta]) -> None:
        self._begin(MessageMember(), deltas)
        if is_absent(event.content_block):
            return
        block = BLOCK.decode(event.content_block)
        index = event.index if event.index is not None else max(self._open, default=-1) + 1
        self._stop(index, deltas)
        self._open[index] = opened = OpenBlock(block, event.content_block)
        if block.type == "tool_use":
            opened.call = self._calls
            id_ = block.id or f"toolu_{self._began.id}_{self._calls}"
            deltas.append(CallBegan(self._calls, id_, block.name or ""))
            self._calls += 1
        elif block.type == "redacted_thinking":
            deltas.append(ThoughtSealed(hidden=block.data or "", origin=self._family))
        elif block.type == "text":
            opened.text_start = self._text_length
            self._say(block.text, deltas)
            opened.citations += block.citations or ()
        elif block.type == "thinking":
            opened.signature = block.signature or ""
            if block.thinking:
                deltas.append(ThoughtDelta(block.thinking))

    def _say(self, text: str | None, deltas: list[Delta]) -> None:
        if text:
            self._text_length += len(text)
            deltas.append(TextDelta(text))

    def _continue(self, event: Event, deltas: list[Delta]) -> None:
        """More of a block, or of one whose start has been lost."""
        self._begin(MessageMember(), deltas)
        delta = event.delta or BlockDelta()
        opened = self._open.get(self._index(event))
        if delta.text is not None:
            self._say(delta.text, deltas)
        elif delta.thinking is not None:
            if delta.thinking:
                deltas.append(ThoughtDelta(delta.thinking))
        elif opened is None:
            return
        elif delta.partial_json is not None:
            opened.has_input = opened.has_input or bool(delta.partial_json)
            if opened.call is None:
                opened.pieces.append(delta.partial_json)
            elif delta.partial_json:
                deltas.append(CallArguments(opened.call, delta.partial_json))
        elif delta.signature is not None:
            opened.signature += delta.signature
        elif not is_absent(delta.citation):
            opened.citations.append(delta.citation)

    def _stop(self, index: int, deltas: list[Delta]) -> None:
        """What only the end of a block completes."""
        opened = self._open.pop(index, None)
        if opened is None:
            return
        kind = opened.block.type
        if kind == "tool_use" and opened.call is not None:
            if not opened.has_input and bytes(opened.block.input) not in EMPTY_INPUTS:
                deltas.append(CallArguments(opened.call, bytes(opened.block.input).decode()))
        elif kind == "thinking":
            if opened.signature:
                deltas.append(ThoughtSealed(opened.signature, origin=self._family))
        elif kind == "text":
            deltas += (CitationDelta(self._citation(raw, opened.text_start)) for raw in opened.citations)
        elif kind not in ("redacted_thinking", ""):
            deltas.append(OpaqueDelta(DIALECT, opened.whole(), kind))

    def _citation(self, raw: Raw, start: int) -> Citation:
        """It speaks of the whole text of its block. What other formats call a place is one in all the text."""
        try:
            citation = citation_of(LOCATION.decode(raw), raw)
        except msgspec.DecodeError:
            citation = Citation(DIALECT, raw)
        return msgspec.structs.replace(citation, start=start, end=self._text_length)

    def _conclude(self, event: Event, deltas: list[Delta]) -> None:
        self._begin(MessageMember(), deltas)
        self._count(event, deltas)
        delta = event.delta or BlockDelta()
        if not delta.stop_reason or self._has_finished:
            return
        for index in sorted(self._open):
            self._stop(index, deltas)
        if delta.stop_details is not None and delta.stop_details.explanation:
            deltas.append(RefusalDelta(delta.stop_details.explanation))
        self._finish(delta.stop_reason, delta.stop_sequence or "", deltas)

    def _finish(self, stop_reason: str, stop_sequence: str, deltas: list[Delta]) -> None:
        self._has_finished = True
        deltas.append(Finish(finish_of(stop_reason, self._calls > 0), stop_sequence=stop_sequence))

    def _end(self, deltas: list[Delta]) -> None:
        """A provider that says it is through has finished, whether it said how or not."""
        self.done = True
        if self._has_begun and not self._has_finished:
            for index in sorted(self._open):
                self._stop(index, deltas)
            self._finish("end_turn", "", deltas)


class OpenBlock:
    """A block whose stop has not come."""

    __slots__ = ("block", "call", "citations", "has_input", "pieces", "raw", "signature", "text_start")

    def __init__(self, block: AnswerBlock, raw: Raw) -> None:
        self.block = block
        self.raw = raw
        self.call: int | None = None  # its number, where it is a call
        self.has_input = False
        self.pieces: list[str] = []  # of the input of a tool that the provider runs
        self.signature = ""
        self.citations: list[Raw] = []
        self.text_start = 0

    def whole(self) -> Raw:
        """The block with the input that came in pieces."""
        text = "".join(self.pieces)
        if not text:
            return self.raw
        try:
            return Raw(msgspec.json.encode(MEMBERS.decode(self.raw) | {"input": msgspec.json.decode(text, type=Raw)}))
        except msgspec.DecodeError:
            return self.raw


class StreamReader:
    """See `dialects.contract`. parser: for hosts that wrap the events."""

    def __init__(
        self, family: str = FAMILY, max_event_bytes: int = MAX_EVENT_BYTES, parser: SseParser | None = None
    ) -> None:
        self.done = False
        self.malformed = False
        self.oversized = False
        self._limit = max_event_bytes
        self._parser = parser or SseParser()
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
            event = EVENT.decode(frame.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._read_foreign(frame, deltas)
            return
        if frame.name == b"error" or event.type == "error" or (not event.type and not is_absent(event.error)):
            self._fail(frame.data, event.error, deltas)
            return
        try:
            deltas += self._answer.read(event)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.malformed = True
        self.done = self._answer.done

    def _read_foreign(self, frame: Frame, deltas: list[Delta]) -> None:
        """Data that is none of this format's events."""
        error = stray_error(frame.data)
        if frame.name == b"error":
            self._fail(frame.data, Raw(error or b""), deltas)
        elif error is not None:
            self._fail(frame.data, Raw(error), deltas)
        elif frame.data.strip() not in (b"", b"[DONE]"):
            self.malformed = True

    def _read_stray(self, deltas: list[Delta]) -> None:
        """A bare JSON error where an event should be."""
        text = (self._parser.stray + self._parser.unfinished_line)[:MAX_STRAY_BYTES]
        if text.lstrip()[:1] not in (b"{", b"["):
            self._parser.stray = b""
            return
        error = stray_error(text)
        if error is not None:
            self._fail(text, Raw(error), deltas)

    def _fail(self, data: bytes, error: Raw, deltas: list[Delta]) -> None:
        self._has_failed = True
        deltas.append(Failure(error_json(data, error)))


def error_json(data: bytes, error: Raw) -> bytes:
    """The error object of an event; words alone become the message of one."""
    if bytes(memoryview(error)[:1]) == b"{":
        return bytes(error)
    found = stray_error(data)
    if found is not None and found[:1] == b"{":
        return found
    return msgspec.json.encode({"type": "api_error", "message": data.decode("utf-8", "replace")})
