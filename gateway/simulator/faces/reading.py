"""What the readers of all formats share: decoding, and the pieces of a Chat."""

from typing import TypeVar

import msgspec
from msgspec import Raw

from gateway.simulator.chat import ForcedTool, Function, JsonSchema, Named, Part, ResponseFormat, Tool, misread
from gateway.simulator.complaint import Refusal

Read = TypeVar("Read")
IMAGE = Part("image_url")  # whatever a format calls it; a model sees it or does not
OTHER = Part("file")


def decoded(decoder: "msgspec.json.Decoder[Read]", raw: bytes | Raw) -> Read:
    """`raw`, or a Refusal with status 400."""
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise misread(error) from error


def refused(message: str, param: str | None = None) -> Refusal:
    """An invalid request."""
    return Refusal(400, message, param=param)


def function_tool(name: str, parameters: dict[str, object] | None) -> Tool:
    return Tool("function", Function(name, parameters or {}))


def forced(name: str) -> ForcedTool:
    return ForcedTool("function", Named(name))


def shaped(schema: dict[str, object]) -> ResponseFormat:
    """An answer that keeps to `schema`."""
    return ResponseFormat("json_schema", JsonSchema("answer", schema))


def check_answered(called: set[str], answered: list[str], what: str) -> None:
    """Every call has exactly one result, and every result a call."""
    for call_id in answered:
        if call_id not in called:
            raise refused(f"{what}: the result `{call_id}` answers no call before it", "messages")
    missing = called - set(answered)
    if missing:
        raise refused(f"{what}: the call `{sorted(missing)[0]}` has no result after it", "messages")
