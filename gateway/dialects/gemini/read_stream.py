"""A provider's stream to Deltas: server-sent events, or a JSON array."""

from gateway.dialects.gemini.frames import Frames
from gateway.dialects.gemini.read_answer import AnswerReader
from gateway.wire.delta import Delta


class GeminiStreamReader:
    """A StreamReader, see `dialects.contract`. This API has no terminator: an answer ends with its connection."""

    def __init__(self) -> None:
        self._answer = AnswerReader()
        self._frames = Frames()
        self._has_ended = False

    @property
    def done(self) -> bool:
        """Only an array says that it is over, and proxies that put OpenAI's [DONE] there."""
        return self._frames.done

    @property
    def malformed(self) -> bool:
        return self._answer.malformed

    @property
    def oversized(self) -> bool:
        return self._frames.oversized

    def feed(self, chunk: bytes) -> list[Delta]:
        """What the chunk completes."""
        return self._read(self._frames.feed(chunk))

    def end(self) -> list[Delta]:
        """A last event without its empty line, and how each choice ended."""
        if self._has_ended:
            return []
        self._has_ended = True
        was_malformed = self._answer.malformed
        deltas = self._read(self._frames.end())
        self._answer.malformed = was_malformed
        return [*deltas, *([] if self.oversized else self._answer.finishes())]

    def _read(self, payloads: list[bytes]) -> list[Delta]:
        deltas: list[Delta] = []
        for payload in payloads:
            deltas += self._answer.take(payload)
        return deltas
