"""Turns to messages, one each; results of tools one per call."""

from collections.abc import Iterator

from gateway.dialects.cohere.names import DIALECT
from gateway.dialects.cohere.written import (
    BlockOut,
    CallOut,
    FunctionCallOut,
    ImageOut,
    ImageUrlOut,
    MessageOut,
    TextOut,
    ThinkingOut,
)
from gateway.dialects.losses import Losses
from gateway.wire.conversation import (
    Conversation,
    Media,
    Opaque,
    Part,
    Refusal,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Turn,
)

ROLES = {"developer": "system", "tool": "user"}
FAILED = "The tool failed: "  # the format has no other way to say so
CACHES = "Cohere caches the beginnings of prompts by itself and takes no marks"


class MessageWriter:
    """Writes the turns of one conversation. thinks: the model has thoughts, so it takes them back as such."""

    def __init__(self, thinks: bool, losses: Losses) -> None:
        self._thinks = thinks
        self._losses = losses

    def write(self, conversation: Conversation) -> list[MessageOut]:
        return [message for number, turn in enumerate(conversation.turns) for message in self._turn(turn, number)]

    def _turn(self, turn: Turn, number: int) -> Iterator[MessageOut]:
        if turn.name:
            self._losses.add_in_turn(number, "name", "Cohere has no names of participants")
        for part in turn.parts:
            self._note(part, number)
            if isinstance(part, ToolResult):
                yield self._result(part, number)
        role = ROLES.get(turn.role, turn.role)
        message = self._assistant(turn, number) if role == "assistant" else MessageOut(role)
        blocks = [block for part in turn.parts for block in self._blocks(part, number, role)]
        message.content = plain(blocks)
        if message.content is not None or message.tool_calls or message.tool_plan:
            yield message

    def _assistant(self, turn: Turn, number: int) -> MessageOut:
        """With its calls. A model that does not think has a plan before them, and no place for thoughts elsewhere."""
        calls = [part for part in turn.parts if isinstance(part, ToolCall)]
        message = MessageOut("assistant")
        message.tool_calls = [CallOut(call.id, FunctionCallOut(call.name, arguments(call))) for call in calls] or None
        thoughts = [part for part in turn.parts if isinstance(part, Thought) and part.text and not part.origin]
        if thoughts and not self._thinks:
            if calls:
                message.tool_plan = "\n".join(thought.text for thought in thoughts)
            else:
                self._losses.add_in_turn(number, "reasoning", "this model takes no thoughts back")
        return message

    def _blocks(self, part: Part, number: int, role: str) -> Iterator[BlockOut]:
        if isinstance(part, Text | Refusal):
            if part.text:
                yield TextOut(part.text)
        elif isinstance(part, Thought):
            if part.origin:
                self._losses.add_in_turn(number, "reasoning", f"a thought that {part.origin} sealed means nothing here")
            elif part.text and self._thinks:
                yield ThinkingOut(part.text)
        elif isinstance(part, Media):
            yield from self._media(part, number, role)

    def _media(self, media: Media, number: int, role: str) -> Iterator[ImageOut]:
        address = address_of(media)
        if media.kind != "image":
            self._losses.add_in_turn(number, media.kind, f"Cohere takes no {media.kind} in a message")
        elif role != "user":
            self._losses.add_in_turn(number, "image", f"a message of the {role} holds no image here")
        elif not address:
            self._losses.add_in_turn(number, "image", "an image uploaded elsewhere cannot be read by this provider")
        else:
            yield ImageOut(ImageUrlOut(address, media.detail or None))

    def _result(self, result: ToolResult, number: int) -> MessageOut:
        for part in result.parts:
            if isinstance(part, Media):
                self._losses.add_in_turn(number, part.kind, "a tool's result holds only text here")
        texts = [part.text for part in result.parts if isinstance(part, Text)]
        content = (FAILED if result.is_error else "") + "\n".join(texts)
        return MessageOut("tool", content, tool_call_id=result.call_id)

    def _note(self, part: Part, number: int) -> None:
        """What has no place in any message."""
        if getattr(part, "cache", None) is not None:
            self._losses.add("cache_control", CACHES)
        if isinstance(part, Text) and any(citation.origin != DIALECT for citation in part.citations):
            self._losses.add_in_turn(number, "annotations", "sources of what was said before cannot be told")
        elif isinstance(part, ToolCall) and part.signature:
            self._losses.add_in_turn(number, "tool_calls", f"a signature of {part.origin or 'another family'} is lost")
        elif isinstance(part, Opaque):
            self._losses.add_in_turn(number, part.what, "only its own format has it")


def plain(blocks: list[BlockOut]) -> str | list[BlockOut] | None:
    """A single text as it is, which every model takes."""
    if len(blocks) == 1 and isinstance(blocks[0], TextOut):
        return blocks[0].text
    return blocks or None


def arguments(call: ToolCall) -> str:
    return call.arguments if call.arguments.strip() else "{}"


def address_of(media: Media) -> str:
    """Images travel as data in the address, or by it."""
    if media.data:
        return f"data:{media.media_type or 'image/png'};base64,{media.data}"
    return media.url
