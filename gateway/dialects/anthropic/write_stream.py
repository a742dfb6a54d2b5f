"""Deltas to the caller's stream: one block at a time, whatever the order in which a provider speaks.

Grammar: message_start, then per block content_block_start, content_block_delta…, content_block_stop, then message_delta
and message_stop. Source: platform.claude.com, "Streaming messages", read 2026-11-23.
"""

from collections.abc import Iterable

import msgspec

from gateway.dialects.anthropic.answer_blocks import (
    StopDetailsOut,
    citation_json,
    input_json,
    shows_thoughts,
    signature_blocks,
)
from gateway.dialects.anthropic.errors import error_event
from gateway.dialects.anthropic.frames import one_line
from gateway.dialects.anthropic.names import DIALECT, FAMILY, stop_of
from gateway.dialects.anthropic.usage import usage_out
from gateway.dialects.anthropic.write_answer import MessageDocument
from gateway.dialects.anthropic.written import RedactedOut, ThinkingOut, ToolUseOut
from gateway.dialects.edits import attach
from gateway.dialects.seals import sealed
from gateway.wire.conversation import Conversation
from gateway.wire.delta import (
    Began,
    CallArguments,
    CallBegan,
    CitationDelta,
    Delta,
    Finish,
    OpaqueDelta,
    RefusalDelta,
    TextDelta,
    ThoughtDelta,
    ThoughtSealed,
    Usage,
    UsageReport,
)
from gateway.wire.partial import Partial

START = b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,"content_block":%s}\n\n'
DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%s","%s":%s}}\n\n'
STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
MESSAGE_START = b'event: message_start\ndata: {"type":"message_start","message":%s}\n\n'
MESSAGE_DELTA = b'event: message_delta\ndata: {"type":"message_delta","delta":%s,"usage":%s}\n\n'
MESSAGE_STOP = b"event: message_stop\ndata: %s\n\n"

TEXT, THINKING, CALL, WHOLE = range(4)  # kinds of blocks; a whole one has nothing to follow its start
EMPTY_TEXT = b'{"type":"text","text":""}'
EMPTY_THINKING = b'{"type":"thinking","thinking":"","signature":""}'

encode = msgspec.json.encode


class Block:
    """One that waits for its turn, or that is open."""

    __slots__ = ("arguments", "is_cited", "is_custom", "is_over", "is_started", "kind", "pieces", "start")

    def __init__(self, kind: int, start: bytes) -> None:
        self.kind = kind
        self.start = start
        self.pieces: list[tuple[bytes, bytes, bytes]] = []  # type of delta, name of its member, JSON value
        self.arguments: list[str] = []
        self.is_cited = False  # sources end a text, so that what follows does not seem to come from there
        self.is_custom = False
        self.is_started = False
        self.is_over = kind == WHOLE  # nothing more can belong to it

    def is_complete(self) -> bool:
        """Whether the next block may begin. Calls that run beside each other wait for their last argument."""
        if self.kind != CALL:
            return True
        if self.is_custom or not self.arguments:
            return False
        begins_object = self.arguments[0].lstrip().startswith("{")
        if begins_object and self.arguments[-1].rstrip()[-1:] not in ("", "}"):  # not worth putting together
            return False
        return is_whole_json("".join(self.arguments))


