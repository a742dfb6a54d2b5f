"""A provider's stream on its way to a caller who speaks Gemini too: chunks go out as they came.

Only usage, finishes and errors are read. The chunk that ends an answer is held back until it is clear that it is the
last one, because our own object goes there; anything that follows lets it go.
"""

import msgspec
from msgspec import Raw

from gateway.dialects.answer import bytes_of, ended_without_content, tokens_of_bytes
from gateway.dialects.codec import AnswerFacts
from gateway.dialects.edits import attach, with_value
from gateway.dialects.gemini.errors import broken_off
from gateway.dialects.gemini.finishes import failure_in, reason_of
from gateway.dialects.gemini.frames import MAX_EVENT_BYTES, Frames
from gateway.dialects.gemini.names import encoded
from gateway.dialects.gemini.read_answer import payloads, read_chunk
from gateway.dialects.gemini.schema import NOTHING, Candidate, Chunk, Part, UsageMetadata
from gateway.dialects.gemini.usage import merged, read_usage, written
from gateway.dialects.gemini.write_stream import Framing
from gateway.wire.delta import Usage
from gateway.wire.partial import Partial


class StreamRelay:
    """A Relay, see `dialects.codec`. sse: as in `Gemini`; what the provider sends may be either."""

    def __init__(
        self, wants_usage: bool = True, max_event_bytes: int = MAX_EVENT_BYTES, choices: int = 1, sse: bool = True
    ) -> None:
        self.started = False
        self.usage: Usage | None = None
        self.error: bytes | None = None
        self.malformed = False
        self.provider_model = ""
        self._choices = choices
        self._frames = Frames(max_event_bytes)
        self._framing = Framing(sse)
        self._told = UsageMetadata()
        self._begun: set[int] = set()
        self._finishes: dict[int, str] = {}  # Google's words
        self._has_calls = False
        self._held = b""
        self._late = b""
        self._has_ended = False
        self._content_chunks = 0
        self._content_bytes = 0

    @property
    def finish(self) -> str:
        """Of the first choice, in our words; "" until it came."""
        if not self._finishes:
            return ""
        return reason_of(self._finishes[min(self._finishes)], self._has_calls)

    @property
    def done(self) -> bool:
        """Nothing comes any more; events have no terminator of their own, their connection just ends."""
        return self._frames.done

    @property
    def oversized(self) -> bool:
        return self._frames.oversized

    @property
    def complete(self) -> bool:
        """Whether every choice has finished, and nothing went wrong."""
        has_finished = bool(self._finishes) and self._begun <= self._finishes.keys()
        return has_finished and self.error is None and not self.oversized

    @property
    def empty(self) -> bool:
        """Whether it finished well without any content, which no model means to do."""
        return self.complete and not self.started and ended_without_content(self.finish, self.usage)

    @property
    def output_tokens_estimate(self) -> int:
        """Our own count: a token per chunk at least, a token per four bytes otherwise."""
        return max(self._content_chunks, tokens_of_bytes(self._content_bytes))

    def feed(self, chunk: bytes) -> bytes:
        """What may go to the caller now."""
        return b"" if self._has_ended else self._take(self._frames.feed(chunk))

    def feed_answer(self, body: bytes) -> bytes:
        """The same for a whole answer, which has ended whether it says so or not."""
        out = self._take(payloads(body))
        self.malformed = self.malformed or not (self._begun or self._finishes or self.error)
        for index in self._begun:
            self._finishes.setdefault(index, "STOP")
        return out

    def end(self) -> None:
        """The provider's connection has ended: a last event without its empty line counts if its JSON is whole."""
        if self._has_ended:
            return
        was_malformed = self.malformed
        self._late = self._take(self._frames.end())
        self.malformed = was_malformed
        self._has_ended = True

    def closing(self, metadata: bytes | None, billed: Usage | None = None) -> bytes:
        """The chunk that was held back. billed: told in the place of the provider's count when it is our own."""
        last = self._held
        if last and billed is not None and billed.estimated:
            last = with_value(last, b"usageMetadata", encoded(written(billed)))
        if last and metadata is not None:
            last = attach(last, metadata)
        return self._late + (self._framing.event(last) if last else b"") + self._framing.end()

    def cut(
        self,
        message: str,
        code: int | str,
        error_type: str,
        metadata: bytes | None,
        partial: Partial | None = None,
    ) -> bytes:
        """An error in the place of a chunk: the end of an answer that broke off."""
        document: dict[str, object] = {"error": broken_off(message, code, error_type, partial)}
        if metadata is not None:
            document["steelyard"] = Raw(metadata)
        return self._framing.event(msgspec.json.encode(document)) + self._framing.end()

    def _take(self, found: list[bytes]) -> bytes:
        return b"".join([self._read(payload) for payload in found])

    def _read(self, payload: bytes) -> bytes:
        """One chunk: it, or the one that was held back before it."""
        if self.error is not None:
            return b""
        chunk = read_chunk(payload)
        if chunk is None:
            self.malformed = True
            return b""
        if not self._note(chunk):
            return b""
        ready = self._framing.event(self._held) if self._held else b""
        self._held = payload if self._finishes else b""
        return ready if self._held else ready + self._framing.event(payload)

    def _note(self, chunk: Chunk) -> bool:
        """False for an error."""
        if bytes(chunk.error) not in NOTHING:
            self.error = bytes(chunk.error)
            return False
        self.provider_model = self.provider_model or chunk.model_version or ""
        if chunk.usage_metadata is not None:
            self._told = merged(self._told, chunk.usage_metadata)
            self.usage = read_usage(self._told)
        for place, candidate in enumerate(chunk.candidates or ()):
            self._note_candidate(candidate, place)
        if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason:
            self._finishes.setdefault(0, "PROHIBITED_CONTENT")
        return self.error is None

    def _note_candidate(self, candidate: Candidate, place: int) -> None:
        index = place if candidate.index is None else candidate.index
        self._begun.add(index)
        size = sum(map(self._size, candidate.content.parts or ())) if candidate.content else 0
        self._content_bytes += size
        self._content_chunks += size > 0
        self.started = self.started or size > 0
        if candidate.finish_reason:
            self._finishes[index] = candidate.finish_reason
            failure = failure_in(candidate.finish_reason, candidate.finish_message or "")
            if failure is not None and not self.started:
                self.error = failure  # a caller who has seen nothing is better served by another try

    def _size(self, part: Part) -> int:
        """Bytes of content."""
        if part.function_call is not None:
            self._has_calls = True
            return len(part.function_call.name or "") + len(bytes(part.function_call.args))
        if part.inline_data is not None:
            return len(part.inline_data.data or "")
        return bytes_of(part.text or "") + len(bytes(part.executable_code)) + len(bytes(part.code_execution_result))


def read_facts(body: bytes) -> AnswerFacts:
    """What a whole answer says about itself."""
    relay = StreamRelay()
    relay.feed_answer(body)
    return AnswerFacts(
        usage=relay.usage,
        finish=relay.finish,
        error=relay.error,
        empty=relay.empty,
        malformed=relay.malformed,
        model=relay.provider_model,
        output_tokens_estimate=relay.output_tokens_estimate,
    )
