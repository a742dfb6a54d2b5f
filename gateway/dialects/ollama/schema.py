"""An answer, whole or a line of a stream, as far as anybody reads it. Everything may be missing."""

import msgspec
from msgspec import Raw, Struct


class Function(Struct, frozen=True, gc=False):
    name: str | None = None
    arguments: Raw = Raw()


class Call(Struct, frozen=True, gc=False):
    """It comes whole. Older servers give it no id."""

    id: str | None = None
    function: Function | None = None


class Message(Struct, frozen=True, gc=False):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Call] | None = None
    images: list[str] | None = None


class Line(Struct, frozen=True, gc=False):
    model: str | None = None
    created_at: str | None = None
    message: Message | None = None
    done: bool | None = None
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    logprobs: list[Raw] | None = None
    error: Raw = Raw()


LINE = msgspec.json.Decoder(Line)
