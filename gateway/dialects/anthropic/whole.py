"""A whole answer as the events of a stream that says the same."""

import msgspec
from msgspec import Raw

from gateway.dialects.anthropic.events import BLOCK, MESSAGE, AnswerBlock
from gateway.dialects.anthropic.frames import event
from gateway.dialects.anthropic.schema import is_absent

MEMBERS = msgspec.json.Decoder(dict[str, Raw])
BLOCK_START = b'{"type":"content_block_start","index":%d,"content_block":%s}'
BLOCK_DELTA = b'{"type":"content_block_delta","index":%d,"delta":%s}'
BLOCK_STOP = b'{"type":"content_block_stop","index":%d}'
NULL = Raw(b"null")

encode = msgspec.json.encode


def answer_as_events(body: bytes) -> bytes:
    """b"" when it is no answer of this format."""
    try:
        message = MESSAGE.decode(body)
        members = MEMBERS.decode(body)
        if message.content is None or not is_absent(message.error) or message.type not in ("message", ""):
            return b""
        blocks = [events_of_block(index, raw) for index, raw in enumerate(message.content)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b""
    end = {"stop_reason": message.stop_reason or "end_turn", "stop_sequence": message.stop_sequence}
    if "stop_details" in members:
        end |= {"stop_details": members["stop_details"]}  # type: ignore[dict-item]
    usage = members.get("usage", Raw(b'{"output_tokens":0}'))
    start = members | {"content": Raw(b"[]"), "stop_reason": NULL, "stop_sequence": NULL, "usage": usage}
    return b"".join(
        [
            event(b"message_start", encode({"type": "message_start", "message": start})),
            *blocks,
            event(b"message_delta", encode({"type": "message_delta", "delta": end, "usage": usage})),
            event(b"message_stop", b'{"type":"message_stop"}'),
        ]
    )


def events_of_block(index: int, raw: Raw) -> bytes:
    """Its start without the contents that come in pieces, those as one piece each, its stop."""
    block = BLOCK.decode(raw)
    emptied, deltas = pieces_of(block, MEMBERS.decode(raw))
    return b"".join(
        [
            event(b"content_block_start", BLOCK_START % (index, encode(emptied))),
            *(event(b"content_block_delta", BLOCK_DELTA % (index, encode(delta))) for delta in deltas),
            event(b"content_block_stop", BLOCK_STOP % index),
        ]
    )


def pieces_of(block: AnswerBlock, members: dict[str, Raw]) -> tuple[dict[str, Raw], list[dict[str, object]]]:
    """The members at the start, and the deltas. Blocks of other types come whole at once."""
    empty = Raw(b'""')
    deltas: list[dict[str, object]] = []
    if block.type == "text":
        members = {name: raw for name, raw in members.items() if name != "citations"} | {"text": empty}
        deltas += ({"type": "citations_delta", "citation": citation} for citation in block.citations or ())
        deltas.append({"type": "text_delta", "text": block.text or ""})
    elif block.type == "thinking":
        members = members | {"thinking": empty, "signature": empty}
        if block.thinking:
            deltas.append({"type": "thinking_delta", "thinking": block.thinking})
        deltas.append({"type": "signature_delta", "signature": block.signature or ""})
    elif block.type == "tool_use":
        members = members | {"input": Raw(b"{}")}
        deltas.append({"type": "input_json_delta", "partial_json": bytes(block.input).decode() or "{}"})
    return members, deltas
