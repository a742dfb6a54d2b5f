"""Deltas to a caller's stream. Every chunk is a whole GenerateContentResponse; the stream just ends.

The `steelyard` object is a member of the last chunk: Google's SDKs take what they know from a response and drop the
rest, see tests/dialects/test_gemini_sdk.py.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Raw

from gateway.dialects.gemini.errors import broken_off
from gateway.dialects.gemini.finishes import word_of
from gateway.dialects.gemini.schema import ABSENT
from gateway.dialects.gemini.usage import written
from gateway.dialects.gemini.write_answer import ResponseOut
from gateway.dialects.gemini.write_parts import CandidateOut, ChoiceWriter
from gateway.wire.delta import Began, Delta, Failure, Usage, UsageReport
from gateway.wire.partial import Partial

ENCODER = msgspec.json.Encoder()

# What may be sent while there is nothing to say. Not a comment: google-genai 3.4.0 for Python reads every line that is
# no `data: ` as JSON and gives up (`_RawJsonLineBuffer`, read 2026-11-23); empty lines pass there and in 3.1.0 for npm.
KEEP_ALIVE = b"\n\n"


class Framing:
    """Payloads as server-sent events or, for callers without `alt=sse`, as the elements of one array."""

    def __init__(self, sse: bool) -> None:
        self._sse = sse
        self._has_begun = False

    def event(self, payload: bytes) -> bytes:
        """One more. A payload is JSON, so a line feed in it is mere white space."""
        if self._sse:
            return b"data: " + payload.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n\n"
        separator = b",\n" if self._has_begun else b"["
        self._has_begun = True
        return separator + payload

    def end(self) -> bytes:
        """After the last."""
        return b"" if self._sse else (b"]" if self._has_begun else b"[]")


class GeminiStreamWriter:
    """A StreamWriter, see `dialects.contract`."""

    def __init__(self, sse: bool = True) -> None:
        self._began = Began()
        self._usage: Usage | None = None
        self._choices: dict[int, ChoiceWriter] = {}
        self._framing = Framing(sse)
        self._is_over = False

    def write(self, deltas: Iterable[Delta]) -> bytes:
        """One chunk for all that can be said now; b"" for nothing."""
        touched: dict[int, ChoiceWriter] = {}
        for delta in deltas:
            if isinstance(delta, Began):
                self._began = delta
            elif isinstance(delta, UsageReport):
                self._usage = delta.usage
            elif not isinstance(delta, Failure):
                choice = self._choices.get(delta.choice)
                if choice is None:
                    choice = self._choices[delta.choice] = ChoiceWriter(delta.choice)
                choice.take(delta)
                touched[delta.choice] = choice
        said = [choice.candidate() for choice in touched.values()]
        candidates = [candidate for candidate in said if candidate is not None]
        return self._chunk(candidates) if candidates and not self._is_over else b""

    def closing(self, metadata: bytes | None, usage: Usage | None) -> bytes:
        """The last chunk: how each choice ended, usage, and our own object."""
        if self._is_over:
            return b""
        self._is_over = True
        choices = self._choices or {0: ChoiceWriter(0)}
        candidates = [choices[index].last(word_of(choices[index].finish)) for index in sorted(choices)]
        chunk = self._chunk(candidates, usage or self._usage, Raw(metadata) if metadata else ABSENT)
        return chunk + self._framing.end()

    def cut(
        self,
        message: str,
        code: int | str,
        error_type: str,
        metadata: bytes | None,
        partial: Partial | None = None,
    ) -> bytes:
        """An error in the place of a chunk; Google's SDKs raise on it."""
        if self._is_over:
            return b""
        self._is_over = True
        document: dict[str, object] = {"error": broken_off(message, code, error_type, partial)}
        if metadata:
            document["steelyard"] = Raw(metadata)
        return self._framing.event(ENCODER.encode(document)) + self._framing.end()

    def _chunk(self, candidates: list[CandidateOut], usage: Usage | None = None, metadata: Raw = ABSENT) -> bytes:
        told = None if usage is None else written(usage)
        response = ResponseOut(candidates, told, self._began.model, self._began.id, metadata)
        return self._framing.event(ENCODER.encode(response))
