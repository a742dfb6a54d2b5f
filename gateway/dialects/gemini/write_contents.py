"""Turns to Gemini's contents: user and model in turn, results with the calls they answer."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from gateway.dialects.gemini.media import DIALECT, written
from gateway.dialects.gemini.model import Model
from gateway.dialects.gemini.names import encoded
from gateway.dialects.gemini.schema import Content, FunctionCall, FunctionResponse, Part, ResponsePart
from gateway.dialects.gemini.signatures import HOME, NOT_FROM_GEMINI
from gateway.dialects.losses import Losses
from gateway.wire import conversation
from gateway.wire.conversation import Conversation, Media, Opaque, Refusal, Text, Thought, ToolCall, ToolResult, Turn

OBJECT = msgspec.json.Decoder(dict[str, Raw])

WirePart = Part | Raw


class ContentsWriter:
    """Takes turns in order. system: what stands apart from the contents."""

    def __init__(self, origin: str, model: Model, family: str, losses: Losses) -> None:
        self.system: list[WirePart] = []
        self._contents: list[tuple[str, list[WirePart]]] = []
        self._is_own = origin == DIALECT
        self._model = model
        self._reads_signatures = family in ("", HOME)
        self._losses = losses
        self._calls: dict[str, ToolCall] = {}
        self._order: dict[str, int] = {}  # of calls, by their ids

    def take(self, turn: Turn, number: int) -> None:
        """number: its place in the conversation."""
        if turn.name:
            self._losses.add_in_turn(number, "name", "Gemini has no names of participants")
        parts = [written for part in turn.parts for written in self._written(part, number)]
        if turn.role in ("system", "developer"):
            if not self._contents:
                self.system += parts
                return
            self._losses.add_in_turn(
                number, "role", "Gemini takes system messages only before the others; told as the user's"
            )
        self._add("model" if turn.role == "assistant" else "user", parts)

    def contents(self) -> list[dict[str, object]]:
        """Never empty: a system message alone is told as the user's."""
        if not self._contents:
            self._add("user", self.system or [Part(text="")])
            self.system = []
        return [{"role": role, "parts": self._finished(role, parts)} for role, parts in self._contents]

    def _add(self, role: str, parts: list[WirePart]) -> None:
        """To the last message if that is of the same role."""
        if not parts:
            return
        if self._contents and self._contents[-1][0] == role:
            self._contents[-1][1].extend(parts)
        else:
            self._contents.append((role, parts))

    def _finished(self, role: str, parts: list[WirePart]) -> Sequence[WirePart]:
        """Results come before all else and in the order of their calls; of parallel calls the first one is signed."""
        if role == "user":
            return sorted(parts, key=self._place)
        for number, part in enumerate(parts):
            if isinstance(part, Part) and part.function_call is not None:
                if self._model.wants_signatures and not part.thought_signature:
                    parts[number] = msgspec.structs.replace(part, thought_signature=NOT_FROM_GEMINI)
                break
        return parts

    def _place(self, part: WirePart) -> float:
        if isinstance(part, Part) and part.function_response is not None:
            return self._order.get(part.function_response.id or "", len(self._order))
        return float("inf")

    def _written(self, part: conversation.Part, number: int) -> list[WirePart]:
        self._note_losses(part, number)
        if isinstance(part, Text | Refusal):
            return [Part(text=part.text)] if part.text else []
        if isinstance(part, Media):
            return [part.raw] if self._is_own and part.raw is not None else [*self._media(part, number)]
        if isinstance(part, Thought):
            return self._thought(part, number)
        if isinstance(part, ToolCall):
            return [self._call(part, number)]
        if isinstance(part, ToolResult):
            return self._result(part, number)
        return self._opaque(part, number)

    def _note_losses(self, part: conversation.Part, number: int) -> None:
        if getattr(part, "cache", None) is not None:
            self._losses.add("cache_control", "Gemini caches the beginnings of prompts by itself and takes no marks")
        if isinstance(part, Text) and part.citations:
            self._losses.add_in_turn(number, "citations", "Gemini takes no citations in what was said before")

    def _media(self, media: Media, number: int) -> list[Part]:
        part = written(media)
        if part is None:
            where = f"is an upload at {media.origin}" if media.file_id else "has neither data nor an address"
            self._losses.add_in_turn(number, media.kind, f"the {media.kind} {where}, which Gemini cannot open")
            return []
        if media.detail in ("low", "high"):
            self._losses.add_in_turn(number, f"{media.kind}.detail", "Gemini takes no detail of a single picture")
        if media.name:
            self._losses.add_in_turn(number, f"{media.kind}.name", "Gemini takes no names of files")
        return [part]

    def _thought(self, thought: Thought, number: int) -> list[WirePart]:
        """One that another maker sealed is not for Google's eyes: it would be refused, or believed to be its own."""
        if thought.origin == HOME and self._reads_signatures:
            is_said = True if thought.text else None
            return [Part(text=thought.text, thought=is_said, thought_signature=thought.signature or None)]
        if thought.origin:
            self._losses.add_in_turn(
                number, "reasoning", f"{thought.origin} sealed this thought; Gemini would refuse it"
            )
            return []
        return [Part(text=thought.text, thought=True)] if thought.text else []

    def _call(self, call: ToolCall, number: int) -> Part:
        self._calls[call.id] = call
        if not call.is_custom and call.arguments.strip() and as_object(call.arguments) is None:
            self._losses.add_in_turn(number, "tool_calls", "arguments that are no JSON object were wrapped in one")
        self._order[call.id] = len(self._order)
        return call_part(call, call.signature if call.origin == HOME and self._reads_signatures else "")

    def _result(self, result: ToolResult, number: int) -> list[WirePart]:
        """Pictures go inside the response, or beside it where the model knows no better."""
        call = self._calls.get(result.call_id)
        name = result.name or (call.name if call else "") or "unknown"
        text = "\n".join(part.text for part in result.parts if isinstance(part, Text))
        shown = [part for part in result.parts if isinstance(part, Media)]
        media = [part for item in shown for part in self._media(item, number)]
        inside = [ResponsePart(part.inline_data, part.file_data) for part in media]
        response = FunctionResponse(
            result.call_id or None,
            name,
            output_of(text, result.is_error),
            inside if inside and self._model.shows_media_to_calls else None,
        )
        return [Part(function_response=response), *(() if self._model.shows_media_to_calls else media)]

    def _opaque(self, part: Opaque, number: int) -> list[WirePart]:
        if part.origin == DIALECT:
            return [part.raw]
        self._losses.add_in_turn(number, part.what, f"only {part.origin} knows what {part.what} means")
        return []


