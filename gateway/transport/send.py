"""Pooled HTTP to providers. One session per process; nothing here knows what the bytes mean."""

import functools
import ssl
from collections.abc import Mapping
from typing import Literal

import aiohttp
from yarl import URL

Cause = Literal["connect", "connect_timeout", "tls", "no_answer", "broken"]


class TransportFailure(Exception):
    """The connection failed us. `cause` says where: before, at or after the provider's first byte."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause: Cause = cause
        self.detail = detail


class Transport:
    """The pool of connections to all providers.

    Redirects are never followed and cookies never kept. Proxies are an argument: see `proxy`.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Open the pool; call it on the loop that will use it."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, keepalive_timeout=30.0),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("user-agent", "accept", "accept-encoding", "content-type"),
            read_bufsize=2**17,
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def post(
        self, url: URL, headers: Mapping[str, str], body: bytes, connect_seconds: float, proxy: URL | None
    ) -> aiohttp.ClientResponse:
        """Send and wait for the answer's headers. A connection that died while it was pooled is replaced once, unseen.

        connect_seconds: how long a new connection may take; the caller limits the rest. Raises TransportFailure.
        """
        try:
            return await self._post(url, headers, body, connect_seconds, proxy)
        except aiohttp.ServerDisconnectedError:
            # Either a pooled connection that the provider had closed, or a provider that hangs up on us. A second try
            # tells them apart; nothing was answered, so nothing can be doubled that the provider has not abandoned.
            try:
                return await self._post(url, headers, body, connect_seconds, proxy)
            except (aiohttp.ClientError, OSError) as error:
                raise explained(error) from error
        except (aiohttp.ClientError, OSError) as error:
            raise explained(error) from error

    async def _post(
        self, url: URL, headers: Mapping[str, str], body: bytes, connect_seconds: float, proxy: URL | None
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            raise RuntimeError("Transport.post before Transport.open")
        return await self._session.post(
            url, headers=headers, data=body, allow_redirects=False, timeout=timeout(connect_seconds), proxy=proxy
        )


@functools.cache  # routers have few different values
def timeout(connect_seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds)


async def read_whole(response: aiohttp.ClientResponse, max_bytes: int) -> bytes | None:
    """The answer's body, decoded; None when it is over `max_bytes`, in which case the connection is dropped."""
    content = response.content
    chunk = await next_chunk(response)
    if content.at_eof():
        response.release()
        return chunk if len(chunk) <= max_bytes else None
    parts = [chunk]
    size = len(chunk)
    while not content.at_eof():
        chunk = await next_chunk(response)
        size += len(chunk)
        if size > max_bytes:
            response.close()
            return None
        parts.append(chunk)
    response.release()
    return b"".join(parts)


async def next_chunk(response: aiohttp.ClientResponse) -> bytes:
    """Whatever has arrived, at least one byte; b"" at the end of the body."""
    try:
        return await response.content.readany()
    except (aiohttp.ClientError, OSError) as error:
        raise explained(error) from error


def explained(error: Exception) -> TransportFailure:
    """Name the cause of a failed exchange."""
    detail = f"{type(error).__name__}: {error}"[:200]
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError | ssl.SSLError):
        return TransportFailure("tls", detail)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return TransportFailure("connect_timeout", detail)
    if isinstance(error, aiohttp.ClientConnectorError):
        return TransportFailure("connect", detail)
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError | aiohttp.ClientOSError):
        return TransportFailure("no_answer", detail)
    return TransportFailure("broken", detail)
