"""The end of a stream, held back until the provider has said everything: finishes, usage, and then our own closing."""

import msgspec
from msgspec import Raw

from gateway.dialects.answer import as_events
from gateway.dialects.edits import attach
from gateway.wire.delta import Usage
from gateway.wire.openai_chat import Identity
from gateway.wire.partial import Partial

IDENTITY = msgspec.json.Decoder(Identity)
TEXT = msgspec.json.Decoder(str)
CHUNK_OBJECT = Raw(b'"chat.completion.chunk"')


class Tail:
    """What a stream will end with. Every chunk here is a JSON object, not yet an event.

    sample: a chunk of the stream, to take id, created and model from.
    finishes: choice index to the chunk that finishes it; a second finish of a choice takes the place of the first.
    """

    __slots__ = ("_usage_chunk", "_usage_json", "_wants_usage", "finishes", "sample")

    def __init__(self, wants_usage: bool) -> None:
        self.sample = b""
        self.finishes: dict[int, bytes] = {}
        self._wants_usage = wants_usage
        self._usage_chunk = b""
        self._usage_json = b""

    def hold_usage(self, report: bytes, chunk: bytes) -> None:
        """Keep the provider's `usage`, and the chunk that carried nothing else, if any. The last one wins."""
        self._usage_json = report
        self._usage_chunk = chunk

    def closing(self, metadata: bytes | None, billed: Usage | None) -> bytes:
        """The events that end a whole answer: one finish per choice, one usage if the caller wants it, [DONE]."""
        chunks = [self.finishes[index] for index in sorted(self.finishes)]
        usage = self._usage(billed) if self._wants_usage else b""
        if usage:
            chunks.append(usage)
        if metadata is not None and chunks:
            chunks[-1] = attach(chunks[-1], metadata)
        return as_events([*chunks, b"[DONE]"])

    def cut(
        self,
        message: str,
        code: int | str,
        error_type: str,
        metadata: bytes | None,
        partial: Partial | None = None,
    ) -> bytes:
        """The event that ends a broken answer."""
        chunk = self._chunk(
            choices=[{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
            error=error_member(message, code, error_type, partial),
        )
        return as_events([chunk if metadata is None else attach(chunk, metadata)])

    def model(self) -> str:
        """The model as the provider names it; "" when it does not."""
        try:
            return TEXT.decode(self._identity().model)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""

    def _usage(self, billed: Usage | None) -> bytes:
        """The chunk that tells usage; b"" when nobody counted."""
        if billed is not None and billed.estimated:
            return self._chunk(choices=[], usage=report_of(billed))
        if self._usage_chunk:
            return self._usage_chunk
        return self._chunk(choices=[], usage=Raw(self._usage_json)) if self._usage_json else b""

    def _chunk(self, **members: object) -> bytes:
        """A chunk of our own that looks like the stream's."""
        who = self._identity()
        head = {"id": who.id, "object": CHUNK_OBJECT, "created": who.created, "model": who.model}
        return msgspec.json.encode(head | members)

    def _identity(self) -> Identity:
        """As far as it can be read: what providers call themselves may be no text at all."""
        try:
            return IDENTITY.decode(self.sample) if self.sample else Identity()
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Identity()


def error_member(message: str, code: int | str, error_type: str, partial: Partial | None) -> dict[str, object]:
    """The error of a stream that broke off, in OpenAI's shape and with what a caller may go on from."""
    error: dict[str, object] = {"message": message, "type": error_type, "param": None, "code": code}
    return error if partial is None else {**error, "partial": partial}


def report_of(usage: Usage) -> dict[str, object]:
    """Our own count in OpenAI's shape, marked as such."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "estimated": True,
    }
