"""The codec of two different formats: one is read into the common vocabulary, the other written from it."""

from collections.abc import Iterable

from msgspec.structs import replace

from gateway.dialects.answer import bytes_of, ended_without_content, tokens_of_bytes
from gateway.dialects.codec import AnswerFacts, Asked, Identity
from gateway.dialects.contract import Inbound, Outbound, Outgoing, StreamReader, StreamWriter, TargetManner
from gateway.dialects.gathering import Gathering
from gateway.wire.delta import (
    Began,
    CallArguments,
    CallBegan,
    Delta,
    Failure,
    Finish,
    MediaDelta,
    RefusalDelta,
    TextDelta,
    ThoughtDelta,
    ThoughtSealed,
    Usage,
    UsageReport,
)
from gateway.wire.partial import Partial


class Translation:
    """Callers of one format, providers of another."""

    def __init__(self, inbound: Inbound, outbound: Outbound) -> None:
        self._inbound = inbound
        self._outbound = outbound

    def request(self, asked: Asked, manner: TargetManner) -> Outgoing:
        """The caller's request in the provider's format."""
        return self._outbound.write_request(asked.conversation, manner)

    def relay(self, asked: Asked, model: str) -> "TranslatedStream":
        """For a stream."""
        writer = self._inbound.stream_writer(asked.conversation, asked.prompt.wants_usage)
        return TranslatedStream(self._outbound, writer, asked.identity, model)

    def answer(self, body: bytes, asked: Asked, model: str) -> tuple[AnswerFacts, bytes]:
        """What a whole answer says, and the same in the caller's format."""
        account, gathering = Account(asked.identity, model), Gathering()
        gathering.take(account.take(self._outbound.read_answer(body)))
        facts = account.facts()
        if facts.error is not None or facts.malformed or facts.empty:
            return facts, b""
        return facts, self._inbound.write_answer(gathering.answer(), facts.usage, asked.conversation)


class Account:
    """What the Deltas of one answer add up to, as far as anybody but the caller wants to know."""

    def __init__(self, identity: Identity, model: str) -> None:
        self.started = False
        self.finish = ""
        self.usage: Usage | None = None
        self.error: bytes | None = None
        self.model = ""
        self._identity = identity
        self._asked_model = model
        self._has_begun = False
        self._open: set[int] = set()  # indexes of choices
        self._finished: set[int] = set()
        self._pieces = 0
        self._bytes = 0

    def take(self, deltas: Iterable[Delta]) -> list[Delta]:
        """Note them. Returns those that the caller gets: nothing behind a failure, and who answers before all else."""
        taken: list[Delta] = []
        for delta in deltas:
            if self.error is not None:
                break
            if isinstance(delta, Failure):
                self.error = delta.error
                break
            if not self._has_begun:
                self._has_begun = True
                began = self._named(delta if isinstance(delta, Began) else Began())
                self.model = began.model
                taken.append(began)
            if not isinstance(delta, Began):
                self._note(delta)
                taken.append(delta)
        return taken

    def _named(self, began: Began) -> Began:
        """With what its format does not say: Cohere and Converse name no model, others no time."""
        identity = self._identity
        return replace(
            began,
            id=began.id or identity.id,
            model=began.model or self._asked_model,
            created=began.created or identity.created,
        )

    def _note(self, delta: Delta) -> None:
        if isinstance(delta, UsageReport):
            self.usage = delta.usage
        elif isinstance(delta, Finish):
            self._finished.add(delta.choice)
            if delta.choice == 0 or not self.finish:
                self.finish = delta.reason
        else:
            size = size_of(delta)
            self._open.add(getattr(delta, "choice", 0))
            self._bytes += size
            self._pieces += size > 0
            self.started = self.started or size > 0

    @property
    def complete(self) -> bool:
        """Whether every choice has finished, and nothing went wrong."""
        return bool(self._finished) and self._open <= self._finished and self.error is None

    @property
    def empty(self) -> bool:
        """Whether it finished well without any content, which no model means to do."""
        return self.complete and not self.started and ended_without_content(self.finish, self.usage)

    @property
    def output_tokens_estimate(self) -> int:
        """Our own count: a token per piece at least, a token per four bytes otherwise."""
        return max(self._pieces, tokens_of_bytes(self._bytes))

    def facts(self) -> AnswerFacts:
        """Of a whole answer."""
        return AnswerFacts(
            usage=self.usage,
            finish=self.finish,
            error=self.error,
            empty=self.empty,
            malformed=self.error is None and not self._has_begun,
            model=self.model,
            output_tokens_estimate=tokens_of_bytes(self._bytes),
        )


class TranslatedStream:
    """A Relay, see `dialects.codec`."""

    def __init__(self, outbound: Outbound, writer: StreamWriter, identity: Identity, model: str) -> None:
        self._outbound = outbound
        self._reader: StreamReader = outbound.stream_reader()
        self._writer = writer
        self._account = Account(identity, model)
        self._late = b""
        self._is_stray = False

    @property
    def started(self) -> bool:
        return self._account.started

    @property
    def finish(self) -> str:
        return self._account.finish

    @property
    def usage(self) -> Usage | None:
        return self._account.usage

    @property
    def error(self) -> bytes | None:
        return self._account.error

    @property
    def done(self) -> bool:
        return self._reader.done

    @property
    def malformed(self) -> bool:
        return self._reader.malformed or self._is_stray

    @property
    def oversized(self) -> bool:
        return self._reader.oversized

    @property
    def complete(self) -> bool:
        return self._account.complete and not self.oversized

    @property
    def empty(self) -> bool:
        return self._account.empty

    @property
    def output_tokens_estimate(self) -> int:
        return self._account.output_tokens_estimate

    @property
    def provider_model(self) -> str:
        return self._account.model

    def feed(self, chunk: bytes) -> bytes:
        """What may go to the caller now."""
        deltas = self._reader.feed(chunk)
        return self._write(deltas) if deltas else b""

    def feed_answer(self, body: bytes) -> bytes:
        """A whole answer in the place of a stream."""
        deltas = self._outbound.read_answer(body)
        self._is_stray = not deltas
        return self._write(deltas)

    def end(self) -> None:
        """The provider's connection has ended."""
        self._late += self._write(self._reader.end())

    def _write(self, deltas: list[Delta]) -> bytes:
        return self._writer.write(self._account.take(deltas))

    def closing(self, metadata: bytes | None, billed: Usage | None = None) -> bytes:
        """The end of a whole answer. billed: told in the place of the provider's count when it is our own estimate."""
        usage = billed if billed is not None and billed.estimated else self.usage
        return self._late + self._writer.closing(metadata, usage)

    def cut(
        self,
        message: str,
        code: int | str,
        error_type: str,
        metadata: bytes | None,
        partial: Partial | None = None,
    ) -> bytes:
        """The end of an answer that broke off."""
        return self._writer.cut(message, code, error_type, metadata, partial)


def size_of(delta: Delta) -> int:
    """Bytes of content that a caller would see; 0 when there are none."""
    if isinstance(delta, TextDelta | ThoughtDelta | RefusalDelta | CallArguments):
        return bytes_of(delta.text)
    if isinstance(delta, CallBegan):
        return len(delta.name)
    if isinstance(delta, MediaDelta):
        return len(delta.data)
    return len(delta.hidden) if isinstance(delta, ThoughtSealed) else 0
