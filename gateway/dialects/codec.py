"""How a request of one format reaches a provider of the same or another, and how the answer comes back.

A pair of equal formats is spliced: bytes go through as they are. Every other pair is translated by way of the
vocabulary in `wire.conversation` and `wire.delta`. Execution does not know the difference.
"""

from typing import Protocol, cast

from msgspec import Struct
from msgspec.structs import replace

from gateway.dialects.contract import CallerFormat, Inbound, Outgoing, TargetManner
from gateway.wire.conversation import Conversation, Thought, ToolCall
from gateway.wire.delta import Usage
from gateway.wire.partial import Partial
from gateway.wire.prompt import Prompt

# What a body that holds a sealed thought holds too: cheaper to look for than to read a long conversation in full.
SEAL_MARKS: dict[str, tuple[bytes, ...]] = {
    "openai_chat": (b'"reasoning_details"', b"thought_signature"),
    "openai_responses": (b"encrypted_content",),
    "anthropic_messages": (b'"signature"', b'"redacted_thinking"'),
    "gemini": (b"thoughtSignature", b"thought_signature"),
}
SHORTEST_ANSWERED = 2  # messages of a conversation in which a model has spoken


class AnswerFacts(Struct, frozen=True):
    """What a whole answer says about itself.

    `error` is its error object; `empty`: it ended well, but without content; `malformed`: it is no answer of the
    provider's format.
    """

    usage: Usage | None = None
    finish: str = ""
    error: bytes | None = None
    empty: bool = False
    malformed: bool = False
    model: str = ""
    output_tokens_estimate: int = 0


class Identity(Struct, frozen=True):
    """What an answer is called where the provider does not say."""

    id: str
    created: int  # Unix seconds


class Asked(Struct):
    """One request: the view that routing has of it and, once somebody needs it, all of it."""

    prompt: Prompt
    inbound: CallerFormat
    identity: Identity
    _conversation: Conversation | None = None

    @property
    def conversation(self) -> Conversation:
        """Read once, however many targets are tried. Only of a format of conversations."""
        if self._conversation is None:
            whole = cast("Inbound", self.inbound).read_request(self.prompt.body)
            self._conversation = replace(whole, stream=self.prompt.stream)
        return self._conversation

    @property
    def makers(self) -> frozenset[str]:
        """The families whose sealed thoughts the conversation carries; none other can make sense of those."""
        marks = SEAL_MARKS.get(self.inbound.name, ())
        if self.prompt.message_count < SHORTEST_ANSWERED or not any(mark in self.prompt.body for mark in marks):
            return frozenset()
        parts = [part for turn in self.conversation.turns for part in turn.parts]
        sealed = (part for part in parts if isinstance(part, Thought | ToolCall) and is_sealed(part))
        return frozenset(part.origin for part in sealed if part.origin)


def is_sealed(part: Thought | ToolCall) -> bool:
    """Whether it carries something that only its maker can read or prove."""
    return bool(part.signature or (isinstance(part, Thought) and part.hidden))


class Relay(Protocol):
    """A provider's stream on its way to the caller, sans I/O: `feed` every chunk, `end`, then `closing` or `cut`."""

    @property
    def started(self) -> bool:
        """Whether real content has been seen; a role or an empty delta is none."""
        ...

    @property
    def finish(self) -> str:
        """The reason of the first choice, "" until it came."""
        ...

    @property
    def usage(self) -> Usage | None:
        """The provider's count, the last one wins."""
        ...

    @property
    def error(self) -> bytes | None:
        """The provider's error object; nothing behind it is forwarded."""
        ...

    @property
    def done(self) -> bool:
        """Whether the provider has said that it is through."""
        ...

    @property
    def malformed(self) -> bool:
        """Whether an event was not of the provider's format; it was dropped."""
        ...

    @property
    def oversized(self) -> bool:
        """Whether an event was too long; nothing more is forwarded."""
        ...

    @property
    def complete(self) -> bool:
        """Whether every choice has finished, and nothing went wrong."""
        ...

    @property
    def empty(self) -> bool:
        """Whether it finished well without any content, which no model means to do."""
        ...

    @property
    def output_tokens_estimate(self) -> int: ...

    @property
    def provider_model(self) -> str:
        """The model as the provider names it; "" when it does not."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """What may go to the caller now."""
        ...

    def feed_answer(self, body: bytes) -> bytes:
        """The same for a whole answer: some servers send one whatever was asked for."""
        ...

    def end(self) -> None:
        """The provider's connection has ended; it may be told twice."""
        ...

    def closing(self, metadata: bytes | None, billed: Usage | None = None) -> bytes: ...

    def cut(
        self,
        message: str,
        code: int | str,
        error_type: str,
        metadata: bytes | None,
        partial: Partial | None = None,
    ) -> bytes: ...


class Codec(Protocol):
    """One pair of formats, the caller's and the provider's."""

    def request(self, asked: Asked, manner: TargetManner) -> Outgoing:
        """What the provider gets."""
        ...

    def relay(self, asked: Asked, model: str) -> Relay:
        """For a stream. model: who is asked, as the provider calls it, for answers that do not say."""
        ...

    def answer(self, body: bytes, asked: Asked, model: str) -> tuple[AnswerFacts, bytes]:
        """What a whole answer says, and the same as the caller gets it; b"" when it is none. model: as for `relay`."""
        ...
