"""Ask a server that gives out credentials. What goes wrong is told in our words: its own may hold a secret."""

import re
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec
from msgspec import Struct

from gateway.transport.failure import TransportFailure, explained
from gateway.transport.reading import read_whole

MAX_BYTES = 256 * 2**10
PLAIN_WORD = re.compile(r"[A-Za-z_]{1,40}")
FORM = "application/x-www-form-urlencoded"
REFUSED = range(400, 500)
BUSY = (408, 429)

T = TypeVar("T")


class Asking(Struct, frozen=True):
    """One small request."""

    url: str
    whom: str  # "the token endpoint"
    method: str = "GET"
    headers: dict[str, str] = {}
    form: dict[str, str] | None = None
    proxy: str = ""


Ask = Callable[[Asking], Awaitable[bytes]]


class OAuthRefusal(Struct, frozen=True):
    """RFC 6749, 5.2."""

    error: str = ""


REFUSAL = msgspec.json.Decoder(OAuthRefusal)


async def ask(session: aiohttp.ClientSession, asking: Asking) -> bytes:
    """The body of its answer. Raises TransportFailure: "credentials" when it refuses us, else as for a provider."""
    body = None if asking.form is None else urlencode(asking.form).encode()
    try:
        async with session.request(
            asking.method,
            asking.url,
            headers=asking.headers if body is None else {**asking.headers, "content-type": FORM},
            data=body,
            proxy=asking.proxy or None,
            allow_redirects=False,
        ) as response:
            answer = await read_whole(response, MAX_BYTES) or b""
    except (aiohttp.ClientError, OSError) as error:
        why = explained(error)
        raise TransportFailure(why.cause, f"no credentials from {asking.whom}: {in_our_words(why.detail)}") from error
    except TransportFailure as failure:
        raise TransportFailure(failure.cause, f"no credentials from {asking.whom}: {failure.detail}") from failure
    if response.status == 200:
        return answer
    is_refused = response.status in REFUSED and response.status not in BUSY
    word = word_in(answer)
    told = f"{asking.whom} answered with status {response.status}" + (f" ({word})" if word else "")
    raise TransportFailure("credentials" if is_refused else "connect", f"no credentials: {told}")


def in_our_words(detail: str) -> str:
    return detail.replace("the provider cannot be reached", "it cannot be reached")


def word_in(body: bytes) -> str:
    """The error by its name; never a sentence, which may quote what we sent."""
    try:
        word = REFUSAL.decode(body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return word if PLAIN_WORD.fullmatch(word) else ""


def decoded(body: bytes, decoder: "msgspec.json.Decoder[T]", whom: str) -> T:
    """Its answer. Raises TransportFailure for one that makes no sense."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise TransportFailure("credentials", f"no credentials: the answer of {whom} makes no sense") from None
