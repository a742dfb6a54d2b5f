"""AWS event streams: bytes to messages, however they are cut.

Four bytes of total length, four of the headers' length, their CRC-32; headers; payload; the CRC-32 of all before it.
Source: Smithy 2.0, "Amazon event stream specification", read 2026-11-23.
"""

import zlib
from struct import Struct as Layout

from msgspec import Struct

PRELUDE = Layout(">III")
CRC = Layout(">I")
SHORT = Layout(">H")
SMALLEST = PRELUDE.size + CRC.size
MAX_HEADER_BYTES = 128 * 2**10
MAX_MESSAGE_BYTES = 24 * 2**20 + MAX_HEADER_BYTES

# Bytes of a header's value by its type: true, false, byte, short, int, long, timestamp, UUID.
FIXED_BYTES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
BYTES, TEXT = 6, 7  # these two state their length


class Message(Struct, frozen=True):
    """One message. `headers` are those whose value is text; nothing else is used by the services that we ask."""

    headers: dict[str, str]
    payload: bytes


class AwsEventParser:
    """Incremental parser, sans I/O. damaged: what is wrong with the stream; nothing behind that is read.

    A damaged length says nothing of where the next message begins, so there is no going on behind it.
    """

    def __init__(self, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self.damaged = ""
        self._limit = max_message_bytes
        self._buffer = bytearray()

    @property
    def pending_bytes(self) -> int:
        """Bytes kept for a message that is not complete; 0 between messages."""
        return len(self._buffer)

    def feed(self, chunk: bytes) -> list[Message]:
        """The messages that the chunk completes."""
        messages: list[Message] = []
        self._buffer += chunk
        while not self.damaged and len(self._buffer) >= PRELUDE.size:
            total, header_bytes = self._prelude()
            if self.damaged or len(self._buffer) < total:
                break
            message = self._message(bytes(self._buffer[:total]), header_bytes)
            if message is not None:
                messages.append(message)
                del self._buffer[:total]
        return messages

    def _prelude(self) -> tuple[int, int]:
        """Length of the whole message and of its headers."""
        total, header_bytes, stated = PRELUDE.unpack_from(self._buffer)
        if zlib.crc32(self._buffer[: PRELUDE.size - CRC.size]) != stated:
            self.damaged = "the checksum of a message's length is wrong"
        elif total < SMALLEST + header_bytes or header_bytes > MAX_HEADER_BYTES:
            self.damaged = "a message states a length that it cannot have"
        elif total > self._limit:
            self.damaged = "a message is over the size limit"
        return total, header_bytes

    def _message(self, text: bytes, header_bytes: int) -> Message | None:
        body = len(text) - CRC.size
        if zlib.crc32(text[:body]) != CRC.unpack_from(text, body)[0]:
            self.damaged = "the checksum of a message is wrong"
            return None
        start = PRELUDE.size + header_bytes
        try:
            return Message(read_headers(text[PRELUDE.size : start]), text[start:body])
        except (ValueError, LookupError):
            self.damaged = "the headers of a message cannot be read"
            return None


def read_headers(text: bytes) -> dict[str, str]:
    """Those whose value is text. Raises ValueError or LookupError for what is no list of headers."""
    headers: dict[str, str] = {}
    place = 0
    while place < len(text):
        name_end = place + 1 + text[place]
        name, kind = text[place + 1 : name_end].decode(), text[name_end]
        start = name_end + 1
        if kind in (BYTES, TEXT):
            size = int.from_bytes(text[start : start + SHORT.size])
            start += SHORT.size
        else:
            size = FIXED_BYTES[kind]
        place = start + size
        if place > len(text):
            raise ValueError("a header is longer than all of them")
        if kind == TEXT:
            headers[name] = text[start:place].decode()
    return headers


def write_message(headers: dict[str, str], payload: bytes) -> bytes:
    """One message with these headers."""
    written = b"".join(
        bytes((len(name.encode()),)) + name.encode() + bytes((TEXT,)) + SHORT.pack(len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    lengths = (SMALLEST + len(written) + len(payload)).to_bytes(4) + len(written).to_bytes(4)
    text = lengths + CRC.pack(zlib.crc32(lengths)) + written + payload
    return text + CRC.pack(zlib.crc32(text))
