"""A request to OpenAI's Chat Completions. Source: its API reference."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from gateway.simulator.chat import Chat, Message, Tool, Wanted, misread
from gateway.simulator.complaint import Refusal
from gateway.simulator.extras import Extras


class StreamOptions(Struct):
    """What a stream carries besides the answer."""

    include_usage: bool = False


class ChatRequest(Wanted, kw_only=True):
    """All fields but these and Wanted's are accepted and ignored, as providers do."""

    messages: Raw
    stream_options: StreamOptions | None = None
    tools: Raw = Raw(b"null")
    logprobs: bool | None = False
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = 0
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    models: Raw | UnsetType = UNSET  # a gateway's own field; a provider that gets it was sent too much


_REQUEST = msgspec.json.Decoder(ChatRequest)
_MESSAGES = msgspec.json.Decoder(Annotated[list[Message], Meta(min_length=1)])
_TOOLS = msgspec.json.Decoder(list[Tool] | None)


def read_chat(body: bytes) -> Chat:
    """The request, its messages and tools, or a `Refusal` with status 400."""
    try:
        request = _REQUEST.decode(body)
        messages = _MESSAGES.decode(request.messages)
        tools = _TOOLS.decode(request.tools) or []
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise misread(error) from error
    if request.models is not UNSET:
        raise Refusal(400, "Unrecognized request argument supplied: models", param="models")
    # Messages come first: a prompt cache keeps what begins alike, and a conversation grows at its end.
    prompt = bytes(request.messages) + bytes(request.tools) if tools else bytes(request.messages)
    usage = request.stream_options is not None and request.stream_options.include_usage
    return Chat(request, messages, tools, prompt, Extras(usage, bool(request.logprobs), request.top_logprobs or 0))
