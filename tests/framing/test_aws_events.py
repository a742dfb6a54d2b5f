"""AWS event streams: cut anywhere they mean the same, and no damaged byte goes unnoticed."""

import zlib

import pytest

from gateway.framing.aws_events import AwsEventParser, Message, write_message

FIRST = write_message({":event-type": "messageStart", ":message-type": "event"}, b'{"role":"assistant"}')
SECOND = write_message({":event-type": "contentBlockDelta"}, '{"delta":{"text":"héllo"}}'.encode())
EMPTY = write_message({}, b"")
STREAM = FIRST + SECOND + EMPTY
MESSAGES = [
    Message({":event-type": "messageStart", ":message-type": "event"}, b'{"role":"assistant"}'),
    Message({":event-type": "contentBlockDelta"}, '{"delta":{"text":"héllo"}}'.encode()),
    Message({}, b""),
]


def framed(headers: bytes, payload: bytes = b"") -> bytes:
    """A message with these bytes for headers, and checksums that are right."""
    head = (16 + len(headers) + len(payload)).to_bytes(4) + len(headers).to_bytes(4)
    text = head + zlib.crc32(head).to_bytes(4) + headers + payload
    return text + zlib.crc32(text).to_bytes(4)


def test_a_message_is_what_amazon_publishes_for_one() -> None:
    # Source: awslabs/aws-c-event-stream, test vector "payload_no_headers": the payload {'foo':'bar'} without headers.
    published = bytes.fromhex("0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936")
    assert AwsEventParser().feed(published) == [Message({}, b"{'foo':'bar'}")]
    assert write_message({}, b"{'foo':'bar'}") == published


@pytest.mark.parametrize("cut", range(1, len(STREAM)))
def test_a_stream_means_the_same_however_it_is_cut(cut: int) -> None:
    parser = AwsEventParser()
    assert parser.feed(STREAM[:cut]) + parser.feed(STREAM[cut:]) == MESSAGES
    assert (parser.pending_bytes, parser.damaged) == (0, "")


def test_a_stream_may_come_byte_by_byte() -> None:
    parser = AwsEventParser()
    assert [message for at in range(len(STREAM)) for message in parser.feed(STREAM[at : at + 1])] == MESSAGES


@pytest.mark.parametrize("place", range(len(SECOND)))
@pytest.mark.parametrize("bit", [0, 7])
def test_a_flipped_bit_is_damage_wherever_it_is(place: int, bit: int) -> None:
    flipped = bytearray(SECOND)
    flipped[place] ^= 1 << bit
    parser = AwsEventParser()
    assert parser.feed(FIRST + bytes(flipped) + FIRST) == MESSAGES[:1]
    assert "checksum" in parser.damaged
    assert parser.feed(FIRST) == []


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (b"\x01a\x00\x01b\x01\x01c\x02\x05\x01d\x03\x00\x01", {}),
        (b"\x01e\x04\x00\x00\x00\x01\x01f\x05" + bytes(8) + b"\x01g\x08" + bytes(8) + b"\x01h\x09" + bytes(16), {}),
        (b"\x01i\x06\x00\x02xy\x01j\x07\x00\x02xy", {"j": "xy"}),
    ],
)
def test_headers_of_every_type_are_understood_and_those_of_text_are_kept(headers: bytes, told: dict[str, str]) -> None:
    assert AwsEventParser().feed(framed(headers, b"p")) == [Message(told, b"p")]


@pytest.mark.parametrize(
    "headers", [b"\x05a", b"\x01a", b"\x01a\x0b", b"\x01a\x07\x00\x09x", b"\x01a\x07\x00", b"\x01\xff\x00"]
)
def test_headers_that_make_no_sense_are_damage(headers: bytes) -> None:
    parser = AwsEventParser()
    assert parser.feed(framed(headers)) == []
    assert parser.damaged == "the headers of a message cannot be read"


@pytest.mark.parametrize(("total", "headers"), [(15, 0), (16, 1), (200_000, 131_073), (99, 90)])
def test_a_length_that_cannot_be_is_damage(total: int, headers: int) -> None:
    head = total.to_bytes(4) + headers.to_bytes(4)
    parser = AwsEventParser()
    parser.feed(head + zlib.crc32(head).to_bytes(4))
    assert parser.damaged == "a message states a length that it cannot have"


def test_a_message_over_the_limit_is_not_waited_for() -> None:
    parser = AwsEventParser(max_message_bytes=100)
    assert parser.feed(write_message({}, b"x" * 200)[:12]) == []
    assert parser.damaged == "a message is over the size limit"
