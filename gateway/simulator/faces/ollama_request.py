"""A request to Ollama's chat API.

Source: ollama/ollama, docs/openapi.yaml, and ollama-python 0.6.3, read 2026-11-23.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from gateway.simulator.chat import Chat, Message, Part, ResponseFormat, Tool, Wanted
from gateway.simulator.extras import Extras
from gateway.simulator.faces.reading import IMAGE, decoded, shaped


class CalledFunction(Struct, frozen=True):
    name: str
    arguments: dict[str, object]


class Call(Struct, frozen=True):
    function: CalledFunction
    id: str = ""


class Said(Struct, frozen=True):
    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[Call] | None = None
    tool_name: str | None = None


class Options(Struct, frozen=True):
    """Others are accepted and of no effect."""

    num_predict: int | None = None
    seed: int | None = None
    stop: list[str] | None = None
    temperature: float | None = None


class OllamaRequest(Struct, frozen=True, kw_only=True):
    """Members that it does not know, Ollama ignores. Nothing can force a call. It streams unless told not to."""

    model: str
    messages: Raw
    stream: bool = True
    tools: Raw = Raw(b"null")
    format: Literal["", "json"] | dict[str, object] | None = None
    think: bool | Literal["low", "medium", "high"] | None = None
    options: Options | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None


REQUEST = msgspec.json.Decoder(OllamaRequest)
MESSAGES = msgspec.json.Decoder(Annotated[list[Said], Meta(min_length=1)])
TOOLS = msgspec.json.Decoder(list[Tool] | None)


def read_ollama(body: bytes) -> Chat:
    """The request, or a Refusal."""
    request = decoded(REQUEST, body)
    messages, tools = decoded(MESSAGES, request.messages), decoded(TOOLS, request.tools) or []
    prompt = bytes(request.messages) + (bytes(request.tools) if tools else b"")
    extras = Extras(logprobs=bool(request.logprobs), top_logprobs=request.top_logprobs or 0)
    return Chat(wanted(request), [message_of(message) for message in messages], tools, prompt, extras)


def wanted(request: OllamaRequest) -> Wanted:
    options = request.options or Options()
    limit = options.num_predict
    return Wanted(
        model=request.model,
        stream=request.stream,
        max_tokens=limit if limit is not None and limit > 0 else None,
        stop=options.stop,
        seed=options.seed,
        response_format=format_of(request.format),
        reasoning_effort=effort_of(request.think),
    )


def format_of(told: Literal["", "json"] | dict[str, object] | None) -> ResponseFormat | None:
    if isinstance(told, dict):
        return shaped(told)
    return ResponseFormat("json_object") if told else None


def effort_of(think: bool | Literal["low", "medium", "high"] | None) -> str:
    """A model that can think does so unless told not to."""
    if isinstance(think, str):
        return think
    return "none" if think is False else "medium"


def message_of(message: Said) -> Message:
    images = [IMAGE for _ in message.images or ()]
    return Message(message.role, [Part("text", message.content), *images])
