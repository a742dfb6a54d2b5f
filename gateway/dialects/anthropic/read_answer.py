"""A provider's whole answer to Deltas."""

import msgspec
from msgspec import Raw

from gateway.dialects.answer import stray_error
from gateway.dialects.anthropic.events import MESSAGE, BlockDelta, Event, MessageMember
from gateway.dialects.anthropic.names import FAMILY
from gateway.dialects.anthropic.read_stream import AnswerReader
from gateway.dialects.anthropic.schema import is_absent
from gateway.wire.delta import Delta, Failure


def read_answer(body: bytes, family: str = FAMILY) -> list[Delta]:
    """The same as its stream would say; a Failure for an error, nothing for what is no answer of this format."""
    try:
        message = MESSAGE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return failure_in(body)
    if not is_absent(message.error) or message.type == "error" or message.content is None:
        return failure_in(body)
    try:
        return deltas_of(message, message.content, AnswerReader(family))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


def deltas_of(message: MessageMember, content: list[Raw], reader: AnswerReader) -> list[Delta]:
    deltas = reader.read(Event("message_start", message=message))
    for index, block in enumerate(content):
        deltas += reader.read(Event("content_block_start", index, content_block=block))
        deltas += reader.read(Event("content_block_stop", index))
    end = BlockDelta(
        stop_reason=message.stop_reason or "end_turn",
        stop_sequence=message.stop_sequence,
        stop_details=message.stop_details,
    )
    return deltas + reader.read(Event("message_delta", delta=end))


def failure_in(body: bytes) -> list[Delta]:
    error = stray_error(body)
    return [] if error is None else [Failure(error)]
