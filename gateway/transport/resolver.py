"""Addresses of host names, asked in threads of their own, kept while they hold and beyond that while nobody answers.

uvloop asks in libuv's pool, which has four threads for the whole process (docs.libuv.org/en/v1.x/threadpool.html, read
2026-11-23): four names that get no answer would hold up every other. Here a name takes one thread at most.
"""

import asyncio
import socket
from collections.abc import Callable
from threading import Thread
from time import monotonic

from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct

FRESH_SECONDS = 300.0
STALE_SECONDS = 3600.0  # after which an address that could not be confirmed is not used any more
PATIENCE_SECONDS = 0.5  # for a fresh answer when there is an old one
FIRST_SECONDS = 2.0  # for an answer when there is none, as long as a connection may take
AGAIN_SECONDS = 5.0  # after a failure, while there is an old answer
NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV

Name = tuple[str, int, socket.AddressFamily]
LookUp = Callable[[str, int, socket.AddressFamily], list[ResolveResult]]


class Known(Struct):
    """What a name last resolved to, in the order of its next use. Times are monotonic seconds."""

    addresses: list[ResolveResult]
    confirmed_at: float
    ask_at: float  # not before


class Resolver(AbstractResolver):
    """The cache of names for all connectors of one loop; they must not keep another."""

    def __init__(self, look_up: LookUp | None = None, now: Callable[[], float] = monotonic) -> None:
        """look_up: may block; raises OSError for a name that it cannot resolve."""
        self._look_up = look_up or ask_system
        self._now = now
        self._known: dict[Name, Known] = {}
        self._asked: dict[Name, asyncio.Future[None]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses to try, in turns. Raises OSError when none are known, nor learned within 2 s."""
        name = (host, port, family)
        known = self._known.get(name)
        if known is None or self._now() - known.confirmed_at > STALE_SECONDS:
            await self._learn(name, FIRST_SECONDS)
            return self._next(name)
        if self._now() >= known.ask_at:
            try:
                await self._learn(name, PATIENCE_SECONDS)
            except OSError:
                known.ask_at = self._now() + AGAIN_SECONDS
        return self._next(name)

    async def close(self) -> None:
        """Forget what was asked for; threads that still wait for an answer end with it, or with the process."""
        for asked in self._asked.values():
            asked.cancel()

    async def _learn(self, name: Name, seconds: float) -> None:
        """Wait for an answer that is under way, or ask. One that comes later is kept all the same."""
        asked = self._asked.get(name)
        if asked is None:
            asked = self._ask(name)
        await asyncio.wait((asked,), timeout=seconds)
        if not asked.done() or asked.cancelled():
            raise OSError(f"no answer for the host name within {seconds:g} s")
        asked.result()

    def _ask(self, name: Name) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        asked = self._asked[name] = loop.create_future()
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())  # perhaps nobody waits any more

        def answer() -> None:
            found: list[ResolveResult] | OSError
            try:
                found = self._look_up(*name) or OSError("the host name has no address")
            except (OSError, UnicodeError) as error:  # the latter: a label over 63 characters
                found = error if isinstance(error, OSError) else OSError(str(error))
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._heard, name, asked, found)

        Thread(target=answer, name="resolver", daemon=True).start()
        return asked

    def _heard(self, name: Name, asked: asyncio.Future[None], found: list[ResolveResult] | OSError) -> None:
        self._asked.pop(name, None)
        if asked.cancelled():
            return
        if isinstance(found, OSError):
            asked.set_exception(found)
            return
        now = self._now()
        self._known[name] = Known(found, now, now + FRESH_SECONDS)
        asked.set_result(None)

    def _next(self, name: Name) -> list[ResolveResult]:
        known = self._known[name]
        order = known.addresses
        known.addresses = order[1:] + order[:1]
        return order


def ask_system(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    """As the operating system resolves it; blocks."""
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [
        ResolveResult(
            hostname=host,
            # of an address that holds on one link only, the link belongs to it
            host=socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
            if len(address) == 4 and address[3]
            else str(address[0]),
            port=port,
            family=kind,
            proto=protocol,
            flags=NUMERIC,
        )
        for kind, _, protocol, _, address in found
    ]
