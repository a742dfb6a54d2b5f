"""The sockets that callers connect to, opened before anything else is: an address that cannot be had ends the start."""

import errno
import resource
import socket
from contextlib import ExitStack

from gateway.errors import SettingsError


def open_shared(host: str, port: int, count: int) -> list[socket.socket]:
    """`count` sockets for every address of `host` that share a port: the kernel deals connections out among them.

    Whether the port is free is found out first, since sockets that share one are let in beside others that do. They
    listen at once, for a socket that is only bound keeps nobody away.
    """
    found = open_sockets(host, port)
    port = found[0].getsockname()[1]
    for listener in found:
        listener.close()
    opened = [listener for _ in range(count) for listener in open_sockets(host, port, is_shared=True)]
    for listener in opened:
        listener.listen()  # from now on whoever else tries finds the port taken; connections wait for the workers
    return opened


def open_sockets(host: str, port: int, *, is_shared: bool = False) -> list[socket.socket]:
    """Bind every address of `host`, at one port (0: any free one). Raises SettingsError, which says what else to do.

    is_shared: with others that are opened so too.
    """
    allow_connections()
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise SettingsError(
            [f"server.host is {host}, which is no name that this machine knows; try 127.0.0.1"]
        ) from error
    with ExitStack() as opened:
        sockets: list[socket.socket] = []
        for family, address in dict.fromkeys((entry[0], entry[4]) for entry in found):
            sockets.append(opened.enter_context(socket.socket(family, socket.SOCK_STREAM)))
            try:
                bind(sockets[-1], (address[0], port, *address[2:]), is_shared=is_shared)
            except OSError as error:
                raise SettingsError([why_not(error, host, port)]) from error
            port = sockets[-1].getsockname()[1]
        opened.pop_all()
    return sockets


def allow_connections() -> None:
    """Take as many descriptors as this user may have. The usual 1,024 are used up by as many idle connections.

    The lower limit is there for programs that call select(2). Source: 0pointer.net, "File Descriptor Limits", read
    2026-11-23.
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def bind(listener: socket.socket, address: tuple[object, ...], *, is_shared: bool = False) -> None:
    """Take the address, also one whose last connections are still being forgotten (as every server does)."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(address)
    listener.setblocking(False)


def why_not(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"{netloc(host, port)} is in use by another program; stop it, or take another port with --port"
        case errno.EACCES:
            return f"server.port is {port}, which this user may not open; take one above 1023: --port 8080"
        case errno.EADDRNOTAVAIL:
            return f"server.host is {host}, which is no address of this machine; try 127.0.0.1, or 0.0.0.0 for all"
        case _:
            return f"{netloc(host, port)} cannot be opened: {error.strerror}; take another with --host and --port"


def netloc(host: str, port: int) -> str:
    """The two as they stand in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
