"""Pooled HTTP to providers. One session per process; nothing here knows what the bytes mean."""

import functools
import os
import ssl
from collections.abc import Mapping
from time import monotonic
from typing import Literal

import aiohttp
from yarl import URL

# A pooled connection that the provider has closed shows it within a round trip. What breaks later had been accepted,
# and perhaps worked on and billed.
STALE_SECONDS = 1.0
HOST_MISMATCH = 62  # OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH

Cause = Literal["connect", "connect_timeout", "tls", "no_answer", "broken"]


class TransportFailure(Exception):
    """The connection failed us.

    cause: where, before, at or after the provider's first byte. detail: a sentence that a caller may read; what the
    library said is in `__cause__`.
    """

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause: Cause = cause
        self.detail = detail


class Transport:
    """The pool of connections to all providers.

    Redirects are never followed and cookies never kept. Proxies are an argument: see `proxy`.
    """

    def __init__(self) -> None:
        self._pooled: aiohttp.ClientSession | None = None
        self._fresh: aiohttp.ClientSession | None = None  # a new connection for each request

    async def open(self) -> None:
        """Open the pool; call it on the loop that will use it."""
        self._pooled = session(aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, keepalive_timeout=30.0))
        self._fresh = session(aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, force_close=True))

    async def close(self) -> None:
        """Close every connection."""
        for opened in (self._pooled, self._fresh):
            if opened is not None:
                await opened.close()

    async def post(
        self, url: URL, headers: Mapping[str, str], body: bytes, connect_seconds: float, proxy: URL | None
    ) -> aiohttp.ClientResponse:
        """Send and wait for the answer's headers. A connection that died while it was pooled is replaced once, unseen.

        connect_seconds: how long a new connection may take; the caller limits the rest. Raises TransportFailure.
        """
        sent_at = monotonic()
        try:
            return await _post(self._pooled, url, headers, body, connect_seconds, proxy)
        except (aiohttp.ClientError, OSError) as error:
            if not hung_up(error) or monotonic() - sent_at > STALE_SECONDS:
                raise explained(error) from error
        # Either a pooled connection that the provider had closed, or a provider that hangs up on us: a new connection
        # tells them apart. Nothing was answered, so nothing is doubled that the provider has not abandoned.
        try:
            return await _post(self._fresh, url, headers, body, connect_seconds, proxy)
        except (aiohttp.ClientError, OSError) as error:
            raise explained(error) from error


async def _post(
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
        read_bufsize=2**17,
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


def hung_up(error: Exception) -> bool:
    """The connection was established, and closed before any answer."""
    is_lost = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError | ConnectionResetError)
    return is_lost and not isinstance(error, aiohttp.ClientConnectorError)


def explained(error: Exception) -> TransportFailure:
    """Name the cause of a failed exchange, in words of ours: the library's name addresses and proxies' passwords."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return TransportFailure("connect", f"the proxy answered CONNECT with status {error.status}")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return TransportFailure("tls", f"the certificate is not trusted: {distrust(error.certificate_error)}")
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return TransportFailure("tls", "no TLS connection came about")
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return TransportFailure("connect_timeout", "no connection within the time allowed")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return TransportFailure("connect", "the host name cannot be resolved")
    if isinstance(error, aiohttp.ClientConnectorError):
        whom = "the proxy" if isinstance(error, aiohttp.ClientProxyConnectionError) else "the provider"
        return TransportFailure("connect", f"{whom} cannot be reached: {system_reason(error.os_error)}")
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError | aiohttp.ClientOSError):
        return TransportFailure("no_answer", "the connection was closed")
    if isinstance(error, aiohttp.ClientPayloadError):
        return TransportFailure("broken", "the answer broke off, or is not encoded as it says")
    if isinstance(error, aiohttp.ClientResponseError):
        return TransportFailure("broken", "the answer is not valid HTTP")
    return TransportFailure("broken", "the connection failed in the middle of the answer")


def system_reason(error: OSError) -> str:
    """What the operating system calls it, "connection refused"."""
    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else "no reason given"


def distrust(error: Exception) -> str:
    """Why a certificate is not trusted, "certificate has expired"; without the host's name."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "no reason given"
    return "it is for another host" if error.verify_code == HOST_MISMATCH else str(error.verify_message)