class StreamWriter:
    """See `dialects.contract`. The format knows one choice only; others are left out."""

    def __init__(self, conversation: Conversation) -> None:
        self._shows_thoughts = shows_thoughts(conversation)
        self._began = Began()
        self._usage: Usage | None = None
        self._finish = Finish("stop")
        self._has_started = False
        self._index = 0  # of the block at the head of the queue
        self._queue: list[Block] = []
        self._calls: dict[int, Block] = {}

    def write(self, deltas: Iterable[Delta]) -> bytes:
        """The events that may go out now."""
        for delta in deltas:
            if getattr(delta, "choice", 0) == 0:
                self._take(delta)
        out: list[bytes] = []
        self._flush(out, is_last=False)
        return b"".join(out)

    def closing(self, metadata: bytes | None, usage: Usage | None) -> bytes:
        """What is still open, and the end. metadata goes into the last event, where OpenRouter puts its own."""
        out: list[bytes] = []
        self._start_message(out)
        self._flush(out, is_last=True)
        finish = self._finish
        stop_reason = stop_of(finish.reason, finish.stop_sequence, bool(self._calls))
        end: dict[str, object] = {"stop_reason": stop_reason, "stop_sequence": finish.stop_sequence or None}
        if stop_reason == "refusal":
            end["stop_details"] = StopDetailsOut()
        out.append(MESSAGE_DELTA % (encode(end), encode(usage_out(usage or self._usage))))
        stop = b'{"type":"message_stop"}'
        out.append(MESSAGE_STOP % (stop if metadata is None else attach(stop, metadata)))
        return b"".join(out)

    def cut(
        self,
        message: str,
        code: int | str,
        error_type: str,
        metadata: bytes | None,
        partial: Partial | None = None,
    ) -> bytes:
        """An error event; nothing is closed before it, so that no client takes the answer for whole."""
        return error_event(message, code, error_type, metadata, partial)

    def _take(self, delta: Delta) -> None:
        if isinstance(delta, TextDelta | RefusalDelta):
            self._say(delta)
        elif isinstance(delta, CallArguments):
            self._argue(delta)
        elif isinstance(delta, ThoughtDelta):
            if delta.text and self._shows_thoughts:
                self._open(THINKING, EMPTY_THINKING).pieces.append((b"thinking_delta", b"thinking", encode(delta.text)))
        elif isinstance(delta, ThoughtSealed):
            self._seal(delta)
        elif isinstance(delta, CallBegan):
            self._call(delta)
        elif isinstance(delta, CitationDelta):
            self._cite(delta)
        elif isinstance(delta, OpaqueDelta):
            if delta.origin == DIALECT:
                self._append(Block(WHOLE, one_line(bytes(delta.raw))))
        elif isinstance(delta, UsageReport):
            self._usage = delta.usage
        elif isinstance(delta, Finish):
            self._finish = delta
        elif isinstance(delta, Began):
            self._began = delta

    def _append(self, block: Block) -> None:
        """Behind the last one, to which nothing more can belong if it is complete by now."""
        if self._queue:
            self._queue[-1].is_over = self._queue[-1].is_over or self._queue[-1].is_complete()
        self._queue.append(block)

    def _open(self, kind: int, start: bytes) -> Block:
        """The newest block, if more of this kind belongs to it; else a new one."""
        last = self._queue[-1] if self._queue else None
        if last is None or last.kind != kind or last.is_over or last.is_cited:
            last = Block(kind, start)
            self._append(last)
        return last

    def _say(self, delta: TextDelta | RefusalDelta) -> None:
        if delta.text:
            self._open(TEXT, EMPTY_TEXT).pieces.append((b"text_delta", b"text", encode(delta.text)))

    def _seal(self, delta: ThoughtSealed) -> None:
        if delta.signature:
            signature = sealed(delta.signature, delta.origin, FAMILY)
            block = self._open(THINKING, EMPTY_THINKING)
            block.pieces.append((b"signature_delta", b"signature", encode(signature)))
            block.is_over = True
        if delta.hidden:
            hidden = RedactedOut(sealed(delta.hidden, delta.origin, FAMILY))
            self._append(Block(WHOLE, encode(hidden)))

    def _call(self, delta: CallBegan) -> None:
        if delta.index in self._calls:
            return
        for block in signature_blocks(delta.signature, delta.origin):
            if isinstance(block, ThinkingOut):
                self._append(sealed_block(block.signature))
        call = Block(CALL, encode(ToolUseOut(delta.id, delta.name, msgspec.Raw(b"{}"))))
        call.is_custom = delta.is_custom
        self._calls[delta.index] = call
        self._append(call)

    def _argue(self, delta: CallArguments) -> None:
        call = self._calls.get(delta.index)
        if call is None or call.is_over or not delta.text:
            return
        call.arguments.append(delta.text)
        if not call.is_custom:
            call.pieces.append((b"input_json_delta", b"partial_json", encode(delta.text)))
        call.is_over = self._queue[-1] is not call and call.is_complete()

    def _cite(self, delta: CitationDelta) -> None:
        last = self._queue[-1] if self._queue else None
        citation = citation_json(delta.citation)
        if last is not None and last.kind == TEXT and citation is not None:
            last.pieces.append((b"citations_delta", b"citation", one_line(bytes(citation))))
            last.is_cited = True

    def _flush(self, out: list[bytes], is_last: bool) -> None:
        """Everything up to the block that may still grow."""
        while self._queue:
            block = self._queue[0]
            if not block.is_started:
                self._start_message(out)
                out.append(START % (self._index, block.start))
                block.is_started = True
            if is_last and block.is_custom:
                wrapped = input_json("".join(block.arguments), True).decode()
                block.pieces.append((b"input_json_delta", b"partial_json", encode(wrapped)))
            out += (DELTA % (self._index, kind, member, value) for kind, member, value in block.pieces)
            block.pieces.clear()
            if not (is_last or block.is_over):
                return
            out.append(STOP % self._index)
            self._index += 1
            del self._queue[0]

    def _start_message(self, out: list[bytes]) -> None:
        if not self._has_started:
            self._has_started = True
            began = self._began
            message = MessageDocument(began.id, began.model, [], None, None, usage_out(self._usage))
            out.append(MESSAGE_START % encode(message))


def sealed_block(signature: str) -> Block:
    """A thought without text, whole."""
    block = Block(THINKING, EMPTY_THINKING)
    block.pieces.append((b"signature_delta", b"signature", encode(signature)))
    block.is_over = True
    return block


def is_whole_json(text: str) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return bool(text)
