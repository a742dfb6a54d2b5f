"""Turns to messages: one text each, pictures beside it, results of tools one per call."""

from collections.abc import Iterator

from gateway.dialects.arguments import WRAPPED, as_arguments
from gateway.dialects.losses import Losses
from gateway.dialects.ollama.written import CallOut, FunctionCallOut, MessageOut
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


class MessageWriter:
    """Writes the turns of one conversation."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._names: dict[str, str] = {}  # of the tools that were called, by the ids of the calls

    def write(self, conversation: Conversation) -> list[MessageOut]:
        return [message for number, turn in enumerate(conversation.turns) for message in self._turn(turn, number)]

    def _turn(self, turn: Turn, number: int) -> Iterator[MessageOut]:
        if turn.name:
            self._losses.add_in_turn(number, "name", "Ollama has no names of participants")
        message = MessageOut(ROLES.get(turn.role, turn.role), "")
        for part in turn.parts:
            self._note(part, number)
            if isinstance(part, ToolResult):
                yield self._result(part, number)
            else:
                self._add(message, part, number)
        if message.content or message.images or message.tool_calls or message.thinking:
            yield message

    def _add(self, message: MessageOut, part: Part, number: int) -> None:
        if isinstance(part, Text | Refusal):
            message.content = joined(message.content, part.text)
        elif isinstance(part, Media):
            message.images = [*(message.images or ()), *self._image(part, number)] or None
        elif isinstance(part, ToolCall):
            message.tool_calls = [*(message.tool_calls or ()), self._call(part, number)]
        elif isinstance(part, Thought):
            self._think(message, part, number)

    def _think(self, message: MessageOut, part: Thought, number: int) -> None:
        """Templates of models that do not think leave it out themselves."""
        if part.origin:
            self._losses.add_in_turn(number, "reasoning", f"a thought that {part.origin} sealed means nothing here")
        elif part.text:
            message.thinking = joined(message.thinking or "", part.text)

    def _image(self, media: Media, number: int) -> Iterator[str]:
        if media.kind != "image":
            self._losses.add_in_turn(number, media.kind, f"Ollama takes no {media.kind}")
        elif media.data:
            if media.detail in ("low", "high"):
                self._losses.add_in_turn(number, "image_url.detail", "images are read in one detail here")
            yield media.data
        elif media.url.startswith("data:"):
            yield media.url.partition(",")[2]
        else:
            self._losses.add_in_turn(number, "image", "Ollama fetches no images; it takes them as data only")

    def _call(self, call: ToolCall, number: int) -> CallOut:
        arguments, was_wrapped = as_arguments(call.arguments, call.is_custom)
        if was_wrapped:
            self._losses.add_in_turn(number, "tool_calls", WRAPPED)
        if call.signature:
            self._losses.add_in_turn(number, "tool_calls", f"a signature of {call.origin or 'another family'} is lost")
        self._names[call.id] = call.name
        return CallOut(call.id, FunctionCallOut(call.name, arguments))

    def _result(self, result: ToolResult, number: int) -> MessageOut:
        texts = [part.text for part in result.parts if isinstance(part, Text)]
        images = [data for part in result.parts if isinstance(part, Media) for data in self._image(part, number)]
        content = (FAILED if result.is_error else "") + "\n".join(texts)
        name = result.name or self._names.get(result.call_id, "")
        return MessageOut(
            "tool", content, images=images or None, tool_name=name or None, tool_call_id=result.call_id or None
        )

    def _note(self, part: Part, number: int) -> None:
        """What has no place in any message."""
        if getattr(part, "cache", None) is not None:
            self._losses.add("cache_control", "Ollama keeps the beginnings of prompts by itself and takes no marks")
        if isinstance(part, Text) and part.citations:
            self._losses.add_in_turn(number, "annotations", "sources of what was said before cannot be told")
        elif isinstance(part, Opaque):
            self._losses.add_in_turn(number, part.what, "only its own format has it")


def joined(before: str, text: str) -> str:
    return f"{before}\n{text}" if before and text else before or text
