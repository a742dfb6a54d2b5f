"""A provider's answer to Deltas, chunk by chunk or whole."""

import re
import zlib
from collections.abc import Iterator
from datetime import datetime

import msgspec

from gateway.dialects.answer import is_utf8
from gateway.dialects.gemini.read_choice import ChoiceReader
from gateway.dialects.gemini.schema import NOTHING, Chunk, UsageMetadata
from gateway.dialects.gemini.usage import merged, read_usage
from gateway.wire.delta import Began, Delta, Failure, UsageReport

CHUNK = msgspec.json.Decoder(Chunk)
CHUNKS = msgspec.json.Decoder(list[msgspec.Raw])
NO_ID = re.compile("[^A-Za-z0-9_-]")  # what some formats refuse in the id of a call


def read_answer(body: bytes) -> list[Delta]:
    """A whole answer, a JSON array of chunks included; empty when it is no answer of this format."""
    reader = AnswerReader()
    deltas: list[Delta] = []
    for payload in payloads(body):
        deltas += reader.take(payload)
    return [*deltas, *reader.finishes(is_whole=True)]


def payloads(body: bytes) -> list[bytes]:
    if not body.lstrip().startswith(b"["):
        return [body]
    try:
        return [bytes(raw) for raw in CHUNKS.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


class AnswerReader:
    """Takes GenerateContentResponses in order.

    malformed: one made no sense; it was dropped. failed: one was an error; nothing behind it counts.
    """

    def __init__(self) -> None:
        self.malformed = False
        self.failed = False
        self._call_prefix = ""  # "" before the answer has begun
        self._choices: dict[int, ChoiceReader] = {}
        self._usage = UsageMetadata()
        self._is_blocked = False

    def take(self, payload: bytes) -> list[Delta]:
        """One response; who answers comes first."""
        if self.failed:
            return []
        chunk = read_chunk(payload)
        if chunk is None:
            self.malformed = True
            return []
        if bytes(chunk.error) not in NOTHING:
            return self.fail(bytes(chunk.error))
        deltas = [*self._begun(chunk, payload)]
        for place, candidate in enumerate(chunk.candidates or ()):
            index = place if candidate.index is None or candidate.index < 0 else candidate.index
            choice = self._choices.get(index)
            if choice is None:
                choice = self._choices[index] = ChoiceReader(index, self._call_prefix)
            deltas += choice.take(candidate)
            if choice.failure is not None:
                return [*deltas, *self.fail(choice.failure)]
        feedback = chunk.prompt_feedback
        self._is_blocked = self._is_blocked or bool(feedback is not None and feedback.block_reason)
        deltas += self._counted(chunk.usage_metadata)
        return deltas

    def fail(self, error: bytes) -> list[Delta]:
        """The provider's error object ends everything."""
        self.failed = True
        return [Failure(error)]

    def finishes(self, is_whole: bool = False) -> list[Delta]:
        """How each choice ended. is_whole: the answer came in one piece, so it ended whether it says so or not.

        Only the end of the connection tells: some models say STOP in every chunk, and calls may come after it.
        """
        if self.failed:
            return []
        if not self._choices and self._is_blocked:
            self._choices[0] = ChoiceReader(0, self._call_prefix, finish="PROHIBITED_CONTENT")
        elif not self._choices and is_whole and self._call_prefix:
            self._choices[0] = ChoiceReader(0, self._call_prefix)
        ends = (self._choices[index].end(is_whole) for index in sorted(self._choices))
        return [finish for finish in ends if finish is not None]

    def _begun(self, chunk: Chunk, payload: bytes) -> Iterator[Delta]:
        """Once. Calls without ids are named after the answer, so that no two of a conversation are the same."""
        if self._call_prefix or not says_something(chunk):
            return
        name = NO_ID.sub("", chunk.response_id or "") or f"{zlib.crc32(payload):08x}"
        self._call_prefix = f"call_{name}"
        yield Began(chunk.response_id or "", chunk.model_version or "", seconds_of(chunk.create_time))

    def _counted(self, told: UsageMetadata | None) -> Iterator[Delta]:
        """Only what is new."""
        if told is None or told == self._usage:
            return
        usage = merged(self._usage, told)
        if usage != self._usage:
            self._usage = usage
            yield UsageReport(read_usage(usage))


def read_chunk(payload: bytes) -> Chunk | None:
    try:
        return CHUNK.decode(payload) if is_utf8(payload) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def says_something(chunk: Chunk) -> bool:
    """An object without any member that we know is no answer."""
    return chunk != Chunk()


def seconds_of(time: str | None) -> int:
    """Unix seconds of RFC 3339; 0 for none."""
    try:
        return int(datetime.fromisoformat(time).timestamp()) if time else 0
    except ValueError:
        return 0
