"""How a connection ends while its caller is still sending: say it, half-close, listen on for a while, then close.

Closing a socket that has unread bytes resets the connection, and a reset throws away the answer that the caller has not
read yet. So what is still on its way is received and dropped, within limits.
"""

import asyncio
from collections.abc import Iterable

# nginx's defaults: lingering_timeout 5 s without a byte, lingering_time 30 s in all.
# Source: nginx.org/en/docs/http/ngx_http_core_module.html, read 2026-11-23.
SILENT_SECONDS = 5.0
MOST_SECONDS = 30.0
MOST_BYTES = 268_435_456  # 256 MiB: whoever sends in one go eight times what the default limit allows is still told so


class Lingering(asyncio.Protocol):
    """Takes the connection over from `owner` and drops what arrives. One timer, which looks every `SILENT_SECONDS`."""

    def __init__(self, transport: asyncio.Transport, owner: asyncio.Protocol, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._owner = owner
        self._loop = loop
        self._bytes_left = MOST_BYTES
        self._looks_left = round(MOST_SECONDS / SILENT_SECONDS)
        self._is_silent = False
        self._timer = loop.call_later(SILENT_SECONDS, self._look)

    def data_received(self, data: bytes) -> None:
        self._is_silent = False
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._owner.connection_lost(exc)

    def _look(self) -> None:
        self._looks_left -= 1
        if self._is_silent or self._looks_left <= 0:
            self._transport.close()
            return
        self._is_silent = True
        self._timer = self._loop.call_later(SILENT_SECONDS, self._look)


class LingeringTransport(asyncio.Transport):
    """A transport that ends the way this module says. Stands in for `transport` where somebody else calls `close`."""

    def __init__(self, transport: asyncio.Transport, owner: asyncio.Protocol, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._owner = owner
        self._loop = loop
        self._has_ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._transport.write(data)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self._transport.writelines(list_of_data)

    def is_closing(self) -> bool:
        return self._has_ended or self._transport.is_closing()

    def close(self) -> None:
        if self.is_closing():
            return
        self._has_ended = True
        if not self._transport.can_write_eof():  # TLS cannot half-close
            self._transport.close()
            return
        self._transport.write_eof()
        self._transport.set_protocol(Lingering(self._transport, self._owner, self._loop))
