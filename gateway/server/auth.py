"""Who is calling: a key from any of the places where clients put it, looked up by its SHA-256. Pure."""

import hashlib
import secrets
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from gateway.errors import Forbidden, Unauthorized
from gateway.settings.schema import CallerKey

KEY_HEADERS = (b"x-api-key", b"api-key", b"x-goog-api-key")  # Anthropic, Azure and Google clients
PREFIX = "sk-steelyard-"
KEY_BYTES = 32
WHERE = "send it as Authorization: Bearer KEY (x-api-key, api-key, x-goog-api-key and ?key= work too)"


class Caller(Struct, frozen=True):
    """A known caller. `name` is "" when no keys are configured."""

    name: str
    routers: tuple[str, ...] = ()  # empty: all

    def may_use(self, router: str) -> None:
        """Raise Forbidden unless this caller's key reaches `router`."""
        if self.routers and router not in self.routers:
            raise Forbidden(f"The key {self.name} may not use router {router}; it may use {', '.join(self.routers)}")


NOBODY = Caller("")


class Callers:
    """All configured keys. With none everybody is let in: the settings allow that on loopback only."""

    def __init__(self, keys: tuple[CallerKey, ...]) -> None:
        self._by_digest = {bytes.fromhex(key.sha256): Caller(key.name, key.routers) for key in keys}

    def identify(self, headers: list[tuple[bytes, bytes]], query_string: bytes) -> Caller:
        """The caller whose key came along. Raises Unauthorized, which never repeats what was sent."""
        if not self._by_digest:
            return NOBODY
        key = find_key(headers, query_string)
        if not key:
            raise Unauthorized(f"This server needs a key; {WHERE}")
        # By the digest of the whole key: how long the lookup takes says nothing about it, and no part of it will do.
        caller = self._by_digest.get(hashlib.sha256(key).digest())
        if caller is None:
            raise Unauthorized("The key is not known here; ask the operator for one, or check that it is complete")
        return caller


def find_key(headers: list[tuple[bytes, bytes]], query_string: bytes) -> bytes:
    """The key, b"" when none was sent. Authorization wins over the others, the query comes last."""
    found = b""
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            if key := value[7:].strip():
                return key
        elif name in KEY_HEADERS and not found:
            found = value.strip()
    return found or key_in_query(query_string)


def key_in_query(query_string: bytes) -> bytes:
    """The value of the first `key` that has one, b"" without."""
    if b"key=" not in query_string:
        return b""
    for parameter in query_string.split(b"&"):
        if parameter.startswith(b"key=") and len(parameter) > len(b"key="):
            return unquote_to_bytes(parameter[len(b"key=") :])
    return b""


def new_key() -> tuple[str, str]:
    """A fresh key of 256 bits, and its SHA-256 in hex, which is all that the settings hold."""
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    return key, hashlib.sha256(key.encode()).hexdigest()
