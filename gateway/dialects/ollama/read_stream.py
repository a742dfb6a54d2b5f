"""A stream to Deltas: one line of JSON after the other."""

from gateway.dialects.ollama.read_answer import AnswerReader
from gateway.framing.lines import LineParser
from gateway.wire.delta import Delta

MAX_LINE_BYTES = 32 * 2**20  # a picture comes as one line


class StreamReader:
    """See `dialects.contract`."""

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self.oversized = False
        self._limit = max_line_bytes
        self._lines = LineParser()
        self._answer = AnswerReader()

    @property
    def done(self) -> bool:
        return self._answer.done

    @property
    def malformed(self) -> bool:
        return self._answer.malformed

    def feed(self, chunk: bytes) -> list[Delta]:
        """The Deltas that the chunk completes."""
        deltas: list[Delta] = []
        if self.oversized or self.done:
            return deltas
        for line in self._lines.feed(chunk):
            if len(line) > self._limit:
                self.oversized = True
                return deltas
            deltas += self._answer.take(line)
        self.oversized = self._lines.pending_bytes > self._limit
        return deltas

    def end(self) -> list[Delta]:
        """A last line without its end counts if it is whole."""
        last = self._lines.end()
        if not last or self.oversized:
            return []
        was_malformed = self._answer.malformed
        deltas = self._answer.take(last)
        self._answer.malformed = was_malformed
        return deltas
