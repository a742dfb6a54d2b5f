"""OpenRouter's own measurements of each model's hosts over the last half hour, one model after the other.

Source: openrouter.ai/docs, PublicEndpoint of "List all endpoints for a model", read 2026-11-23: latency is that to the
first token, in milliseconds, and is told only to whoever sends a key; throughput is output tokens a second; uptime is
the percentage of requests that did not fail, those that were rate-limited left out.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import time
from typing import Annotated

import aiohttp
import msgspec
from msgspec import Meta, Struct

from gateway.catalog.records import FeedError
from gateway.catalog.refresh import is_set_within
from gateway.execution.hearsay import Heard
from gateway.providers.wait import stated_wait

log = logging.getLogger("steelyard")

OPENROUTER = "openrouter"
MAX_BYTES = 2**20  # of one model's answer; the largest of 2026 have 40 KB
CHUNK_BYTES = 64 * 2**10
NOBODY = b'{"data":{"endpoints":[]}}'
TIMEOUT = aiohttp.ClientTimeout(total=20, connect=5)
LEAST_PAUSE_SECONDS = 30.0  # after a refusal that states no wait; doubled with each that follows
MOST_PAUSE_SECONDS = 3_600.0
CREDIBLE_FIRST_TOKEN_SECONDS = (0.01, 300.0)
CREDIBLE_TOKENS_PER_SECOND = (0.2, 20_000.0)
# OpenRouter's words for hosts that we call otherwise. The rest have the same name, before any "/".
OUR_NAMES = {
    "amazon-bedrock": "bedrock",
    "google-vertex": "vertex",
    "google-ai-studio": "google",
    "moonshotai": "moonshot",
    "z-ai": "zai",
    "ncompass": "",
}

Percent = Annotated[float, Meta(ge=0, le=100)]


class Percentiles(Struct, frozen=True):
    p50: float | None = None


class Endpoint(Struct, frozen=True):
    tag: str
    latency_last_30m: Percentiles | None = None
    throughput_last_30m: Percentiles | None = None
    uptime_last_30m: Percent | None = None


class Model(Struct, frozen=True):
    endpoints: list[Endpoint]


class Listing(Struct, frozen=True):
    data: Model


class Refused(FeedError):
    """The server does not want to say."""

    def __init__(self, status: int, wait_seconds: float | None) -> None:
        super().__init__(f"{OPENROUTER}: HTTP {status}")
        self.wait_seconds = wait_seconds


class Place(Struct, frozen=True):
    """Where to ask about one model, and how."""

    url: str
    headers: Mapping[str, str]
    proxy: str | None
    targets: Mapping[str, str]  # provider, as we call it -> target


LISTING = msgspec.json.Decoder(Listing).decode


def read(body: bytes) -> dict[str, Heard]:
    """Provider, as we call it -> what was measured there; of several variants of one, the worse. Raises FeedError."""
    try:
        listing = LISTING(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FeedError(f"{OPENROUTER}: {error}") from error
    found: dict[str, Heard] = {}
    for endpoint in listing.data.endpoints:
        host = endpoint.tag.partition("/")[0]
        name = OUR_NAMES.get(host, host)
        if name:
            found[name] = worse(found.get(name), measured(endpoint))
    return found


def measured(endpoint: Endpoint) -> Heard:
    latency, speed = endpoint.latency_last_30m, endpoint.throughput_last_30m
    first_token = None if latency is None or latency.p50 is None else latency.p50 / 1000.0
    per_second = None if speed is None else speed.p50
    return Heard(
        first_token if is_within(first_token, CREDIBLE_FIRST_TOKEN_SECONDS) else None,
        1.0 / per_second if per_second and is_within(per_second, CREDIBLE_TOKENS_PER_SECOND) else None,
        None if endpoint.uptime_last_30m is None else endpoint.uptime_last_30m / 100.0,
    )


def is_within(figure: float | None, bounds: tuple[float, float]) -> bool:
    return figure is not None and bounds[0] <= figure <= bounds[1]


def worse(one: Heard | None, other: Heard) -> Heard:
    if one is None:
        return other
    return Heard(
        last(max, one.first_token_seconds, other.first_token_seconds),
        last(max, one.seconds_per_output_token, other.seconds_per_output_token),
        last(min, one.availability, other.availability),
    )


def last(choose: Callable[[Iterable[float]], float], *figures: float | None) -> float | None:
    """The one chosen of those that are known."""
    known = [figure for figure in figures if figure is not None]
    return choose(known) if known else None


class LiveFeed:
    """Asks about one model after the other, for as long as the server runs. What goes wrong costs nobody anything.

    places: whom there is to ask about, as of now. tell: hears of target -> figures.
    """

    def __init__(
        self,
        places: Callable[[], Sequence[Place]],
        tell: Callable[[dict[str, Heard]], None],
        seconds_between: float,
    ) -> None:
        self._places = places
        self._tell = tell
        self._between = seconds_between
        self.pause_seconds = 0.0  # before the next question, where that is longer

    async def run_forever(self, stop: asyncio.Event) -> None:
        """Round after round until `stop` is set."""
        async with self.session() as session:
            while not stop.is_set():
                places = self._places()
                for place in places:
                    await self.take(session, place)
                    if await is_set_within(stop, max(self._between, self.pause_seconds)):
                        return
                if not places and await is_set_within(stop, LEAST_PAUSE_SECONDS):
                    return

    def session(self) -> aiohttp.ClientSession:
        """Of no use to anybody else."""
        return aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())

    async def take(self, session: aiohttp.ClientSession, place: Place) -> None:
        """Ask about one model. A server that refuses is left alone for as long as it says, or longer each time."""
        try:
            found = read(await fetch(session, place))
        except (FeedError, TimeoutError, aiohttp.ClientError, OSError) as error:
            if not self.pause_seconds:
                log.warning("the live feed cannot be read; what it said before counts: %s", error or "timed out")
            stated = error.wait_seconds if isinstance(error, Refused) else None
            longer = max(2 * self.pause_seconds, LEAST_PAUSE_SECONDS) if stated is None else stated
            self.pause_seconds = min(longer, MOST_PAUSE_SECONDS)
            return
        self.pause_seconds = 0.0
        self._tell({target: found[name] for name, target in place.targets.items() if name in found})


async def fetch(session: aiohttp.ClientSession, place: Place) -> bytes:
    """What is said of one model. Raises FeedError, and what aiohttp raises."""
    async with session.get(place.url, headers=place.headers, proxy=place.proxy, allow_redirects=False) as response:
        if response.status == 404:  # not a model of theirs any more
            return NOBODY
        if response.status != 200:
            raise Refused(response.status, stated_wait(response.headers, b"", time()))
        body = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_BYTES:
                raise FeedError(f"{OPENROUTER}: an answer over {MAX_BYTES:,} bytes")
        return bytes(body)
