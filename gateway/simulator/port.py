"""A listening port, and the three ways in which a port itself fails: closed, choked, resetting."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.simulator.connection import Connection

BACKLOG = 2048


class Port:
    """One port. It can fail and recover at any time between `attach` and `close`, each time at once."""

    def __init__(self, vendor: str, host: str, number: int) -> None:
        self.vendor = vendor  # "": the port of all, where the path names the provider
        self.host = host
        self.resets = False  # RST to whoever connects
        self.connections: set[Connection] = set()
        self._listener: socket.socket | None = _listen(host, number)
        self.number: int = self._listener.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._fillers: list[socket.socket] = []  # connections that fill a choked backlog

    async def attach(self, accept: Callable[[], "Connection"]) -> None:
        """Begin to accept on the listening socket, if there is one that nobody accepts on yet."""
        if self._listener is not None:
            # Not serving yet, so that no other task runs before the server is ours: `close`, called when we are
            # cancelled, always finds the socket.
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(accept, sock=self._listener, start_serving=False)
            self._listener = None
            await self._server.start_serving()

    def fail(self, fault: str) -> None:
        """F01: closed. F03: choked. F06: resets."""
        self.recover_socket()
        if fault == "F06":
            self.resets = True
            return
        self.close()
        if fault == "F03":
            self._choke()

    def recover_socket(self) -> None:
        """Listen again, if need be; `attach` has to follow."""
        self.resets = False
        self._unchoke()
        if self._server is None and self._listener is None:
            self._listener = _listen(self.host, self.number)

    def close(self) -> None:
        """Nothing listens, and whoever is connected is cut off."""
        self._unchoke()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self.connections):
            connection.transport.abort()

    def _choke(self) -> None:
        """Listen with the smallest backlog, accept nobody, and fill it: the kernel drops every SYN that follows."""
        listener = socket.create_server((self.host, self.number), backlog=0)
        self._fillers = [listener]
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect((self.host, self.number))
            self._fillers.append(filler)

    def _unchoke(self) -> None:
        for held in self._fillers:
            held.close()
        self._fillers = []


def _listen(host: str, number: int) -> socket.socket:
    try:
        return socket.create_server((host, number), backlog=BACKLOG)
    except OSError as error:
        raise OSError(error.errno, f"{host}:{number}: {os.strerror(error.errno or 0)}") from error
