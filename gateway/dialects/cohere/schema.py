"""An answer as it comes, whole or in events, as far as anybody reads it. Everything may be missing."""

import msgspec
from msgspec import Raw, Struct


class Source(Struct, frozen=True, gc=False):
    """Where a citation comes from: a document, or what a tool said."""

    type: str | None = None
    id: str | None = None
    document: Raw = Raw()
    tool_output: Raw = Raw()


class CitationMember(Struct, frozen=True, gc=False):
    start: int | None = None
    end: int | None = None
    text: str | None = None
    sources: list[Source] | None = None
    type: str | None = None


class Function(Struct, frozen=True, gc=False):
    name: str | None = None
    arguments: str | None = None


class Call(Struct, frozen=True, gc=False):
    id: str | None = None
    function: Function | None = None


class Block(Struct, frozen=True, gc=False):
    """A piece of content: `text` or `thinking` says which."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None


class LogprobItem(Struct, frozen=True, gc=False):
    """Some tokens: their text together, the probability of each."""

    text: str | None = None
    logprobs: list[float] | None = None


class Message(Struct, frozen=True, gc=False):
    """Whole, or what an event says of one: lists there are single values here."""

    content: Block | list[Block] | str | None = None
    tool_plan: str | None = None
    tool_calls: Call | list[Call] | None = None
    citations: Raw = Raw()


class Tokens(Struct, frozen=True, gc=False):
    """Numbers come with a decimal point."""

    input_tokens: float | None = None
    output_tokens: float | None = None


class UsageMember(Struct, frozen=True, gc=False):
    billed_units: Tokens | None = None
    tokens: Tokens | None = None
    cached_tokens: float | None = None


class EventDelta(Struct, frozen=True, gc=False):
    message: Message | None = None
    finish_reason: str | None = None
    usage: UsageMember | None = None
    error: str | None = None


class Event(Struct, frozen=True, gc=False):
    type: str = ""
    id: str | None = None
    index: int | None = None
    delta: EventDelta | None = None
    logprobs: LogprobItem | None = None


class AnswerMember(Struct, frozen=True, gc=False):
    """A whole answer."""

    id: str | None = None
    message: Message | str | None = None
    finish_reason: str | None = None
    usage: UsageMember | None = None
    logprobs: list[LogprobItem] | None = None


EVENT = msgspec.json.Decoder(Event)
ANSWER = msgspec.json.Decoder(AnswerMember)
CITATIONS = msgspec.json.Decoder(list[Raw])
CITATION = msgspec.json.Decoder(CitationMember)
