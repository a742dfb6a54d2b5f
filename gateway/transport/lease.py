"""Something that a server lends for a time: fetched when there is none, renewed before it runs out."""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

from msgspec import Struct

from gateway.transport.failure import TransportFailure
from gateway.transport.logins import AwsKeys
from gateway.wire.secret import Secret

FETCH_SECONDS = 5.0  # as long as anybody waits for one
SPARE_SECONDS = 15.0  # one that runs out sooner is not used any more: the request has to get there
RENEW_SECONDS = 300.0  # before it runs out; the metadata servers hold a new one ready by then
RETRY_SECONDS = 30.0  # after a renewal that failed
BURST_SECONDS = 1.0  # as long as a failure answers for those who come right behind it
TRUST_SECONDS = 60.0  # one that is refused sooner is not the one at fault


class Lent(Struct, frozen=True):
    """What a server gave, and until when."""

    value: AwsKeys | Secret
    until: float = inf  # Unix seconds


class Lease:
    """One such thing. now: the Unix time."""

    def __init__(self, fetch: Callable[[], Awaitable[Lent]], now: Callable[[], float]) -> None:
        self._fetch = fetch
        self._now = now
        self._held: Lent | None = None
        self._fetched_at = 0.0
        self._tried_at = 0.0
        self._failure: TransportFailure | None = None  # of the last try
        self._turn = asyncio.Lock()

    @property
    def current(self) -> AwsKeys | Secret | None:
        """What is held; None when there is nothing, or not for long enough."""
        if self._held is None or self._held.until - self._now() < SPARE_SECONDS:
            return None
        return self._held.value

    @property
    def due_at(self) -> float:
        """Unix seconds at which to renew it; in the past when that should have been done."""
        again = self._tried_at + RETRY_SECONDS
        if self._held is None:
            return again if self._failure is not None else 0.0
        lifetime = self._held.until - self._fetched_at
        soon = self._held.until - min(RENEW_SECONDS, lifetime / 4)
        return max(soon, again)

    async def obtain(self) -> AwsKeys | Secret:
        """What is held, or a new one; whoever comes meanwhile waits for the same. Raises TransportFailure."""
        async with self._turn:
            held = self.current
            if held is not None:
                return held
            if self._failure is not None and self._now() - self._tried_at < BURST_SECONDS:
                raise self._failure
            return await self._replace()

    async def renew(self) -> None:
        """Fetch a new one while the old one is in use. Raises TransportFailure."""
        async with self._turn:
            if self.due_at <= self._now():
                await self._replace()

    def distrust(self) -> None:
        """Whoever it was lent for has refused it: the next one to need it gets another."""
        if self._now() - self._fetched_at >= TRUST_SECONDS:
            self._held = None

    async def _replace(self) -> AwsKeys | Secret:
        self._tried_at = self._now()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                held = self._held = await self._fetch()
        except TimeoutError as error:
            self._failure = TransportFailure("connect_timeout", "the server that gives out credentials did not answer")
            raise self._failure from error
        except TransportFailure as failure:
            self._failure = failure
            raise
        self._failure = None
        self._fetched_at = self._tried_at
        return held.value