def call_part(call: ToolCall, signature: str) -> Part:
    """A call whole, as this API has them."""
    function = FunctionCall(call.id or None, call.name, arguments_of(call.arguments, call.is_custom))
    return Part(function_call=function, thought_signature=signature or None)


def arguments_of(text: str, is_custom: bool) -> Raw:
    """An object, whatever the model wrote: text that is none becomes a member of one."""
    if not is_custom:
        if not text.strip():
            return Raw(b"{}")
        raw = as_object(text)
        if raw is not None:
            return raw
    return encoded({"input" if is_custom else "arguments": text})


def output_of(text: str, is_error: bool) -> Raw:
    """What a function said: an object as it is, all else under the names that Google has for it."""
    if is_error:
        return encoded({"error": text})
    return as_object(text) or encoded({"output": text})


def as_object(text: str) -> Raw | None:
    """The text as JSON, if it is an object."""
    if not text.lstrip().startswith("{"):
        return None
    raw = text.encode()
    try:
        OBJECT.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    return Raw(raw)


def write_contents(
    conversation: Conversation, model: Model, family: str, losses: Losses
) -> tuple[Content | None, list[dict[str, object]]]:
    """The system instruction and the contents."""
    writer = ContentsWriter(conversation.origin, model, family, losses)
    for number, turn in enumerate(conversation.turns):
        writer.take(turn, number)
    contents = writer.contents()
    return system_content(writer.system), contents


def system_content(parts: list[WirePart]) -> Content | None:
    texts = [part for part in parts if isinstance(part, Part)]
    return Content(texts) if texts else None
