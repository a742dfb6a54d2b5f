"""An upgrade that drops nothing: the new server is handed the very sockets that the old one listens on.

A connection that waits in a socket's queue is lost when the socket is closed, so it is not closed: the new process gets
it through a Unix socket beside the ledger, takes connections from it, and only then says so; the old one stops taking
connections and lets its requests end. Should the new one fail before, the old one goes on.
"""

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gateway.errors import SettingsError

READY = b"ready"
MOST_SOCKETS = 64
ANSWER_SECONDS = 5.0
CREDENTIALS = struct.Struct("3i")  # of a peer: process, user, group


def place_of(ledger: Path, port: int) -> Path:
    """Where the server at this port can be asked for its sockets."""
    return ledger.parent / f"serve-{port}.sock"


@contextlib.contextmanager
def address_of(path: Path) -> Iterator[str]:
    """The path in a form that is short enough for a Unix socket, whose addresses have 108 bytes at most."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class Offer:
    """The running server's side, from `open` to `close`."""

    def __init__(self, path: Path, sockets: Sequence[socket.socket], when_taken: Callable[[], None]) -> None:
        """when_taken: called once, when another process serves from these sockets."""
        self._path = path
        self._sockets = sockets
        self._when_taken = when_taken
        self._is_taken = False
        self._listener: socket.socket | None = None
        self._asking: set[socket.socket] = set()

    def open(self) -> None:
        """Be there for whoever asks. What a killed server left is replaced."""
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with address_of(self._path) as address:
            listener.bind(address)
        self._path.chmod(0o600)
        listener.listen()
        listener.setblocking(False)
        self._listener = listener
        asyncio.get_running_loop().add_reader(listener.fileno(), self._accept)

    def close(self) -> None:
        """Nobody can ask any more."""
        loop = asyncio.get_running_loop()
        for one in (self._listener, *self._asking):
            if one is not None:
                loop.remove_reader(one.fileno())
                one.close()
        self._asking.clear()
        if self._listener is not None and not self._is_taken:  # else it is the other's by now
            self._path.unlink(missing_ok=True)
        self._listener = None

    def _accept(self) -> None:
        if self._listener is None:
            return
        with contextlib.suppress(OSError):
            peer, _ = self._listener.accept()
            _, user, _ = CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
            if user != os.getuid():
                peer.close()
                return
            if self._asking:  # two who serve from the same sockets would not know of each other
                peer.sendall(json.dumps({"pid": os.getpid()}).encode())
                peer.close()
                return
            descriptors = [listener.fileno() for listener in self._sockets]
            socket.send_fds(peer, [json.dumps({"pid": os.getpid()}).encode()], descriptors)
            peer.setblocking(False)
            self._asking.add(peer)
            asyncio.get_running_loop().add_reader(peer.fileno(), self._hear, peer)

    def _hear(self, peer: socket.socket) -> None:
        try:
            said = peer.recv(len(READY))
        except BlockingIOError:
            return
        except OSError:
            said = b""
        asyncio.get_running_loop().remove_reader(peer.fileno())
        self._asking.discard(peer)
        peer.close()
        if said == READY and not self._is_taken:
            self._is_taken = True
            self._when_taken()


class Taken:
    """The new server's side: the sockets, and the word that they are served from now on."""

    def __init__(self, peer: socket.socket, sockets: list[socket.socket], pid: int) -> None:
        self._peer = peer
        self.sockets = sockets
        self.pid = pid  # of who had them

    def confirm(self) -> None:
        """Have the other one stop."""
        with contextlib.suppress(OSError):
            self._peer.sendall(READY)
        self._peer.close()


def take(path: Path) -> Taken | None:
    """Ask the server that listens there; None when there is none. Raises SettingsError when it does not answer."""
    if not path.exists():
        return None
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.settimeout(ANSWER_SECONDS)
    try:
        with address_of(path) as address:
            peer.connect(address)
        said, descriptors, _, _ = socket.recv_fds(peer, 1024, MOST_SOCKETS)
        pid = json.loads(said)["pid"]
        if not descriptors:
            peer.close()
            told = f"process {pid} is handing its sockets over to another one just now; try again when that serves"
            raise SettingsError([told])
        return Taken(peer, [socket.socket(fileno=descriptor) for descriptor in descriptors], pid)
    except ConnectionRefusedError:  # the file of a server that was killed
        peer.close()
        return None
    except (OSError, ValueError) as error:
        peer.close()
        told = f"the server behind {path} does not hand its sockets over ({error}); stop it first"
        raise SettingsError([told]) from error
