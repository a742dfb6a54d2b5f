"""Turns as messages of a provider's request."""

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from gateway.dialects.chat.custom import wrapped
from gateway.dialects.chat.ids import call_id_told
from gateway.dialects.chat.marks import control_of
from gateway.dialects.chat.reasoning import ReasoningDetail, details_of
from gateway.dialects.chat.request_schema import CacheControl
from gateway.dialects.chat.target import Target
from gateway.dialects.chat.write_content import Content, ContentWriter, PartOut
from gateway.dialects.losses import Losses
from gateway.dialects.seals import sealed
from gateway.wire.conversation import Media, Opaque, Part, Refusal, Text, Thought, ToolCall, ToolResult, Turn

GOOGLE = "google"
FOREIGN_SEAL = "only its maker can read it"
NOT_TAKEN_BACK = "the provider takes no earlier reasoning back"
FAILED = "Error: "  # a result has no flag here; the model has to read it


class CalledFunctionOut(Struct, frozen=True, gc=False):
    name: str
    arguments: str


class CalledCustomOut(Struct, frozen=True, gc=False):
    name: str
    input: str


class CallOut(Struct, frozen=True, gc=False):
    id: str
    type: str
    function: CalledFunctionOut | UnsetType = UNSET
    custom: CalledCustomOut | UnsetType = UNSET
    extra_content: dict[str, dict[str, str]] | UnsetType = UNSET


class MessageOut(Struct, frozen=True, gc=False):
    role: str
    content: Content | None
    name: str | UnsetType = UNSET
    tool_call_id: str | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    reasoning: str | UnsetType = UNSET
    reasoning_details: list[ReasoningDetail] | UnsetType = UNSET
    refusal: str | UnsetType = UNSET
    audio: Raw | UnsetType = UNSET
    tool_calls: list[CallOut] | UnsetType = UNSET
    cache_control: CacheControl | UnsetType = UNSET


