"""A request as a simulated model sees it, whatever format it came in. The words are Chat Completions'."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from gateway.simulator.complaint import Refusal
from gateway.simulator.extras import Extras

BYTES_PER_TOKEN = 4


class Part(Struct):
    """One part of a message's content: its kind, and its text if it is one."""

    type: str
    text: str | None = None


class Message(Struct):
    """One message, as far as a simulated model looks at it."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def texts(self) -> list[str]:
        """What it says, part by part."""
        if isinstance(self.content, list):
            return [part.text for part in self.content if part.text]
        return [self.content] if self.content else []

    @property
    def is_result(self) -> bool:
        """Whether it brings what a tool returned."""
        return self.role in ("tool", "function")


def last_turn(messages: list[Message]) -> list[Message]:
    """What was said since the assistant spoke last; agents put words of their own beside a tool's result."""
    spoken = [row for row, message in enumerate(messages) if message.role == "assistant"]
    return messages[spoken[-1] + 1 :] if spoken else messages


class Function(Struct):
    """A tool's name and the schema of its arguments."""

    name: Annotated[str, Meta(min_length=1)]
    parameters: dict[str, object] = {}


class Tool(Struct):
    """Tools of other types than "function" are accepted and never called."""

    type: str
    function: Function | None = None


class Named(Struct):
    """The function that `tool_choice` forces."""

    name: str


class ForcedTool(Struct):
    """`tool_choice` when it is an object."""

    type: str
    function: Named | None = None


class JsonSchema(Struct):
    """The answer's shape, as the caller names it."""

    name: str = ""
    schema: dict[str, object] = {}


class ResponseFormat(Struct):
    """text, json_object, or json_schema with its schema."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


Count = Annotated[int, Meta(ge=1)]


class Wanted(Struct, kw_only=True):
    """The fields that change a simulated answer."""

    model: str
    stream: bool | None = False
    n: Annotated[int, Meta(ge=1, le=128)] | None = 1
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    tool_choice: Literal["none", "auto", "required"] | ForcedTool | None = None
    parallel_tool_calls: bool | None = True
    response_format: ResponseFormat | None = None
    reasoning_effort: str | None = None

    @property
    def wanted_tokens(self) -> int | None:
        """The caller's limit of output tokens."""
        return self.max_completion_tokens if self.max_completion_tokens is not None else self.max_tokens


class Chat(Struct):
    """A request that could be read."""

    request: Wanted
    messages: list[Message]
    tools: list[Tool]
    prompt: bytes  # the raw messages and tools: what the model is shown
    extras: Extras = Extras()

    @property
    def forces_calls(self) -> bool:
        """Whether the caller leaves no choice but to call."""
        choice = self.request.tool_choice
        return choice == "required" or (isinstance(choice, ForcedTool) and choice.function is not None)

    @property
    def callable_functions(self) -> list[Function]:
        """The functions that may be called."""
        choice = self.request.tool_choice
        functions = [tool.function for tool in self.tools if tool.function is not None]
        if choice == "none":
            return []
        if isinstance(choice, ForcedTool) and choice.function is not None:
            return [function for function in functions if function.name == choice.function.name]
        return functions

    @property
    def beginning(self) -> str:
        """What the answer begins with: the caller's last message, when he wrote it for the assistant."""
        last = self.messages[-1] if self.messages else None
        return "".join(last.texts) if last is not None and last.role == "assistant" else ""

    @property
    def prompt_tokens(self) -> int:
        """Four bytes are a token."""
        return max(1, len(self.prompt) // BYTES_PER_TOKEN)


def misread(error: Exception) -> Refusal:
    """What to say of a body that could not be decoded."""
    if isinstance(error, msgspec.ValidationError):
        return Refusal(400, f"Invalid request: {error}", code="invalid_type", param=field_named(str(error)))
    return Refusal(400, f"We could not parse the JSON body of your request: {error}")


def field_named(complaint: str) -> str | None:
    """The top-level field that msgspec names: "... - at `$.model`", "... missing required field `model`"."""
    quoted = complaint.split("`")[1::2]
    for name in reversed(quoted):
        field = name.removeprefix("$").lstrip(".").split(".")[0].split("[")[0]
        if field:
            return field
    return None
