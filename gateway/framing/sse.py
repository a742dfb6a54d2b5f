"""Server-sent events: bytes to events, however they are cut.

Source: WHATWG HTML, section 9.2, "Server-sent events", parsing and interpreting an event stream; read 2026-11-22.
"""

import re

from msgspec import Struct

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LINE_END = re.compile(rb"\r\n|\n|\r")
MAX_STRAY_BYTES = 64 * 2**10


class Event(Struct, frozen=True):
    """One event. `name` is b"" when the stream gave none; `data` has its lines joined by a line feed, still UTF-8."""

    name: bytes
    data: bytes


class SseParser:
    """Incremental parser, sans I/O. Comments, `id` and `retry` are understood and dropped: nobody reconnects here.

    stray: lines that are no field of an event stream, the first 64 KiB of them. The standard ignores them; some
    providers shed load by writing a bare JSON error there.
    """

    def __init__(self) -> None:
        self.stray = b""
        self._at_start = True
        self._ended_by_cr = False
        self._line = bytearray()  # no end of it seen yet
        self._name = b""
        self._data: list[bytes] = []
        self._data_bytes = 0

    @property
    def pending_bytes(self) -> int:
        """Bytes kept for an event that is not complete; 0 between events."""
        return len(self._line) + self._data_bytes + len(self._name)

    @property
    def unfinished_line(self) -> bytes:
        """The line whose end has not come yet."""
        return bytes(self._line)

    @property
    def unfinished_start(self) -> bytes:
        """The first byte of that line, for who looks at it with every chunk: the line may be long."""
        return bytes(self._line[:1])

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that the chunk completes. A half event stays until its empty line comes."""
        if self._ended_by_cr and chunk:
            chunk = chunk.removeprefix(b"\n")  # the other half of CRLF
            self._ended_by_cr = False
        searched = len(self._line)
        self._line += chunk
        if self._at_start and not self._skip_byte_order_mark():
            return []
        if LINE_END.search(self._line, searched) is None:
            return []
        text = bytes(self._line)
        self._ended_by_cr = text.endswith(b"\r")
        *lines, rest = LINE_END.split(text)
        self._line[:] = rest
        taken = (self._take_line(line) for line in lines)
        return [event for event in taken if event is not None]

    def _skip_byte_order_mark(self) -> bool:
        """False while the mark may still be coming."""
        if len(self._line) < 3 and BYTE_ORDER_MARK.startswith(self._line):
            return False
        if self._line.startswith(BYTE_ORDER_MARK):
            del self._line[:3]
        self._at_start = False
        return True

    def _take_line(self, line: bytes) -> Event | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._data_bytes += len(value) + 1
        elif field == b"event":
            self._name = value
        elif field not in (b"", b"id", b"retry") and len(self.stray) < MAX_STRAY_BYTES:
            self.stray += line[:MAX_STRAY_BYTES] + b"\n"
        return None

    def _dispatch(self) -> Event | None:
        """An event without data is no event."""
        event = Event(self._name, b"\n".join(self._data)) if self._data else None
        self._name = b""
        self._data.clear()
        self._data_bytes = 0
        return event
