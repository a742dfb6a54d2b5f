"""Deltas to the caller's stream.

Grammar: response.created, response.in_progress, then per item output_item.added, what belongs to it, output_item.done,
and one of response.completed, .incomplete and .failed. A message's parts and a thought's summary are opened and closed
inside their item. Source: OpenAI's API reference, "Streaming events", and openai 3.54, read 2026-11-23.
"""

from collections.abc import Iterable

import msgspec
from msgspec import UNSET, Raw

from gateway.dialects.edits import attach
from gateway.dialects.responses.document import ErrorOut, Incomplete, response_id, response_of, tail_of
from gateway.dialects.responses.drafts import (
    COMPLETED,
    INCOMPLETE,
    CallDraft,
    MessageDraft,
    PartDraft,
    ThoughtDraft,
)
from gateway.dialects.responses.errors import code_of
from gateway.dialects.responses.items import ImageOut, Item, OutputText, ReasoningOut, RefusalPart
from gateway.dialects.responses.names import DIALECT, incomplete_of
from gateway.dialects.responses.namespaces import Place, places_of
from gateway.dialects.responses.thoughts import written_call_seal
from gateway.dialects.responses.usage import usage_out
from gateway.wire.conversation import Conversation
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
from gateway.wire.partial import Partial

EVENT = b'event: %s\ndata: {"type":"%s","sequence_number":%d,%s}\n\n'
RESPONSE = b'"response":%s'
ITEM = b'"output_index":%d,"item":%s'
PART = b'"item_id":"%s","output_index":%d,"content_index":%d,"part":%s'
TEXT_DELTA = b'"item_id":"%s","output_index":%d,"content_index":%d,"delta":%s,"logprobs":%s'
TEXT_DONE = b'"item_id":"%s","output_index":%d,"content_index":%d,"text":%s,"logprobs":%s'
REFUSAL_DELTA = b'"item_id":"%s","output_index":%d,"content_index":%d,"delta":%s'
REFUSAL_DONE = b'"item_id":"%s","output_index":%d,"content_index":%d,"refusal":%s'
ANNOTATION = b'"item_id":"%s","output_index":%d,"content_index":%d,"annotation_index":%d,"annotation":%s'
SUMMARY_PART = b'"item_id":"%s","output_index":%d,"summary_index":0,"part":{"type":"summary_text","text":%s}'
SUMMARY_DELTA = b'"item_id":"%s","output_index":%d,"summary_index":0,"delta":%s'
SUMMARY_DONE = b'"item_id":"%s","output_index":%d,"summary_index":0,"text":%s'
CALL_DELTA = b'"item_id":"%s","output_index":%d,"delta":%s'
CALL_DONE = b'"item_id":"%s","output_index":%d,"%s":%s'

IN_PROGRESS = "in_progress"

encode = msgspec.json.encode


