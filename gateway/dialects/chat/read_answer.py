"""Chunks and whole answers to Deltas."""

import msgspec

from core.scan import Malformed, top_level_spans
from gateway.dialects.answer import is_something, stray_error
from gateway.dialects.chat.answer_schema import Chunk, Piece, read_chunk
from gateway.dialects.chat.citations import read_links
from gateway.dialects.chat.read_choice import ChoiceReader
from gateway.dialects.chat.usage import read_usage
from gateway.dialects.chat.words import BROKEN_OFF
from gateway.wire.delta import Began, Delta, Failure, UsageReport

NOTHING_SAID = Piece()


def read_answer(body: bytes) -> list[Delta]:
    """A whole answer; empty when it is none. What arrives whole has ended, also where it does not say how."""
    try:
        top_level_spans(body, ())  # stricter than the decoder about what it skips: depth, UTF-8
        chunk = read_chunk(body)
    except (Malformed, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return failure_in(body)
    reader = ChunkReader()
    deltas = reader.take(chunk, is_whole=True)
    return deltas if chunk.choices or reader.has_failed else failure_in(body)


def failure_in(text: bytes) -> list[Delta]:
    """The error in a document that is no chat completion."""
    error = stray_error(text)
    return [] if error is None else [Failure(error)]


class ChunkReader:
    """Takes chunks in order. An answer in one piece is one chunk."""

    def __init__(self) -> None:
        self.has_begun = False
        self.has_failed = False
        self._id = ""
        self._choices: dict[int, ChoiceReader] = {}

    @property
    def has_nameless_calls(self) -> bool:
        return any(choice.calls.has_nameless for choice in self._choices.values())

    def take(self, chunk: Chunk, is_whole: bool = False) -> list[Delta]:
        """Everything that a chunk says; nothing but the failure if there is one."""
        error = error_in(chunk)
        if error is not None:
            self.has_failed = True
            return [Failure(error)]
        deltas: list[Delta] = []
        if not self.has_begun and (chunk.choices or is_something(chunk.usage)):
            deltas.append(self._begin(chunk))
        for place, choice in enumerate(chunk.choices or ()):
            reader = self._reader(place if choice.index is None else choice.index)
            piece = choice.delta or choice.message or NOTHING_SAID
            deltas += reader.take(piece, choice.logprobs, self._id)
            reason = choice.finish_reason or ("stop" if is_whole else "")
            if reason:
                if not reader.has_sources and (chunk.citations or chunk.search_results):
                    deltas += reader.sources(read_links(chunk.citations, chunk.search_results))
                deltas += reader.finish(reason)
        for report in (chunk.x_groq.usage if chunk.x_groq else b"", chunk.usage):
            usage = read_usage(report) if report else None
            if usage is not None:
                deltas.append(UsageReport(usage))
        return deltas

    def _begin(self, chunk: Chunk) -> Began:
        self.has_begun = True
        self._id = "" if chunk.id is None else str(chunk.id)
        return Began(self._id, chunk.model or "", int(chunk.created or 0))

    def _reader(self, index: int) -> ChoiceReader:
        reader = self._choices.get(index)
        if reader is None:
            reader = self._choices[index] = ChoiceReader(index)
        return reader


def error_in(chunk: Chunk) -> bytes | None:
    """The error object that a chunk carries, in any of its places; or the finish that stands for one."""
    if chunk.error and is_something(chunk.error):
        return bytes(chunk.error)
    if chunk.x_groq is not None and is_something(chunk.x_groq.error):
        return bytes(chunk.x_groq.error)
    for choice in chunk.choices or ():
        if choice.error and is_something(choice.error):
            return bytes(choice.error)
        if choice.finish_reason in BROKEN_OFF:
            message = f"the provider ended its answer with finish_reason {choice.finish_reason}"
            return msgspec.json.encode({"message": message})
    return None
