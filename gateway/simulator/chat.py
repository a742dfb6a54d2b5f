"""A chat request as a provider reads it: decoded, checked against the model, or refused in OpenAI's words."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from gateway.simulator.models import SimOffer
from gateway.wire.ability import Ability

BYTES_PER_TOKEN = 4


class Refusal(Exception):
    """The request cannot be served; `body` is OpenAI's error document."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, "invalid_request_error", code=code, param=param)


def error_body(message: str, kind: str, *, code: str | int | None = None, param: str | None = None) -> bytes:
    """OpenAI's error document. Source: its API reference, "Error codes"."""
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


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


class StreamOptions(Struct):
    """What a stream carries besides the answer."""

    include_usage: bool = False


Count = Annotated[int, Meta(ge=1)]


class ChatRequest(Struct):
    """The fields that change a simulated answer; all others are accepted and ignored, as providers do."""

    model: str
    messages: Raw
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = 1
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    tools: Raw = Raw(b"null")
    tool_choice: Literal["none", "auto", "required"] | ForcedTool | None = None
    parallel_tool_calls: bool | None = True
    response_format: ResponseFormat | None = None
    logprobs: bool | None = False
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = 0
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    reasoning_effort: str | None = None
    models: Raw | UnsetType = UNSET  # a gateway's own field; a provider that gets it was sent too much

    @property
    def wanted_tokens(self) -> int | None:
        """The caller's limit of output tokens."""
        return self.max_completion_tokens if self.max_completion_tokens is not None else self.max_tokens


_REQUEST = msgspec.json.Decoder(ChatRequest)
_MESSAGES = msgspec.json.Decoder(Annotated[list[Message], Meta(min_length=1)])
_TOOLS = msgspec.json.Decoder(list[Tool] | None)


class Chat(Struct):
    """A request that could be read."""

    request: ChatRequest
    messages: list[Message]
    tools: list[Tool]
    prompt: bytes  # the raw messages and tools: what the model is shown

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
    def prompt_tokens(self) -> int:
        """Four bytes are a token."""
        return max(1, len(self.prompt) // BYTES_PER_TOKEN)


def read_chat(body: bytes) -> Chat:
    """The request, its messages and tools, or a `Refusal` with status 400."""
    try:
        request = _REQUEST.decode(body)
        messages = _MESSAGES.decode(request.messages)
        tools = _TOOLS.decode(request.tools) or []
    except msgspec.ValidationError as error:
        raise Refusal(400, f"Invalid request: {error}", code="invalid_type", param=_field(str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, f"We could not parse the JSON body of your request: {error}") from error
    if request.models is not UNSET:
        raise Refusal(400, "Unrecognized request argument supplied: models", param="models")
    # Messages come first: a prompt cache keeps what begins alike, and a conversation grows at its end.
    prompt = bytes(request.messages) + bytes(request.tools) if tools else bytes(request.messages)
    return Chat(request, messages, tools, prompt)


def check_abilities(chat: Chat, offer: SimOffer) -> None:
    """Refuse what this model cannot do, or cannot hold."""
    request, abilities = chat.request, offer.model.abilities
    if chat.tools and not abilities & Ability.TOOLS:
        raise _unsupported(offer, "tools", "tools")
    _check_tool_choice(chat)
    if request.logprobs and not abilities & Ability.LOGPROBS:
        raise _unsupported(offer, "logprobs", "logprobs")
    if _has_part(chat.messages, "image_url") and not abilities & Ability.IMAGES:
        raise _unsupported(offer, "image input", "messages")
    if request.response_format is not None:
        _check_format(request.response_format, offer)
    _check_lengths(chat, offer)


def _unsupported(offer: SimOffer, what: str, param: str) -> Refusal:
    message = f"The model `{offer.upstream_name}` does not support {what}."
    return Refusal(400, message, code="unsupported_parameter", param=param)


def _check_tool_choice(chat: Chat) -> None:
    if chat.forces_calls and not chat.callable_functions:
        message = "Invalid value for 'tool_choice': it forces a function that is not among the 'tools'."
        raise Refusal(400, message, code="invalid_value", param="tool_choice")


def _check_lengths(chat: Chat, offer: SimOffer) -> None:
    request, model = chat.request, offer.model
    if request.wanted_tokens is not None and request.wanted_tokens > model.max_output_tokens:
        raise Refusal(
            400,
            f"max_tokens is too large: {request.wanted_tokens}. `{offer.upstream_name}` supports at most "
            f"{model.max_output_tokens} completion tokens.",
            code="invalid_value",
            param="max_tokens",
        )
    tokens = chat.prompt_tokens
    if tokens > model.context_window:
        raise Refusal(
            400,
            f"This model's maximum context length is {model.context_window} tokens. However, your messages "
            f"resulted in {tokens} tokens. Please reduce the length of the messages.",
            code="context_length_exceeded",
            param="messages",
        )


def _check_format(wanted: ResponseFormat, offer: SimOffer) -> None:
    needed = {"text": Ability(0), "json_object": Ability.JSON_MODE, "json_schema": Ability.JSON_SCHEMA}[wanted.type]
    if offer.model.abilities & needed != needed:
        raise _unsupported(offer, f"response_format {wanted.type}", "response_format")
    if wanted.type == "json_schema" and wanted.json_schema is None:
        raise Refusal(400, "Missing required parameter: 'response_format.json_schema'.", param="response_format")


def _has_part(messages: list[Message], kind: str) -> bool:
    return any(
        part.type == kind for message in messages if isinstance(message.content, list) for part in message.content
    )


def _field(complaint: str) -> str | None:
    """The top-level field that msgspec names: "... - at `$.model`", "... missing required field `model`"."""
    quoted = complaint.split("`")[1::2]
    for name in reversed(quoted):
        field = name.removeprefix("$").lstrip(".").split(".")[0].split("[")[0]
        if field:
            return field
    return None