class StreamWriter:
    """See `dialects.contract`. The format knows one choice only; others are left out.

    response: the whole of it once it has ended, to be kept for a request that goes on from there; b"" before.
    """

    def __init__(self, conversation: Conversation) -> None:
        self.response = b""
        self._response = response_of(conversation)
        self._places = places_of(conversation.tools)
        self._usage: Usage | None = None
        self._finish = Finish("stop")
        self._out: list[bytes] = []
        self._sequence = 0
        self._has_begun = False
        self._tail = ""
        self._items: list[bytes] = []  # by output_index, b"" while they grow
        self._open: MessageDraft | ThoughtDraft | None = None
        self._calls: dict[int, CallDraft] = {}  # those that still grow
        self._known_calls: set[int] = set()
        self._text_length = 0
        self._has_refusal = False

    def write(self, deltas: Iterable[Delta]) -> bytes:
        """The events that may go out now."""
        for delta in deltas:
            if getattr(delta, "choice", 0) == 0:
                self._take(delta)
        return self._taken()

    def closing(self, metadata: bytes | None, usage: Usage | None) -> bytes:
        """What is still open, and the end."""
        self._begin(Began())
        reason = incomplete_of(self._finish.reason, self._has_refusal)
        self._close_all(INCOMPLETE if reason == "max_output_tokens" else COMPLETED)
        response = self._response
        response.status = INCOMPLETE if reason else COMPLETED
        response.incomplete_details = Incomplete(reason) if reason else None
        response.usage = usage_out(usage or self._usage)
        self._end(b"response." + response.status.encode(), metadata, b"")
        return self._taken()

    def cut(
        self,
        message: str,
        code: int | str,
        error_type: str,
        metadata: bytes | None,
        partial: Partial | None = None,
    ) -> bytes:
        """A failed response; nothing is closed before it, so that no client takes the answer for whole.

        The error stands on top as well: there the SDKs look for it, and raise.
        """
        self._begin(Began())
        response = self._response
        response.status = "failed"
        response.error = ErrorOut(code_of(code), message, error_type, UNSET if partial is None else partial)
        response.usage = usage_out(self._usage)
        self._end(b"response.failed", metadata, b',"error":' + encode(response.error))
        return self._taken()

    def _take(self, delta: Delta) -> None:
        if isinstance(delta, Began):
            self._begin(delta)
            return
        self._begin(Began())
        if isinstance(delta, TextDelta | RefusalDelta):
            self._say(delta)
        elif isinstance(delta, CallArguments):
            self._argue(delta)
        elif isinstance(delta, ThoughtDelta):
            self._think(delta)
        elif isinstance(delta, ThoughtSealed):
            self._seal(delta)
        elif isinstance(delta, CallBegan):
            self._call(delta)
        elif isinstance(delta, CitationDelta):
            self._cite(delta)
        elif isinstance(delta, MediaDelta):
            self._show(delta)
        elif isinstance(delta, OpaqueDelta):
            if delta.origin == DIALECT:
                self._close_open(COMPLETED)
                self._add_whole(delta.raw)
        elif isinstance(delta, UsageReport):
            self._usage = delta.usage
        elif isinstance(delta, Finish):
            self._finish = delta

    def _taken(self) -> bytes:
        out = b"".join(self._out)
        self._out.clear()
        return out

    def _emit(self, kind: bytes, members: bytes) -> None:
        """members: JSON, so a line feed in it is mere white space."""
        if b"\n" in members or b"\r" in members:
            members = members.replace(b"\n", b" ").replace(b"\r", b" ")
        self._out.append(EVENT % (kind, kind, self._sequence, members))
        self._sequence += 1

    def _begin(self, began: Began) -> None:
        if self._has_begun:
            return
        self._has_begun = True
        response = self._response
        response.id = response_id(began.id)
        response.model, response.created_at = began.model, began.created
        self._tail = tail_of(response.id)
        created = RESPONSE % encode(response)
        self._emit(b"response.created", created)
        self._emit(b"response.in_progress", created)

    def _end(self, kind: bytes, metadata: bytes | None, beside: bytes) -> None:
        self._response.output = Raw(b"[" + b",".join(item for item in self._items if item) + b"]")
        self.response = encode(self._response)
        shown = self.response if metadata is None else attach(self.response, metadata)
        self._emit(kind, RESPONSE % shown + beside)

    def _place(self) -> int:
        """The output_index of a new item."""
        self._items.append(b"")
        return len(self._items) - 1

    def _added(self, place: int, item: Item) -> None:
        self._emit(b"response.output_item.added", ITEM % (place, encode(item)))

    def _done(self, place: int, item: Item) -> None:
        self._items[place] = encode(item)
        self._emit(b"response.output_item.done", ITEM % (place, self._items[place]))

    def _add_whole(self, item: Item) -> None:
        """One that comes at once."""
        place = self._place()
        self._added(place, item)
        self._done(place, item)

    def _say(self, delta: TextDelta | RefusalDelta) -> None:
        if not delta.text:
            return
        message = self._message()
        part = self._part(message, isinstance(delta, RefusalDelta))
        who = message.id.encode(), message.place, len(message.parts) - 1
        if isinstance(delta, TextDelta):
            tokens = part.say(delta.text, delta.logprobs)
            self._text_length += len(delta.text)
            self._emit(b"response.output_text.delta", TEXT_DELTA % (*who, encode(delta.text), encode(tokens)))
        else:
            part.say(delta.text, None)
            self._has_refusal = True
            self._emit(b"response.refusal.delta", REFUSAL_DELTA % (*who, encode(delta.text)))

    def _message(self) -> MessageDraft:
        if isinstance(self._open, MessageDraft):
            return self._open
        self._close_open(COMPLETED)
        self._open = message = MessageDraft(self._tail, self._place())
        self._added(message.place, message.item(IN_PROGRESS))
        return message

    def _part(self, message: MessageDraft, is_refusal: bool) -> PartDraft:
        last = message.parts[-1] if message.parts else None
        if last is not None and last.is_refusal == is_refusal:
            return last
        if last is not None:
            self._close_part(message, last)
        part = PartDraft(is_refusal, self._text_length)
        message.parts.append(part)
        empty = RefusalPart("") if is_refusal else OutputText("", [], [])
        where = message.id.encode(), message.place, len(message.parts) - 1
        self._emit(b"response.content_part.added", PART % (*where, encode(empty)))
        return part

    def _close_part(self, message: MessageDraft, part: PartDraft) -> None:
        where = message.id.encode(), message.place, len(message.parts) - 1
        text = encode(part.text)
        if part.is_refusal:
            self._emit(b"response.refusal.done", REFUSAL_DONE % (*where, text))
        else:
            self._emit(b"response.output_text.done", TEXT_DONE % (*where, text, encode(part.logprobs)))
        self._emit(b"response.content_part.done", PART % (*where, encode(part.whole())))

    def _cite(self, delta: CitationDelta) -> None:
        message = self._open
        if not isinstance(message, MessageDraft) or message.parts[-1].is_refusal:
            return
        part = message.parts[-1]
        annotation = part.cite(delta.citation)
        if annotation is not None:
            where = message.id.encode(), message.place, len(message.parts) - 1, len(part.annotations) - 1
            self._emit(b"response.output_text.annotation.added", ANNOTATION % (*where, bytes(annotation)))

    def _think(self, delta: ThoughtDelta) -> None:
        if not delta.text:
            return
        thought = self._thought()
        where = thought.id.encode(), thought.place
        if not thought.words:
            self._emit(b"response.reasoning_summary_part.added", SUMMARY_PART % (*where, b'""'))
        thought.words.append(delta.text)
        self._emit(b"response.reasoning_summary_text.delta", SUMMARY_DELTA % (*where, encode(delta.text)))

    def _thought(self) -> ThoughtDraft:
        if isinstance(self._open, ThoughtDraft):
            return self._open
        self._close_open(COMPLETED)
        self._open = thought = ThoughtDraft(self._tail, self._place())
        self._added(thought.place, thought.item(IN_PROGRESS))
        return thought

    def _seal(self, delta: ThoughtSealed) -> None:
        """One that has both, the proof of its text and something hidden, becomes two."""
        for seal in (msgspec.structs.replace(delta, hidden=""), msgspec.structs.replace(delta, signature="")):
            if seal.signature or seal.hidden:
                self._thought().seal(seal)
                self._close_open(COMPLETED)

    def _call(self, delta: CallBegan) -> None:
        """Calls may grow side by side; one whose arguments are whole is done when the next item comes."""
        if delta.index in self._known_calls:
            return
        self._known_calls.add(delta.index)
        self._close_open(COMPLETED)
        if delta.signature:
            seal = written_call_seal(delta.signature, delta.origin)
            self._add_whole(ReasoningOut([], f"rs_{self._tail}_{len(self._items)}", encrypted_content=seal))
        known = self._places.get(delta.name) or Place(delta.name)
        self._calls[delta.index] = call = CallDraft(self._tail, self._place(), delta, known)
        self._added(call.place, call.item(IN_PROGRESS))

    def _argue(self, delta: CallArguments) -> None:
        call = self._calls.get(delta.index)
        if call is None or not delta.text:
            return
        call.words.append(delta.text)
        if not call.is_wrapped:
            self._tell_arguments(call, delta.text)

    def _tell_arguments(self, call: CallDraft, text: str) -> None:
        kind = b"response.custom_tool_call_input" if call.is_custom else b"response.function_call_arguments"
        self._emit(kind + b".delta", CALL_DELTA % (call.id.encode(), call.place, encode(text)))

    def _close_call(self, call: CallDraft, status: str) -> None:
        text = call.text
        if text and (call.is_wrapped or not call.words):
            self._tell_arguments(call, text)
        where = call.id.encode(), call.place
        if call.is_custom:
            self._emit(b"response.custom_tool_call_input.done", CALL_DONE % (*where, b"input", encode(text)))
        else:
            self._emit(b"response.function_call_arguments.done", CALL_DONE % (*where, b"arguments", encode(text)))
        self._done(call.place, call.item(status))

    def _show(self, delta: MediaDelta) -> None:
        """An image as if the provider's own tool had made it. There is no item for sound."""
        if delta.kind == "image":
            self._close_open(COMPLETED)
            id_ = f"ig_{self._tail}_{len(self._items)}"
            self._add_whole(ImageOut(id_, COMPLETED, delta.data, delta.media_type.rpartition("/")[2] or "png"))

    def _close_open(self, status: str) -> None:
        """What grows, and the calls that are whole."""
        opened, self._open = self._open, None
        if isinstance(opened, MessageDraft):
            self._close_part(opened, opened.parts[-1])
            self._done(opened.place, opened.item(status))
        elif opened is not None:
            if opened.words:
                where, text = (opened.id.encode(), opened.place), encode(opened.text)
                self._emit(b"response.reasoning_summary_text.done", SUMMARY_DONE % (*where, text))
                self._emit(b"response.reasoning_summary_part.done", SUMMARY_PART % (*where, text))
            self._done(opened.place, opened.item(status))
        for index in [index for index, call in self._calls.items() if not call.is_custom and call.is_whole()]:
            self._close_call(self._calls.pop(index), COMPLETED)

    def _close_all(self, status: str) -> None:
        self._close_open(status)
        for call in self._calls.values():
            self._close_call(call, COMPLETED if call.is_whole() or not call.words else status)
        self._calls.clear()
