"""Turns as items of a provider's request."""

from msgspec import UNSET

from gateway.dialects.contract import TargetManner
from gateway.dialects.losses import Losses
from gateway.dialects.responses.items import (
    CustomCallOut,
    CustomResultOut,
    FunctionCallOut,
    FunctionResultOut,
    InputPart,
    InputText,
    Item,
    MessageOut,
    OutputPart,
    OutputText,
    ReasoningOut,
    ReasoningText,
    RefusalPart,
    SummaryText,
)
from gateway.dialects.responses.media import breakpoint_of, written
from gateway.dialects.responses.names import DIALECT, FAMILY
from gateway.dialects.responses.namespaces import Place
from gateway.wire.conversation import (
    CacheMark,
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

PARTS = ("input_", "output_", "computer_screenshot")  # how the types of parts begin, which items are not
FOREIGN_THOUGHT = "only its maker takes it back"
NOT_SHOWN = "this format can't show it"
NO_MARKS = "the provider caches prompts by itself, without marks"
FAILED = "Error: "  # a result has no flag here; the model has to read it


class ItemsWriter:
    """Takes turns in order."""

    def __init__(self, manner: TargetManner, is_own: bool, places: dict[str, Place], losses: Losses) -> None:
        self._manner = manner
        self._family = manner.family or FAMILY
        self._takes_marks = is_own or "prompt_cache_breakpoint" in manner.extensions
        self._places = places
        self._losses = losses
        self._items: list[Item] = []
        self._custom_calls: set[str] = set()

    def take(self, turns: tuple[Turn, ...], first: int = 0) -> list[Item]:
        """All items of these turns. first: the number of the first one."""
        for number, turn in enumerate(turns, first):
            if turn.role == "assistant":
                self._assistant(turn, number)
            elif turn.role == "tool":
                self._results(turn, number)
            else:
                self._message(turn, number)
        return self._items

    def _message(self, turn: Turn, number: int) -> None:
        """What a user or developer says; items that are no message stand by themselves."""
        content: list[InputPart] = []
        for part in turn.parts:
            if isinstance(part, Opaque) and part.origin == DIALECT and not is_part(part):
                self._say(turn.role, content)
                content = []
                self._items.append(part.raw)
                continue
            shown = self._input_part(part, number)
            if shown is not None:
                content.append(shown)
        self._say(turn.role, content)

    def _say(self, role: str, content: list[InputPart]) -> None:
        if content:
            self._items.append(MessageOut(role, content))

    def _input_part(self, part: Part, number: int) -> InputPart | None:
        shown: InputPart | None = None
        if isinstance(part, Text):
            return InputText(part.text, breakpoint_of(self._mark(part.cache)))
        if isinstance(part, Refusal):
            return InputText(part.text)
        if isinstance(part, Media):
            shown = written(part, self._mark(part.cache))
        elif isinstance(part, Opaque) and part.origin == DIALECT:
            return part.raw
        if shown is None:
            self._losses.add_in_turn(number, what_is(part), NOT_SHOWN)
        return shown

    def _mark(self, mark: CacheMark | None) -> CacheMark | None:
        if mark is not None and not self._takes_marks:
            self._losses.add("cache_control", NO_MARKS)
            return None
        return mark

    def _assistant(self, turn: Turn, number: int) -> None:
        said: list[OutputPart] = []
        for part in turn.parts:
            spoken = self._output_part(part, number)
            item = self._item(part, number) if spoken is None else None
            if spoken is not None:
                said.append(spoken)
            elif item is not None:
                self._speak(said)
                said = []
                self._items.append(item)
        self._speak(said)

    def _output_part(self, part: Part, number: int) -> OutputPart | None:
        """None for what is no part of a message."""
        if isinstance(part, Text):
            own = [source.raw for source in part.citations if source.origin == DIALECT]
            if len(own) < len(part.citations):
                self._losses.add_in_turn(number, "citations", "a message of a request has no foreign sources")
            return OutputText(part.text, own)
        if isinstance(part, Refusal):
            return RefusalPart(part.text)
        return part.raw if isinstance(part, Opaque) and is_part(part) else None

    def _speak(self, said: list[OutputPart]) -> None:
        """By the book an assistant's parts need the id that they had; a string needs none."""
        only = said[0] if len(said) == 1 else None
        if isinstance(only, OutputText) and not only.annotations:
            self._items.append(MessageOut("assistant", only.text))
        elif said:
            self._items.append(MessageOut("assistant", said))

    def _item(self, part: Part, number: int) -> Item | None:
        """What an assistant did beside speaking."""
        if isinstance(part, ToolCall):
            return self._call(part)
        if isinstance(part, Thought):
            return self._thought(part, number)
        if isinstance(part, Opaque) and part.origin == DIALECT:
            return part.raw
        self._losses.add_in_turn(number, what_is(part), NOT_SHOWN)
        return None

    def _call(self, call: ToolCall) -> Item:
        if call.raw is not None:
            return call.raw
        place = self._places.get(call.name) or Place(call.name)
        namespace = place.namespace or UNSET
        if call.is_custom:
            self._custom_calls.add(call.id)
            return CustomCallOut(call.id, place.name, call.arguments, namespace)
        return FunctionCallOut(call.id, place.name, call.arguments or "{}", namespace)

    def _thought(self, thought: Thought, number: int) -> Item | None:
        """One that the target's family has hidden; a plain one where the target takes it."""
        summary = [SummaryText(thought.text)] if thought.text else []
        if thought.hidden and thought.origin == self._family:
            return ReasoningOut(summary, thought.id or UNSET, encrypted_content=thought.hidden)
        if thought.text and thought.origin == "" and "reasoning_text" in self._manner.extensions:
            return ReasoningOut([], content=[ReasoningText(thought.text)])
        self._losses.add_in_turn(number, "reasoning", FOREIGN_THOUGHT)
        return None

    def _results(self, turn: Turn, number: int) -> None:
        for part in turn.parts:
            if isinstance(part, ToolResult):
                self._items.append(part.raw if part.raw is not None else self._result(part, number))
            elif isinstance(part, Opaque) and part.origin == DIALECT:
                self._items.append(part.raw)
            else:
                self._losses.add_in_turn(number, what_is(part), NOT_SHOWN)

    def _result(self, result: ToolResult, number: int) -> Item:
        shown = [self._input_part(part, number) for part in result.parts]
        content: str | list[InputPart] = [part for part in shown if part is not None]
        only = content[0] if len(content) == 1 else InputText("") if not content else None
        if isinstance(only, InputText) and only.prompt_cache_breakpoint is None:
            content = FAILED + only.text if result.is_error else only.text
        elif result.is_error:
            content = [InputText(FAILED), *content]
        if result.is_custom or result.call_id in self._custom_calls:
            return CustomResultOut(result.call_id, content)
        return FunctionResultOut(result.call_id, content)


def is_part(part: Opaque) -> bool:
    """Whether it stands inside a message; if not, it is an item of its own."""
    return part.origin == DIALECT and part.what.startswith(PARTS)


def what_is(part: Part) -> str:
    """Its name in the report of a loss."""
    if isinstance(part, Media):
        return part.kind
    return part.what if isinstance(part, Opaque) else type(part).__name__.lower()
