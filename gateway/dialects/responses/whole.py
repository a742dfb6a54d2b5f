"""A whole answer as the events of a stream that says the same."""

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from gateway.dialects.responses.events import ITEM, RESPONSE, ContentPart, OutputItem
from gateway.dialects.responses.read_answer import failure_of, is_answer
from gateway.dialects.responses.reading import MEMBERS, RAWS

EMPTY = {"content": b"[]", "summary": b"[]", "arguments": b'""', "input": b'""', "status": b'"in_progress"'}
NULL = Raw(b"null")
Members = dict[str, object]
Step = tuple[str, Members]  # type of an event, its members

IN_PIECES = ("output_text", "refusal", "reasoning_text")


def answer_as_events(body: bytes) -> bytes:
    """b"" when it is no answer of this format, or an error."""
    try:
        response = RESPONSE.decode(body)
        if not is_answer(response) or failure_of(response) is not None:
            return b""
        members = MEMBERS.decode(body)
        steps = list(steps_of(members, response.output or [], response.status or "completed"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b""
    return b"".join(event(kind, number, members) for number, (kind, members) in enumerate(steps))


def steps_of(response: dict[str, Raw], output: list[Raw], status: str) -> Iterator[Step]:
    begun = response | {"status": Raw(b'"in_progress"'), "output": Raw(b"[]"), "usage": NULL}
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    for place, raw in enumerate(output):
        yield from steps_of_item(place, raw)
    yield f"response.{status}", {"response": response}


def steps_of_item(place: int, raw: Raw) -> Iterator[Step]:
    """Its beginning without what comes in pieces, each of those as one piece, and all of it."""
    members = MEMBERS.decode(raw)
    try:
        item = ITEM.decode(raw)
    except msgspec.ValidationError:
        item = OutputItem()
    empty = {name: Raw(value) for name, value in EMPTY.items() if name in members}
    is_read = item.type in ("message", "reasoning", "function_call", "custom_tool_call")
    yield "response.output_item.added", {"output_index": place, "item": members | empty if is_read else raw}
    where: Members = {"item_id": item.id or "", "output_index": place}
    if item.type == "function_call":
        yield from steps_of_call("response.function_call_arguments", "arguments", item.arguments or "", where)
    elif item.type == "custom_tool_call":
        yield from steps_of_call("response.custom_tool_call_input", "input", item.input or "", where)
    elif is_read:
        for index, part in enumerate(item.summary or ()):
            yield from steps_of_summary(part, where | {"summary_index": index})
        raws = RAWS.decode(members["content"]) if item.content else []
        for index, (part, whole) in enumerate(zip(item.content or (), raws, strict=True)):
            yield from steps_of_part(part, whole, where | {"content_index": index})
    yield "response.output_item.done", {"output_index": place, "item": raw}


def steps_of_call(kind: str, member: str, text: str, where: Members) -> Iterator[Step]:
    yield f"{kind}.delta", where | {"delta": text}
    yield f"{kind}.done", where | {member: text}


def steps_of_summary(part: ContentPart, where: Members) -> Iterator[Step]:
    text = part.text or ""
    yield "response.reasoning_summary_part.added", where | {"part": {"type": "summary_text", "text": ""}}
    yield "response.reasoning_summary_text.delta", where | {"delta": text}
    yield "response.reasoning_summary_text.done", where | {"text": text}
    yield "response.reasoning_summary_part.done", where | {"part": {"type": "summary_text", "text": text}}


def steps_of_part(part: ContentPart, raw: Raw, where: Members) -> Iterator[Step]:
    """A text, a refusal or a thought."""
    member = "refusal" if part.type == "refusal" else "text"
    text = part.refusal if part.type == "refusal" else part.text
    tokens: Members = {"logprobs": part.logprobs or []} if part.type == "output_text" else {}
    empty = MEMBERS.decode(raw) | {member: Raw(b'""')}
    if "annotations" in empty:
        empty["annotations"] = Raw(b"[]")
    yield "response.content_part.added", where | {"part": empty}
    if part.type in IN_PIECES:
        yield f"response.{part.type}.delta", where | {"delta": text or ""} | tokens
        for number, annotation in enumerate(part.annotations or ()):
            cited = {"annotation_index": number, "annotation": annotation}
            yield "response.output_text.annotation.added", where | cited
        yield f"response.{part.type}.done", where | {member: text or ""} | tokens
    yield "response.content_part.done", where | {"part": raw}


def event(kind: str, number: int, members: Members) -> bytes:
    """Data is JSON, so a line feed in it is mere white space."""
    data = msgspec.json.encode({"type": kind, "sequence_number": number} | members)
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), data.replace(b"\n", b" ").replace(b"\r", b" "))
