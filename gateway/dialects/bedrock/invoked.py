"""Claude on Bedrock: Anthropic's own events, each in base64 inside a message of an AWS event stream.

Source: Amazon Bedrock API reference, "InvokeModelWithResponseStream"; anthropic 2.12, lib/bedrock/_stream_decoder.py;
read 2026-11-23.
"""

import binascii
from base64 import b64decode

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.anthropic import MessagesOutbound
from gateway.dialects.anthropic.hosts import BEDROCK
from gateway.dialects.anthropic.read_stream import StreamReader
from gateway.dialects.anthropic.relay import StreamRelay
from gateway.dialects.anthropic.splice import MessagesSplice
from gateway.dialects.bedrock.names import damage_error
from gateway.dialects.bedrock.read_stream import exception_in
from gateway.dialects.codec import Asked
from gateway.framing.aws_events import AwsEventParser, Message
from gateway.framing.sse import Event, SseParser

DIALECT = "anthropic_bedrock"
FIRST_BYTE = b"\x00"  # the first byte of a message's length; whatever begins otherwise is no AWS event stream


class Chunk(Struct, frozen=True, gc=False):
    """The payload of a message: an event, in base64."""

    bytes: str = ""


class Named(Struct, frozen=True, gc=False):
    type: str = ""


CHUNK = msgspec.json.Decoder(Chunk)
NAMED = msgspec.json.Decoder(Named)


class InvokedParser(SseParser):
    """Reads AWS messages as the server-sent events that they stand for, and plain events as they are."""

    def __init__(self) -> None:
        super().__init__()
        self._messages = AwsEventParser()
        self._is_wrapped: bool | None = None  # None: nothing came yet
        self._has_failed = False

    @property
    def pending_bytes(self) -> int:
        return self._messages.pending_bytes if self._is_wrapped else super().pending_bytes

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that the chunk completes; an error, once, in the place of one that is damaged."""
        if self._is_wrapped is None and chunk:
            self._is_wrapped = chunk.startswith(FIRST_BYTE)
        if not self._is_wrapped:
            return super().feed(chunk)
        if self._has_failed:
            return []
        events = [event_in(message) for message in self._messages.feed(chunk)]
        if self._messages.damaged:
            self._has_failed = True
            events.append(error_event(damage_error(self._messages.damaged)))
        return events


def event_in(message: Message) -> Event:
    """A message that makes no sense becomes an event that makes none."""
    if message.headers.get(":message-type", "event") != "event":
        return error_event(exception_in(message))
    try:
        data = b64decode(CHUNK.decode(message.payload).bytes, validate=True)
        return Event(NAMED.decode(data).type.encode(), data)
    except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError, RecursionError):
        return Event(b"", message.payload or b"-")


def error_event(error: bytes) -> Event:
    return Event(b"error", msgspec.json.encode({"type": "error", "error": Raw(error)}))


class InvokedOutbound(MessagesOutbound):
    """An Outbound, see `dialects.contract`."""

    def __init__(self) -> None:
        super().__init__(BEDROCK, DIALECT)

    def stream_reader(self) -> StreamReader:
        return StreamReader(parser=InvokedParser())


class InvokedSplice(MessagesSplice):
    """The codec for callers who speak Anthropic's format themselves."""

    def __init__(self) -> None:
        super().__init__(BEDROCK)

    def relay(self, asked: Asked, model: str) -> StreamRelay:
        return StreamRelay(parser=InvokedParser())
