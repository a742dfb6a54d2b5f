"""What can go wrong with a connection, in words of ours."""

import os
import ssl
from typing import Literal

import aiohttp

HOST_MISMATCH = 62  # OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH

Cause = Literal["connect", "connect_timeout", "tls", "no_answer", "broken", "credentials"]


class TransportFailure(Exception):
    """The connection failed us.

    cause: where, before, at or after the provider's first byte; or that we have nothing that lets us in.
    detail: a sentence that a caller may read; what the library said is in `__cause__`.
    """

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause: Cause = cause
        self.detail = detail


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
