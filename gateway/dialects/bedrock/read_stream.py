"""A stream to Deltas: AWS event messages, named by a header, with JSON in them."""

import msgspec

from gateway.dialects.answer import is_utf8
from gateway.dialects.bedrock.names import damage_error
from gateway.dialects.bedrock.read_answer import AnswerReader
from gateway.dialects.bedrock.schema import EVENT, Event
from gateway.framing.aws_events import AwsEventParser, Message
from gateway.wire.delta import Delta, Failure

MAX_EVENT_BYTES = 8 * 2**20


class StreamReader:
    """See `dialects.contract`."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.done = False
        self.malformed = False
        self.oversized = False
        self._limit = max_event_bytes
        self._parser = AwsEventParser()
        self._answer = AnswerReader()
        self._has_failed = False

    def feed(self, chunk: bytes) -> list[Delta]:
        """The Deltas that the chunk completes."""
        deltas: list[Delta] = []
        if self._is_over():
            return deltas
        for message in self._parser.feed(chunk):
            deltas += self._read(message)
            if self._is_over():
                return deltas
        if self._parser.damaged:
            deltas.append(self._fail(damage_error(self._parser.damaged)))
        elif self._parser.pending_bytes > self._limit:
            self.oversized = True
        return deltas

    def end(self) -> list[Delta]:
        """Half a message says nothing."""
        return []

    def _is_over(self) -> bool:
        return self.done or self.oversized or self._has_failed or self._answer.failed

    def _read(self, message: Message) -> list[Delta]:
        if message.headers.get(":message-type", "event") != "event":
            return [self._fail(exception_in(message))]
        if len(message.payload) > self._limit:
            self.oversized = True
            return []
        kind = message.headers.get(":event-type", "")
        try:
            event = EVENT.decode(message.payload) if is_utf8(message.payload) else None
            deltas = [] if event is None else self._answer.read(kind, event)
        except (msgspec.DecodeError, RecursionError):
            event = None
        if event is None:
            self.malformed = True
            return []
        self.done = kind == "metadata"  # it comes behind the end of the answer
        return deltas

    def _fail(self, error: bytes) -> Failure:
        self._has_failed = True
        return Failure(error)


def exception_in(message: Message) -> bytes:
    """The error that a message of the types `exception` and `error` is."""
    headers = message.headers
    try:
        told = EVENT.decode(message.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = Event()
    kind = headers.get(":exception-type") or headers.get(":error-code") or "exception"
    words = told.message or told.originalMessage or headers.get(":error-message") or kind
    return msgspec.json.encode({"message": words, "type": kind})
