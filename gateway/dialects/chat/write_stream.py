"""Deltas as the stream that a caller gets."""

from collections.abc import Iterable

import msgspec
from msgspec import UNSET, Raw

from gateway.dialects.answer import as_events
from gateway.dialects.chat.custom import custom_names
from gateway.dialects.chat.spoken import SpokenChoice
from gateway.dialects.chat.usage import write_usage
from gateway.dialects.edits import attach
from gateway.dialects.tail import error_member
from gateway.wire.conversation import Conversation
from gateway.wire.delta import Began, Delta, Failure, TextDelta, Usage, UsageReport
from gateway.wire.partial import Partial

ENCODER = msgspec.json.Encoder()
ROLE = b'{"role":"assistant","content":""}'
DONE = b"[DONE]"


class StreamWriter:
    """See `dialects.contract`. A chunk is put together from bytes: its head is the same every time."""

    def __init__(self, conversation: Conversation, wants_usage: bool) -> None:
        self._wants_usage = wants_usage
        self._custom = custom_names(conversation)
        self._began = Began()
        self._head = head_of(self._began)
        self._choices: dict[int, SpokenChoice] = {}

    def write(self, deltas: Iterable[Delta]) -> bytes:
        """What they say, as chunks; finishes and usage wait for `closing`."""
        ready: list[bytes] = []
        for delta in deltas:
            if isinstance(delta, Began):
                self._began, self._head = delta, head_of(delta)
            elif not isinstance(delta, UsageReport | Failure):
                choice = self._choices.get(delta.choice) or self._begin(delta.choice, ready)
                if isinstance(delta, TextDelta):
                    choice.text_size += len(delta.text)
                    content = b'{"content":' + ENCODER.encode(delta.text) + b"}"
                    ready.append(self._event(delta.choice, content, delta.logprobs))
                else:
                    self._say(delta.choice, choice, delta, ready)
        return b"".join(ready)

    def closing(self, metadata: bytes | None, usage: Usage | None) -> bytes:
        """One finish per choice, one usage if the caller wants it, [DONE]."""
        ready: list[bytes] = []
        if not self._choices:
            self._begin(0, ready)
        chunks: list[bytes] = []
        for index in sorted(self._choices):
            choice = self._choices[index]
            ready += [self._event(index, ENCODER.encode(said)) for said in choice.rest()]
            chunks.append(self._finish(index, choice))
        if self._wants_usage and usage is not None:
            chunks.append(b'%s[],"usage":%s}' % (self._head, bytes(write_usage(usage))))
        if metadata is not None:
            chunks[-1] = attach(chunks[-1], metadata)
        return b"".join(ready) + as_events([*chunks, DONE])

    def cut(
        self,
        message: str,
        code: int | str,
        error_type: str,
        metadata: bytes | None,
        partial: Partial | None = None,
    ) -> bytes:
        """The last chunk of an answer that broke off: `error` and `finish_reason: "error"`, and no [DONE]."""
        error = ENCODER.encode(error_member(message, code, error_type, partial))
        choices = b'[{"index":0,"delta":{"content":""},"finish_reason":"error"}]'
        chunk = b'%s%s,"error":%s}' % (self._head, choices, error)
        return as_events([chunk if metadata is None else attach(chunk, metadata)])

    def _begin(self, index: int, ready: list[bytes]) -> SpokenChoice:
        choice = self._choices[index] = SpokenChoice(self._custom, self._began.id)
        ready.append(self._event(index, ROLE))
        return choice

    def _say(self, index: int, choice: SpokenChoice, delta: Delta, ready: list[bytes]) -> None:
        said = choice.say(delta)
        if said is not None:
            ready.append(self._event(index, ENCODER.encode(said)))

    def _finish(self, index: int, choice: SpokenChoice) -> bytes:
        finish, native = choice.ending()
        told = b"" if native is UNSET else b',"native_finish_reason":' + ENCODER.encode(native)
        ending = b'[{"index":%d,"delta":{},"logprobs":null,"finish_reason":"%s"%s}]}'
        return self._head + ending % (index, finish.encode(), told)

    def _event(self, index: int, delta: bytes, logprobs: Raw | None = None) -> bytes:
        odds = bytes(logprobs) if logprobs else b"null"
        event = b'data: %s[{"index":%d,"delta":%s,"logprobs":%s,"finish_reason":null}]}\n\n'
        return event % (self._head, index, one_line(delta), one_line(odds))


def head_of(began: Began) -> bytes:
    """A chunk up to its choices."""
    head = {"id": began.id, "object": "chat.completion.chunk", "created": began.created, "model": began.model}
    return ENCODER.encode(head)[:-1] + b',"choices":'


def one_line(text: bytes) -> bytes:
    """JSON that came as it was written may have line feeds between its members; an event must not."""
    return text.replace(b"\n", b" ").replace(b"\r", b" ") if b"\n" in text or b"\r" in text else text
