"""What an answer says, event by event or whole."""

from collections.abc import Iterator

import msgspec

from gateway.dialects.answer import stray_error
from gateway.dialects.cohere.names import failure_in, finish_of
from gateway.dialects.cohere.read_parts import read_citations, read_logprobs, read_usage
from gateway.dialects.cohere.schema import (
    ANSWER,
    AnswerMember,
    Block,
    Call,
    Event,
    EventDelta,
    Function,
    LogprobItem,
    Message,
)
from gateway.wire.delta import (
    Began,
    CallArguments,
    CallBegan,
    CitationDelta,
    Delta,
    Failure,
    Finish,
    TextDelta,
    ThoughtDelta,
    UsageReport,
)

NO_EVENT = EventDelta()
NO_MESSAGE = Message()


def read_answer(body: bytes) -> list[Delta]:
    """A whole answer; empty when it is none of this format."""
    try:
        answer = ANSWER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [Failure(error)] if (error := stray_error(body)) is not None else []
    if not isinstance(answer.message, Message):
        return failure_of(body, answer)
    reader = AnswerReader()
    deltas = reader.begin(answer.id)
    deltas += reader.message(answer.message, answer.logprobs)
    return deltas + reader.end(EventDelta(finish_reason=answer.finish_reason or "COMPLETE", usage=answer.usage))


def failure_of(body: bytes, answer: AnswerMember) -> list[Delta]:
    """An error has its text where an answer has its message."""
    error = stray_error(body)
    if error is None and isinstance(answer.message, str):
        error = msgspec.json.encode({"message": answer.message, "type": "error"})
    return [] if error is None else [Failure(error)]


class AnswerReader:
    """Takes what is said of one answer, in order.

    done: it has ended; failed: in an error. Nothing behind that counts.
    """

    def __init__(self) -> None:
        self.done = False
        self.failed = False
        self._has_begun = False
        self._id = ""
        self._calls = 0
        self._call_ids: set[str] = set()
        self._numbers: dict[int, int] = {}  # the provider's index of a call to ours

    def read(self, event: Event) -> list[Delta]:
        """The Deltas of one event."""
        if self.done or self.failed:
            return []
        delta = event.delta or NO_EVENT
        deltas = self.begin(event.id)
        if event.type == "message-end":
            return deltas + self.end(delta)
        message = delta.message or NO_MESSAGE
        if event.type == "tool-call-start":
            return deltas + self._start(message, event.index)
        if event.type == "tool-call-delta":
            return deltas + self._continue(message, event.index)
        return deltas + self.message(message, [event.logprobs] if event.logprobs else None)

    def begin(self, id_: str | None) -> list[Delta]:
        """Once. This API never says which model answers."""
        if self._has_begun:
            return []
        self._has_begun, self._id = True, id_ or ""
        return [Began(self._id)]

    def message(self, message: Message, logprobs: list[LogprobItem] | None) -> list[Delta]:
        """Content, calls that came whole, and citations."""
        deltas: list[Delta] = [ThoughtDelta(message.tool_plan)] if message.tool_plan else []
        deltas += content_of(message)
        probable = read_logprobs(logprobs)
        if probable is not None:
            deltas = with_logprobs(deltas, probable)
        for call in calls_in(message):
            deltas += self._call(call, None)
        return [*deltas, *(CitationDelta(citation) for citation in read_citations(message.citations))]

    def end(self, delta: EventDelta) -> list[Delta]:
        """Usage, and how it ended."""
        usage = read_usage(delta.usage)
        deltas: list[Delta] = [UsageReport(usage)] if usage is not None else []
        word = (delta.finish_reason or "").upper()
        error = failure_in(word, delta.error or "")
        self.done, self.failed = error is None, error is not None
        return [*deltas, Finish(finish_of(word, self._calls > 0)) if error is None else Failure(error)]

    def _start(self, message: Message, index: int | None) -> list[Delta]:
        return [delta for call in calls_in(message) or [Call()] for delta in self._call(call, index)]

    def _call(self, call: Call, index: int | None) -> Iterator[Delta]:
        """It opens, perhaps with all of its arguments."""
        number, function = self._calls, call.function or Function()
        if not function.name:
            return
        self._calls += 1
        if index is not None:
            self._numbers[index] = number
        id_ = call.id if call.id and call.id not in self._call_ids else f"call_{self._id}_{number}"
        self._call_ids.add(id_)
        yield CallBegan(number, id_, function.name)
        if function.arguments:
            yield CallArguments(number, function.arguments)

    def _continue(self, message: Message, index: int | None) -> list[Delta]:
        """More arguments: of the newest call where the index says nothing."""
        number = self._calls - 1 if index is None else self._numbers.get(index, self._calls - 1)
        texts = [call.function.arguments for call in calls_in(message) if call.function is not None]
        return [CallArguments(number, text) for text in texts if text and number >= 0]


def content_of(message: Message) -> list[Delta]:
    content = message.content
    if isinstance(content, str):
        return [TextDelta(content)] if content else []
    blocks = [content] if isinstance(content, Block) else content or ()
    deltas: list[Delta] = []
    for block in blocks:
        if block.thinking:
            deltas.append(ThoughtDelta(block.thinking))
        if block.text:
            deltas.append(TextDelta(block.text))
    return deltas


def with_logprobs(deltas: list[Delta], probable: msgspec.Raw) -> list[Delta]:
    """Beside the last text, or alone."""
    last = deltas[-1] if deltas else None
    if isinstance(last, TextDelta):
        return [*deltas[:-1], TextDelta(last.text, logprobs=probable)]
    return [*deltas, TextDelta("", logprobs=probable)]


def calls_in(message: Message) -> list[Call]:
    calls = message.tool_calls
    return [calls] if isinstance(calls, Call) else list(calls or ())
