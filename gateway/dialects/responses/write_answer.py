"""A whole answer in the caller's format: the response that its stream would end with."""

from collections.abc import Iterator

from msgspec import Raw

from gateway.dialects.responses.write_stream import StreamWriter
from gateway.wire.conversation import (
    Answer,
    AnswerChoice,
    Conversation,
    Media,
    Opaque,
    Part,
    Refusal,
    Text,
    Thought,
    ToolCall,
)
from gateway.wire.delta import (
    Began,
    CallArguments,
    CallBegan,
    CitationDelta,
    Delta,
    Finish,
    MediaDelta,
    OpaqueDelta,
    RefusalDelta,
    TextDelta,
    ThoughtDelta,
    ThoughtSealed,
    Usage,
)


def write_answer(answer: Answer, usage: Usage | None, conversation: Conversation) -> bytes:
    """The first choice; the format knows no other."""
    choice = answer.choices[0] if answer.choices else AnswerChoice((), "stop")
    writer = StreamWriter(conversation)
    writer.write([Began(answer.id, answer.model, answer.created)])
    writer.write(deltas_of(choice))
    writer.write([Finish(choice.finish, stop_sequence=choice.stop_sequence)])
    writer.closing(None, usage)
    return writer.response


def deltas_of(choice: AnswerChoice) -> Iterator[Delta]:
    """The same as a stream would say. The tokens belong to the first text."""
    logprobs = choice.logprobs
    for number, part in enumerate(choice.parts):
        yield from deltas_of_part(number, part, logprobs)
        if isinstance(part, Text) and part.text:
            logprobs = None


def deltas_of_part(number: int, part: Part, logprobs: Raw | None) -> Iterator[Delta]:
    """number: of a call, if it is one."""
    if isinstance(part, Text):
        yield TextDelta(part.text, logprobs=logprobs)
        yield from (CitationDelta(citation) for citation in part.citations)
    elif isinstance(part, Refusal):
        yield RefusalDelta(part.text)
    elif isinstance(part, Thought):
        yield ThoughtDelta(part.text)
        yield ThoughtSealed(part.signature, part.hidden, part.origin, part.id)
    elif isinstance(part, ToolCall):
        yield CallBegan(number, part.id, part.name, 0, part.is_custom, part.signature, part.origin)
        yield CallArguments(number, part.arguments)
    elif isinstance(part, Media) and part.kind == "image":
        yield MediaDelta(part.media_type, part.data)
    elif isinstance(part, Opaque):
        yield OpaqueDelta(part.origin, part.raw, part.what)
