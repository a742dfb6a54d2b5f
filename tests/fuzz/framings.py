"""Targets that cut bytes into frames."""

import zlib
from collections.abc import Callable
from typing import Any

from core import _scan_cy, _scan_np
from core.scan import Malformed
from gateway.framing.aws_events import AwsEventParser, Message, write_message
from gateway.framing.lines import LineParser
from gateway.framing.sse import MAX_STRAY_BYTES, Event, SseParser
from tests.framing.test_sse_properties import standard
from tests.fuzz.seeds import CASES, chat_streams, given, recorded
from tests.fuzz.target import Target, bounded, halves

STREAMS = tuple(chat_streams()) + recorded("anthropic_messages") + recorded("openai_responses") + recorded("gemini")
MESSAGES = tuple(case.stream for case in CASES if (case.format, case.operation) == ("bedrock_converse", "read_stream"))
FRAME_LIMIT = 2_000  # bytes, for the scan of frames
MOST_VALUES = 100
KEYS = (b"model", b"choices", b"usage", b"stream")


def check_sse(data: bytes) -> None:
    """In one piece, in two and byte by byte: what the standard's own algorithm makes of the whole."""
    expected = standard(data)
    first, second = halves(data)
    pieces = SseParser()
    assert SseParser().feed(data) == expected
    assert pieces.feed(first) + pieces.feed(second) == expected
    assert len(pieces.stray) <= 2 * MAX_STRAY_BYTES + 1
    bounded(sum(len(event.name) + len(event.data) for event in expected) + pieces.pending_bytes, len(data), 1, 0)
    if len(data) < 300:
        assert singly(data) == expected


def singly(data: bytes) -> list[Event]:
    parser = SseParser()
    return [event for place in range(len(data)) for event in parser.feed(data[place : place + 1])]


def check_aws_events(data: bytes) -> None:
    """As it is, and with checksums that are right, so that headers are read whatever became of them."""
    for text in (data, resealed(data)):
        whole, pieces = AwsEventParser(), AwsEventParser()
        messages = whole.feed(text)
        first, second = halves(text)
        assert pieces.feed(first) + pieces.feed(second) == messages
        assert (pieces.damaged, pieces.pending_bytes) == (whole.damaged, whole.pending_bytes)
        bounded(sum(map(size_of, messages)) + whole.pending_bytes, len(text), 1, 0)
        assert AwsEventParser().feed(b"".join(map(rewritten, messages))) == messages


def size_of(message: Message) -> int:
    return len(message.payload) + sum(
        len(name.encode()) + len(value.encode()) for name, value in message.headers.items()
    )


def rewritten(message: Message) -> bytes:
    return write_message(message.headers, message.payload)


def resealed(data: bytes) -> bytes:
    """One message whose headers are the bytes behind its prelude, as many as it says or as there are."""
    body = data[12:-4]
    stated = int.from_bytes(data[4:8])
    size = stated if stated <= len(body) else len(body)
    lengths = (len(body) + 16).to_bytes(4) + size.to_bytes(4)
    text = lengths + zlib.crc32(lengths).to_bytes(4) + body
    return text + zlib.crc32(text).to_bytes(4)


def check_lines(data: bytes) -> None:
    """In two pieces what they are in one."""
    whole, pieces = LineParser(), LineParser()
    first, second = halves(data)
    lines = whole.feed(data)
    assert pieces.feed(first) + pieces.feed(second) == lines
    last = whole.end()
    assert pieces.end() == last
    bounded(sum(map(len, lines)) + len(last), len(data), 1, 0)
    assert not any(b"\n" in line or not line for line in lines)


def check_scan(data: bytes) -> None:
    """The compiled twin says what the plain one says."""
    assert spans(_scan_cy.top_level_spans, data) == spans(_scan_np.top_level_spans, data)
    assert spans(_scan_cy.check_object, data) == spans(_scan_np.check_object, data)
    assert _scan_cy.scan_frames(data, 0, FRAME_LIMIT) == _scan_np.scan_frames(data, 0, FRAME_LIMIT)


def spans(scan: Callable[[bytes, Any], object], data: bytes) -> object:
    try:
        return scan(data, MOST_VALUES if scan.__name__ == "check_object" else KEYS)
    except Malformed:
        return None  # of two things that are wrong, the twins may name another one


TARGETS = (
    Target("framing.sse", check_sse, STREAMS),
    Target("framing.aws_events", check_aws_events, MESSAGES),
    Target("framing.lines", check_lines, recorded("ollama")),
    Target("framing.scan", check_scan, (*chat_streams(), *given("openai_chat", "read_request"))),
)
