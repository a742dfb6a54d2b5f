"""Answers as a caller of this format gets them: plain text, whole or in chunks.

Thoughts, calls and sources have no place in it; a refusal is text like any other.
"""

from collections.abc import Iterable

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from gateway.dialects.answer import as_events
from gateway.dialects.chat.usage import write_usage
from gateway.dialects.chat.words import finish_written
from gateway.dialects.edits import attach
from gateway.dialects.tail import error_member
from gateway.wire.conversation import Answer, AnswerChoice, Refusal, Text
from gateway.wire.delta import Began, Delta, Finish, RefusalDelta, TextDelta, Usage
from gateway.wire.partial import Partial

OBJECT = "text_completion"
DONE = b"[DONE]"


class CompletionChoice(Struct, frozen=True, gc=False):
    text: str
    index: int
    logprobs: None
    finish_reason: str | None


class Completion(Struct, frozen=True, gc=False):
    """A whole answer, or a chunk of one."""

    id: str
    object: str
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET


def write_answer(answer: Answer, usage: Usage | None) -> bytes:
    """The body of a caller who asked for no stream."""
    choices = [
        CompletionChoice(text_of(choice), number, None, finish_of(choice.finish))
        for number, choice in enumerate(answer.choices)
    ]
    counts = UNSET if usage is None else write_usage(usage)
    return msgspec.json.encode(Completion(answer.id, OBJECT, answer.created, answer.model, choices, counts))


def text_of(choice: AnswerChoice) -> str:
    return "".join(part.text for part in choice.parts if isinstance(part, Text | Refusal))


def finish_of(reason: str) -> str:
    """stop, length or content_filter: nobody calls tools here."""
    finish = finish_written(reason, has_calls=False)
    return "stop" if finish == "tool_calls" else finish


class StreamWriter:
    """See `dialects.contract`."""

    def __init__(self, wants_usage: bool) -> None:
        self._wants_usage = wants_usage
        self._began = Began()
        self._finishes: dict[int, str] = {}  # of every choice that has begun

    def write(self, deltas: Iterable[Delta]) -> bytes:
        """What they say, as chunks; finishes and usage wait for `closing`."""
        ready: list[bytes] = []
        for delta in deltas:
            if isinstance(delta, Began):
                self._began = delta
            elif isinstance(delta, Finish):
                self._finishes[delta.choice] = finish_of(delta.reason)
            elif isinstance(delta, TextDelta | RefusalDelta):
                self._finishes.setdefault(delta.choice, "stop")
                ready.append(self._chunk([CompletionChoice(delta.text, delta.choice, None, None)]))
        return as_events(ready)

    def closing(self, metadata: bytes | None, usage: Usage | None) -> bytes:
        """One finish per choice, one usage if the caller wants it, [DONE]."""
        finishes = self._finishes or {0: "stop"}
        chunks = [self._chunk([CompletionChoice("", index, None, finishes[index])]) for index in sorted(finishes)]
        if self._wants_usage and usage is not None:
            chunks.append(self._chunk([], write_usage(usage)))
        if metadata is not None:
            chunks[-1] = attach(chunks[-1], metadata)
        return as_events([*chunks, DONE])

    def cut(
        self,
        message: str,
        code: int | str,
        error_type: str,
        metadata: bytes | None,
        partial: Partial | None = None,
    ) -> bytes:
        """The last chunk of an answer that broke off, as Chat Completions has it, and no [DONE]."""
        error = Raw(msgspec.json.encode(error_member(message, code, error_type, partial)))
        chunk = self._chunk([CompletionChoice("", 0, None, "error")], error=error)
        return as_events([chunk if metadata is None else attach(chunk, metadata)])

    def _chunk(
        self, choices: list[CompletionChoice], usage: Raw | UnsetType = UNSET, error: Raw | UnsetType = UNSET
    ) -> bytes:
        began = self._began
        return msgspec.json.encode(
            Completion(began.id, OBJECT, began.created, began.model, choices, usage=usage, error=error)
        )