class MessagesWriter:
    """Takes turns in order. Images in results wait until all results are told: only users show images here."""

    def __init__(self, target: Target, losses: Losses) -> None:
        self.messages: list[MessageOut] = []
        self._target = target
        self._losses = losses
        self._contents = ContentWriter(target, losses)
        self._waiting: list[Part] = []

    def take(self, turns: tuple[Turn, ...]) -> list[MessageOut]:
        """All messages of a conversation."""
        for number, turn in enumerate(turns):
            if turn.role == "tool":
                for part in turn.parts:
                    if isinstance(part, ToolResult):
                        self._result(part, number)
                continue
            self._show_waiting(number)
            name = turn.name or UNSET
            if turn.role == "assistant":
                self.messages.append(self._assistant(turn, number))
            else:
                is_renamed = turn.role == "developer" and not self._target.has_all_of_openai
                role = "system" if is_renamed else turn.role
                self.messages.append(MessageOut(role, self._contents.content(list(turn.parts), number), name))
        self._show_waiting(len(turns))
        return self.messages

    def _assistant(self, turn: Turn, number: int) -> MessageOut:
        if len(turn.parts) == 1:
            only = turn.parts[0]
            if isinstance(only, Text) and only.cache is None and not only.citations:
                return MessageOut("assistant", only.text, turn.name or UNSET)
        thoughts = [part for part in turn.parts if isinstance(part, Thought)]
        calls = [self._call(part, number) for part in turn.parts if isinstance(part, ToolCall)]
        said: list[Part] = []
        refusal, audio = "", None
        for part in turn.parts:
            if isinstance(part, Refusal):
                refusal += part.text
            elif isinstance(part, Opaque) and part.what == "audio" and self._target.is_callers_format:
                audio = part.raw
            elif isinstance(part, Media):
                self._losses.add_in_turn(number, part.kind, "an assistant's message holds only text")
            elif not isinstance(part, Thought | ToolCall | ToolResult):
                said.append(part)
        if refusal and not self._target.has_all_of_openai:
            said.append(Text(refusal))
            refusal = ""
        if any(isinstance(part, Text) and part.citations for part in said):
            self._losses.add_in_turn(number, "citations", "a message of a request has no sources")
        content = self._contents.content(said, number)
        message = MessageOut(
            "assistant",
            content if content or not (calls or refusal or audio) else None,
            turn.name or UNSET,
            refusal=refusal or UNSET,
            audio=audio or UNSET,
            tool_calls=calls or UNSET,
        )
        return self._with_thoughts(message, thoughts, number)

    def _with_thoughts(self, message: MessageOut, thoughts: list[Thought], number: int) -> MessageOut:
        """Words and seals, each by the name that the target takes; a seal only if its own family made it."""
        target = self._target
        own = [thought for thought in thoughts if target.is_callers_format or thought.origin == target.manner.family]
        details = details_of(own) if target.takes("reasoning_details") else []
        sealed_count = sum(bool(thought.signature or thought.hidden) for thought in thoughts)
        if sealed_count > len({detail.index for detail in details}):
            self._losses.add_in_turn(number, "signature", FOREIGN_SEAL)
        text = "".join(thought.text for thought in thoughts)
        if target.takes("reasoning_content"):
            # DeepSeek answers 400 when it is missing beside calls, even if nothing was thought.
            # Source: api-docs.deepseek.com/guides/thinking_mode, read 2026-11-23.
            is_needed = message.tool_calls is not UNSET and not target.is_callers_format
            words = text if text or is_needed else UNSET
            return replace(message, reasoning_content=words, reasoning_details=details or UNSET)
        if target.takes("reasoning_details"):
            return replace(message, reasoning=text or UNSET, reasoning_details=details or UNSET)
        if text:
            self._losses.add_in_turn(number, "reasoning", NOT_TAKEN_BACK)
        return message

    def _call(self, call: ToolCall, number: int) -> CallOut:
        extra: dict[str, dict[str, str]] | UnsetType = UNSET
        if call.signature:
            if self._target.is_callers_format or call.origin == self._target.manner.family == GOOGLE:
                extra = {GOOGLE: {"thought_signature": sealed(call.signature, call.origin, GOOGLE)}}
            else:
                self._losses.add_in_turn(number, "signature", FOREIGN_SEAL)
        call_id = self._id(call.id)
        if call.is_custom and self._target.has_all_of_openai:
            return CallOut(call_id, "custom", custom=CalledCustomOut(call.name, call.arguments))
        arguments = wrapped(call.arguments) if call.is_custom else call.arguments or "{}"
        return CallOut(call_id, "function", CalledFunctionOut(call.name, arguments), extra_content=extra)

    def _result(self, result: ToolResult, number: int) -> None:
        shown: list[Part] = list(result.parts)
        media = [part for part in result.parts if isinstance(part, Media)]
        if media and not self._target.is_callers_format:
            shown = [part for part in result.parts if isinstance(part, Text)]
            shown = shown or [Text("The next message shows what this call returned.")]
            self._waiting += [Text(f"Shown by tool call {result.call_id}:"), *media]
        content = self._contents.content(shown, number)
        if result.is_error:
            content = failed(content)
        name = result.name if result.name and self._target.is_callers_format else UNSET
        mark = control_of(result.cache, self._target, self._losses)
        self.messages.append(MessageOut("tool", content, name, self._id(result.call_id), cache_control=mark))

    def _id(self, call_id: str) -> str:
        return call_id if self._target.is_callers_format else call_id_told(call_id, self._target.manner)

    def _show_waiting(self, number: int) -> None:
        if self._waiting:
            self.messages.append(MessageOut("user", self._contents.content(self._waiting, number)))
            self._waiting = []


def failed(content: Content) -> Content:
    """The content of a result, saying first that the tool has failed."""
    if isinstance(content, list):
        return [PartOut("text", FAILED), *content]
    return content if content.startswith(FAILED) else FAILED + content
