"""Custom tools, which take free text, where only functions exist: a function with one argument, `input`."""

import msgspec
from msgspec import Raw, Struct

from gateway.wire.conversation import Conversation

SCHEMA = Raw(b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}')


class Wrapped(Struct, frozen=True, gc=False):
    input: str = ""


WRAPPED = msgspec.json.Decoder(Wrapped)


def wrapped(text: str) -> str:
    """The arguments of the function."""
    return msgspec.json.encode(Wrapped(text)).decode()


def unwrapped(arguments: str) -> str:
    """The text for the custom tool; the arguments themselves where a model wrote them free-hand."""
    try:
        return WRAPPED.decode(arguments).input
    except msgspec.DecodeError:
        return arguments


def custom_names(conversation: Conversation) -> frozenset[str]:
    """The tools of the caller that take free text."""
    return frozenset(tool.name for tool in conversation.tools if tool.kind == "custom")
