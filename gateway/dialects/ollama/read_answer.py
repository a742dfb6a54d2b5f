"""What an answer says, line by line or whole; both have the same shape."""

import re
import zlib
from collections.abc import Iterator
from datetime import datetime

import msgspec

from gateway.dialects.answer import is_utf8, odds_of, stray_error
from gateway.dialects.ollama.names import finish_of
from gateway.dialects.ollama.schema import LINE, Call, Function, Line, Message
from gateway.wire.delta import (
    Began,
    CallArguments,
    CallBegan,
    Delta,
    Failure,
    Finish,
    MediaDelta,
    TextDelta,
    ThoughtDelta,
    Usage,
    UsageReport,
)

NOTHING = (b"", b"null", b'""', b"{}")
NO_MESSAGE = Message()
# Python reads microseconds; Ollama writes nanoseconds.
FRACTION = re.compile(r"\.(\d{1,6})\d*")


def read_answer(body: bytes) -> list[Delta]:
    """A whole answer; empty when it is none of this format."""
    reader = AnswerReader()
    deltas = reader.take(body)
    return deltas if reader.done or reader.failed or not deltas else [*deltas, *reader.finish("stop")]


class AnswerReader:
    """Takes lines in order. done: the last one has come. failed: one was an error; nothing behind it counts.

    malformed: one made no sense; it was dropped.
    """

    def __init__(self) -> None:
        self.done = False
        self.failed = False
        self.malformed = False
        self._call_prefix = ""  # "" before the answer has begun
        self._calls = 0
        self._call_ids: set[str] = set()

    def take(self, text: bytes) -> list[Delta]:
        """The Deltas of one line."""
        if self.done or self.failed:
            return []
        try:
            line = LINE.decode(text) if is_utf8(text) else Line()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            line = Line()
        if line.message is None and not line.done:
            return self._fail(text, line)
        deltas = self._began(line, text)
        message = line.message or NO_MESSAGE
        if message.thinking:
            deltas.append(ThoughtDelta(message.thinking))
        probable = odds_of(line.logprobs)
        if message.content or probable is not None:
            deltas.append(TextDelta(message.content or "", logprobs=probable))
        deltas += (MediaDelta("image/png", image) for image in message.images or () if image)
        for call in message.tool_calls or ():
            deltas += self._call(call)
        return [*deltas, *self._end(line)] if line.done else deltas

    def finish(self, word: str) -> list[Delta]:
        """Nothing comes after it."""
        self.done = True
        return [Finish(finish_of(word, self._calls > 0))]

    def _fail(self, text: bytes, line: Line) -> list[Delta]:
        """An error is a line like any other, its text in `error`."""
        error = error_in(bytes(line.error)) or stray_error(text)
        if error is None:
            self.malformed = True
            return []
        self.failed = True
        return [Failure(error)]

    def _began(self, line: Line, text: bytes) -> list[Delta]:
        """Once. Ollama gives an answer no id, and its calls none: they are named after its first line."""
        if self._call_prefix:
            return []
        self._call_prefix = f"call_{zlib.crc32(text):08x}"
        return [Began("", line.model or "", seconds_of(line.created_at))]

    def _call(self, call: Call) -> Iterator[Delta]:
        function, number = call.function or Function(), self._calls
        if not function.name:
            return
        self._calls += 1
        id_ = call.id if call.id and call.id not in self._call_ids else f"{self._call_prefix}_{number}"
        self._call_ids.add(id_)
        yield CallBegan(number, id_, function.name)
        arguments = arguments_in(bytes(function.arguments))
        if arguments:
            yield CallArguments(number, arguments)

    def _end(self, line: Line) -> Iterator[Delta]:
        if line.prompt_eval_count is not None or line.eval_count is not None:
            yield UsageReport(Usage(input_tokens=line.prompt_eval_count or 0, output_tokens=line.eval_count or 0))
        yield from self.finish(line.done_reason or "stop")


def arguments_in(raw: bytes) -> str:
    """An object as it came; text that holds one, where a model's template has written it so."""
    if raw in NOTHING:
        return ""
    if raw.startswith(b'"'):
        return msgspec.json.decode(raw, type=str)
    return raw.decode()


def error_in(raw: bytes) -> bytes | None:
    """The error object; words alone become the message of one."""
    if raw in NOTHING:
        return None
    if raw.startswith(b'"'):
        return msgspec.json.encode({"message": msgspec.json.decode(raw, type=str), "type": "error"})
    return raw


def seconds_of(time: str | None) -> int:
    """Unix seconds of RFC 3339; 0 for none."""
    try:
        return int(datetime.fromisoformat(FRACTION.sub(r".\1", time)).timestamp()) if time else 0
    except (ValueError, OverflowError):
        return 0
