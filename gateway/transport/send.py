"""Pooled HTTP to providers. One session per process; nothing here knows what the bytes mean."""

import functools
from collections.abc import Mapping
from time import monotonic

import aiohttp
from yarl import URL

from gateway.transport.failure import TransportFailure, explained, hung_up
from gateway.transport.logins import Login
from gateway.transport.reading import PIECE_BYTES, next_chunk, read_whole
from gateway.transport.resolver import Resolver
from gateway.transport.wallet import Wallet

__all__ = ["Transport", "TransportFailure", "explained", "next_chunk", "read_whole"]

# A pooled connection that the provider has closed shows it within a round trip. What breaks later had been accepted,
# and perhaps worked on and billed.
STALE_SECONDS = 1.0


class Transport:
    """The pool of connections to all providers.

    Redirects are never followed and cookies never kept. Proxies are an argument: see `proxy`.
    """

    def __init__(self, names: Resolver | None = None) -> None:
        self._names = names or Resolver()
        self._pooled: aiohttp.ClientSession | None = None
        self._fresh: aiohttp.ClientSession | None = None  # a new connection for each request
        self.wallet = Wallet()

    async def open(self) -> None:
        """Open the pool; call it on the loop that will use it."""
        names = self._names
        self._pooled = session(
            aiohttp.TCPConnector(limit=0, resolver=names, use_dns_cache=False, keepalive_timeout=30.0)
        )
        self._fresh = session(aiohttp.TCPConnector(limit=0, resolver=names, use_dns_cache=False, force_close=True))
        self.wallet.open(self._fresh)

    async def close(self) -> None:
        """Close every connection."""
        for opened in (self._pooled, self._fresh):
            if opened is not None:
                await opened.close()
        await self._names.close()

    async def post(
        self,
        url: URL,
        headers: Mapping[str, str],
        body: bytes,
        connect_seconds: float,
        proxy: URL | None,
        login: Login | None = None,
    ) -> aiohttp.ClientResponse:
        """Send and wait for the answer's headers. A connection that died while it was pooled is replaced once, unseen.

        connect_seconds: how long a new connection may take; the caller limits the rest. login: what `headers` lack to
        be let in. Raises TransportFailure.
        """
        if login is not None:
            headers = await self.wallet.signed(login, url, headers, body)
        sent_at = monotonic()
        try:
            response = await exchange(self._pooled, url, headers, body, connect_seconds, proxy)
        except (aiohttp.ClientError, OSError) as error:
            if not hung_up(error) or monotonic() - sent_at > STALE_SECONDS:
                raise explained(error) from error
            response = await self._post_afresh(url, headers, body, connect_seconds, proxy)
        if login is not None and response.status in (401, 403):
            self.wallet.distrust(login)
        return response

    async def _post_afresh(
        self, url: URL, headers: Mapping[str, str], body: bytes, connect_seconds: float, proxy: URL | None
    ) -> aiohttp.ClientResponse:
        """Either a pooled connection that the provider had closed, or a provider that hangs up on us: a new connection
        tells them apart. Nothing was answered, so nothing is doubled that the provider has not abandoned.
        """
        try:
            return await exchange(self._fresh, url, headers, body, connect_seconds, proxy)
        except (aiohttp.ClientError, OSError) as error:
            raise explained(error) from error


async def exchange(
    via: aiohttp.ClientSession | None,
    url: URL,
    headers: Mapping[str, str],
    body: bytes,
    connect_seconds: float,
    proxy: URL | None,
) -> aiohttp.ClientResponse:
    if via is None:
        raise RuntimeError("Transport.post before Transport.open")
    return await via.post(
        url, headers=headers, data=body, allow_redirects=False, timeout=timeout(connect_seconds), proxy=proxy
    )


def session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    """A session that adds nothing to a request and remembers nothing of an answer."""
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("user-agent", "accept", "accept-encoding", "content-type"),
        read_bufsize=PIECE_BYTES,
    )


@functools.cache  # routers have few different values
def timeout(connect_seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds)
