"""What a wire format has to offer, in each direction. One package per format implements it.

caller   body ── read_request ──▶ Conversation ── write_request ──▶ body   provider
caller  bytes ◀── StreamWriter ── Delta… ◀─────── StreamReader ─── bytes   provider
caller   body ◀── write_answer ── Answer ◀─ gather ── read_answer ── body  provider
"""

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from gateway.errors import GatewayError
from gateway.wire.conversation import Answer, Conversation, Loss
from gateway.wire.delta import Delta, Usage
from gateway.wire.partial import Partial
from gateway.wire.prompt import Prompt


class Outgoing(Struct, frozen=True):
    """A request as the provider gets it, and what could not be said in its format."""

    body: bytes
    losses: tuple[Loss, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()  # that follow from the body: a beta flag


class TargetManner(Struct, frozen=True):
    """How one target wants to be spoken to: what a row of the provider table and a card of the catalog say."""

    model: str  # the provider's name for it
    provider: str = ""
    family: str = ""  # whose signatures it accepts: "anthropic", "google", "openai", …
    max_output_tokens: int = 0  # its limit, 0 when unknown; formats that require one use it
    stream_usage: bool = True
    drop_fields: tuple[str, ...] = ()
    max_tokens_field: str = ""
    is_reasoning: bool = False  # takes an effort or a budget
    beta: str = ""  # the caller's anthropic-beta header, where the target takes it
    extensions: tuple[str, ...] = ()  # members beyond its format's definition that it takes: "reasoning_content", …


class StreamReader(Protocol):
    """A provider's stream to Deltas, sans I/O. Split anywhere, the same bytes mean the same."""

    @property
    def done(self) -> bool:
        """The terminator has been seen; what follows is ignored."""
        ...

    @property
    def malformed(self) -> bool:
        """An event made no sense; it was dropped."""
        ...

    @property
    def oversized(self) -> bool:
        """An event was too long; nothing more is read."""
        ...

    def feed(self, chunk: bytes) -> list[Delta]: ...

    def end(self) -> list[Delta]:
        """The connection has ended: what a last event without its empty line still says."""
        ...


class StreamWriter(Protocol):
    """Deltas to a caller's stream. It holds back what ends an answer until `closing`, so there is one of each."""

    def write(self, deltas: Iterable[Delta]) -> bytes: ...

    def closing(self, metadata: bytes | None, usage: Usage | None) -> bytes:
        """Finishes, usage, terminator. metadata: JSON of the `steelyard` object."""
        ...

    def cut(
        self,
        message: str,
        code: int | str,
        error_type: str,
        metadata: bytes | None,
        partial: Partial | None = None,
    ) -> bytes:
        """The end of an answer that broke off: the official SDKs of this format raise on it.

        partial: becomes the member `partial` of the error.
        """
        ...


class CallerFormat(Protocol):
    """What everybody but a translator needs of a format that callers speak."""

    @property
    def name(self) -> str: ...

    def parse(self, body: bytes, default_model: str) -> Prompt:
        """The thin view that routing needs. Raises InvalidRequest in words of this format."""
        ...

    def attach(self, body: bytes, metadata: bytes) -> bytes:
        """The whole answer with its `steelyard` object."""
        ...

    def error_body(self, error: GatewayError, decision: str | None) -> bytes: ...


class Inbound(CallerFormat, Protocol):
    """A format of conversations that callers speak."""

    def read_request(self, body: bytes) -> Conversation:
        """All of it. Raises InvalidRequest."""
        ...

    def stream_writer(self, conversation: Conversation, wants_usage: bool) -> StreamWriter: ...

    def write_answer(self, answer: Answer, usage: Usage | None, conversation: Conversation) -> bytes: ...


class Outbound(Protocol):
    """A format that providers speak."""

    @property
    def name(self) -> str: ...

    def path(self, model: str, stream: bool) -> str:
        """Appended to the provider's base URL."""
        ...

    def write_request(self, conversation: Conversation, manner: TargetManner) -> Outgoing: ...

    def stream_reader(self) -> StreamReader: ...

    def read_answer(self, body: bytes) -> list[Delta]:
        """A whole answer as Deltas, Failure for an error inside it; empty when it is no answer of this format."""
        ...
