"""A caller: one request on a connection of its own, and everything that came back."""

import http.client
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.json import encode

PIECE_BYTES = 65_536


class Heard(Struct, frozen=True):
    """An answer as it came over the wire."""

    status: int  # 0: nothing that is HTTP
    headers: list[tuple[str, str]]  # names in lower case
    body: bytes
    seconds: float  # from the request to the last byte
    ended: float  # seconds since the epoch
    broken: str = ""  # how the connection failed, if it did

    def header(self, name: str) -> str:
        """Its first value, "" without one."""
        return next((value for key, value in self.headers if key == name), "")


def ask(url: str, path: str, body: object, headers: Mapping[str, str], patience_seconds: float) -> Heard:
    """POST `body` as JSON. A connection that breaks is told, not raised."""
    parts = urlsplit(url)
    dial = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = dial(parts.netloc, timeout=patience_seconds)
    said = {"content-type": "application/json", **headers}
    status, received, pieces = 0, list[tuple[str, str]](), list[bytes]()
    broken = ""
    started = time.perf_counter()
    try:
        connection.request("POST", parts.path.rstrip("/") + path, encode(body), said)
        response = connection.getresponse()
        status = response.status
        received = [(name.lower(), value) for name, value in response.getheaders()]
        while piece := response.read1(PIECE_BYTES):
            pieces.append(piece)
    except (OSError, http.client.HTTPException) as error:
        broken = f"{type(error).__name__}: {error}"
    finally:
        seconds = time.perf_counter() - started
        connection.close()
    return Heard(status, received, b"".join(pieces), seconds, time.time(), broken)


def fetch(url: str, path: str) -> bytes:
    """GET, for what must be there."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise LookupError(f"{path}: {response.status}")
        return body
    finally:
        connection.close()
