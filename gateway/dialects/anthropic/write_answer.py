"""A whole answer in the caller's format."""

import msgspec
from msgspec import Struct

from gateway.dialects.anthropic.answer_blocks import StopDetailsOut, blocks_of, shows_thoughts
from gateway.dialects.anthropic.names import stop_of
from gateway.dialects.anthropic.usage import UsageOut, usage_out
from gateway.dialects.anthropic.written import BlockOut
from gateway.wire.conversation import Answer, AnswerChoice, Conversation, ToolCall
from gateway.wire.delta import Usage


class MessageDocument(Struct, frozen=True, tag_field="type", tag="message"):
    """The same members, null or not, whatever happened: clients read them without asking."""

    id: str
    model: str
    content: list[BlockOut]
    stop_reason: str | None
    stop_sequence: str | None
    usage: UsageOut
    role: str = "assistant"
    stop_details: StopDetailsOut | None = None


def write_answer(answer: Answer, usage: Usage | None, conversation: Conversation) -> bytes:
    """The first choice; the format knows no other."""
    choice = answer.choices[0] if answer.choices else AnswerChoice((), "stop")
    shows = shows_thoughts(conversation)
    stop_reason = stop_of(choice.finish, choice.stop_sequence, any(isinstance(part, ToolCall) for part in choice.parts))
    return msgspec.json.encode(
        MessageDocument(
            id=answer.id,
            model=answer.model,
            content=[block for part in choice.parts for block in blocks_of(part, shows)],
            stop_reason=stop_reason,
            stop_sequence=choice.stop_sequence or None,
            usage=usage_out(usage),
            stop_details=StopDetailsOut() if stop_reason == "refusal" else None,
        )
    )
