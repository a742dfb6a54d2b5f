"""Keep the catalog fresh: pull the public feeds, join, validate, persist, hand over.

Each feed is on its own: one that fails, lies or is too large costs only itself, and its last body goes on counting.
Whatever goes wrong, the last good catalog stays.

A refresh takes a second of CPU and some 30 MB that Python would not give back, so a server leaves it to a child process
(`pull.py`) and only loads the result. `refresh_once` is the same work in this process, off the event loop.
"""

import asyncio
import contextlib
import datetime
import logging
from asyncio.subprocess import PIPE
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import aiohttp
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway import __version__
from gateway.catalog import aliases, snapshot
from gateway.catalog.cache import FeedCache, Kept
from gateway.catalog.card import Catalog
from gateway.catalog.feeds import FEEDS, Feed
from gateway.catalog.join import Disagreement, join
from gateway.catalog.overlay import overlay
from gateway.catalog.records import FeedError, Reading
from gateway.catalog.validate import Quarantined, validate
from gateway.child import command, environment
from gateway.settings.schema import CatalogSettings

log = logging.getLogger(__name__)

MAX_FEED_BYTES = 32 * 1024 * 1024  # decoded; the largest feed of 2026 has 4 MB
CHUNK_BYTES = 64 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10)
AT_ONCE = 4
FIRST_SECONDS = 30.0  # after the start, so that a restart loop does not hammer the sources; up to twice that
CHILD_SECONDS = 900.0
JITTER = 0.2  # of the interval, either way
SECONDS_PER_HOUR = 3600.0


class FeedReport(Struct, frozen=True):
    """What became of one feed."""

    name: str
    url: str
    outcome: str  # "new", "unchanged" or "failed"
    detail: str = ""
    entries: int = 0  # records read from it


class Report(Struct, frozen=True):
    """What a refresh did. `adopted`: whether there is a new catalog."""

    adopted: bool
    version: str
    previous_version: str
    feeds: tuple[FeedReport, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    problems: tuple[str, ...] = ()  # entries that could not be read, by source and path
    disagreements: tuple[Disagreement, ...] = ()


REPORT = msgspec.json.Decoder(Report)


class Answer(Struct):
    """What a feed's server said. No body: the feed is as it was, or `fault` says why it could not be had."""

    body: bytes | None = None
    kept: Kept | None = None
    fault: str = ""


class Refresher:
    """Pulls the feeds and owns the last good catalog.

    settings.path is where the catalog is kept; the feeds' bodies and validators lie beside it in "<path>.feeds", the
    last report in "<path>.report.json". `last_good` holds figures of the sources only, no models of the operator's own.
    `random` gives numbers in [0, 1).
    """

    def __init__(
        self,
        settings: CatalogSettings,
        last_good: Catalog,
        random: Callable[[], float],
        today: Callable[[], str] = lambda: datetime.datetime.now(datetime.UTC).date().isoformat(),
        feeds: Iterable[Feed] = FEEDS,
    ) -> None:
        self.catalog = last_good
        self._settings = settings
        self._random = random
        self._today = today
        self._feeds = [feed for feed in feeds if feed.url]
        self._path = Path(settings.path)
        self._cache = FeedCache(self._path.with_name(self._path.name + ".feeds"))

    async def run_forever(self, stop: asyncio.Event, on_new: Callable[[Catalog, Report], None]) -> None:
        """Refresh soon after the start and then every `refresh_hours`, give or take a fifth, until `stop` is set."""
        delay = FIRST_SECONDS * (1 + self._random())
        while not await is_set_within(stop, delay):
            try:
                report = await self._refresh_apart(stop)
                if report.adopted:
                    self.catalog = await asyncio.to_thread(snapshot.load, self._path)
                    on_new(self.catalog, report)
            except Exception:
                log.exception("the catalog could not be refreshed; the last good one stays")
            delay = self._settings.refresh_hours * SECONDS_PER_HOUR * (1 + JITTER * (2 * self._random() - 1))

    async def _refresh_apart(self, stop: asyncio.Event) -> Report:
        """Let a child process refresh the catalog that is kept. It does not outlive `stop`, nor our cancellation."""
        child = await asyncio.create_subprocess_exec(
            *command("gateway.catalog.pull"), stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment()
        )
        try:
            async with asyncio.timeout(CHILD_SECONDS), asyncio.TaskGroup() as tasks:
                reaper = tasks.create_task(_kill_when(stop, child))
                output, errors = await child.communicate(msgspec.json.encode(self._settings))
                reaper.cancel()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if stop.is_set():
            return Report(False, self.catalog.version, self.catalog.version)
        if child.returncode != 0:
            raise RuntimeError(f"the refresh ended with {child.returncode}: {errors.decode(errors='replace')[-2000:]}")
        return REPORT.decode(output)

    async def refresh_once(self, accept: Collection[str] = ()) -> Report:
        """Pull what has changed and adopt what passes. `accept`: targets whose large moves the operator has seen."""
        kept = await asyncio.to_thread(self._cache.kept)
        answers = await self._fetch_all(kept)
        if not accept and all(answer.body is None for answer in answers.values()):
            feeds = tuple(self._feed_report(feed, answers[feed.name], 0) for feed in self._feeds)
            return Report(False, self.catalog.version, self.catalog.version, feeds)
        self.catalog, report = await asyncio.to_thread(self._digest, answers, kept, accept)
        return report

    def url(self, feed: Feed) -> str:
        """Where a feed is read from: as the settings say for it or for its source, else its public URL."""
        chosen = self._settings.sources
        return chosen.get(feed.name) or _under(chosen.get(feed.source.name, ""), feed) or feed.url

    async def _fetch_all(self, kept: dict[str, Kept]) -> dict[str, Answer]:
        limit = asyncio.Semaphore(AT_ONCE)
        headers = {"user-agent": f"steelyard/{__version__}"}
        async with aiohttp.ClientSession(trust_env=True, timeout=TIMEOUT, headers=headers) as session:

            async def fetch_one(feed: Feed) -> Answer:
                async with limit:
                    return await _fetch(session, self.url(feed), kept.get(feed.name), self._today())

            async with asyncio.TaskGroup() as tasks:
                running = {feed.name: tasks.create_task(fetch_one(feed)) for feed in self._feeds}
        return {name: task.result() for name, task in running.items()}

    def _digest(
        self, answers: dict[str, Answer], kept: dict[str, Kept], accept: Collection[str]
    ) -> tuple[Catalog, Report]:
        """Read, join, validate and persist; runs in a thread."""
        readings: list[Reading] = []
        reports: list[FeedReport] = []
        bodies: dict[str, bytes] = {}
        now_kept: dict[str, Kept] = {}
        failed_sources: set[str] = set()
        for feed in self._feeds:
            answer, before = answers[feed.name], kept.get(feed.name)
            reading = _read_new(feed, answer)
            if reading is not None and answer.body is not None and answer.kept is not None:
                bodies[feed.name], now_kept[feed.name] = answer.body, answer.kept
            elif before is not None:
                reading, now_kept[feed.name] = self._read_kept(feed, before), before
            if reading is None:
                failed_sources.add(feed.source.name)
            else:
                readings.append(reading)
            reports.append(self._feed_report(feed, answer, len(reading.offers) + len(reading.models) if reading else 0))
        if not bodies and not accept:
            return self.catalog, Report(False, self.catalog.version, self.catalog.version, tuple(reports))
        joined = join(readings, aliases.bundled(), self.catalog.models)
        read = {reading.source.name for reading in readings} - failed_sources
        candidate, quarantined = validate(self.catalog, overlay(self.catalog, joined, read), accept)
        catalog = snapshot.versioned(candidate)
        report = Report(
            adopted=True,
            version=catalog.version,
            previous_version=self.catalog.version,
            feeds=tuple(reports),
            quarantined=tuple(quarantined),
            problems=joined.problems,
            disagreements=joined.disagreements,
        )
        self._persist(catalog, report, bodies, now_kept)
        return catalog, report

    def _read_kept(self, feed: Feed, before: Kept) -> Reading | None:
        """The feed as it was last time."""
        body = self._cache.body(feed.name)
        return None if body is None else _read(feed, body, before.date)[0]

    def _feed_report(self, feed: Feed, answer: Answer, entries: int) -> FeedReport:
        outcome = "failed" if answer.fault else "unchanged" if answer.body is None else "new"
        return FeedReport(feed.name, self.url(feed), outcome, answer.fault, entries)

    def _persist(self, catalog: Catalog, report: Report, bodies: dict[str, bytes], kept: dict[str, Kept]) -> None:
        """The catalog first: validators that are older than it cost one more download, never a lost change."""
        snapshot.save(catalog, self._path)
        self._cache.keep(bodies, kept)
        summary = msgspec.json.format(msgspec.json.encode(report))
        snapshot.write_atomically(self._path.with_name(self._path.name + ".report.json"), summary)


async def is_set_within(stop: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await stop.wait()
    except TimeoutError:
        return False


async def _kill_when(stop: asyncio.Event, child: asyncio.subprocess.Process) -> None:
    await stop.wait()
    with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
        child.kill()


def _under(folder: str, feed: Feed) -> str:
    """A source of several files is overridden by a URL that ends in "/": its files lie under it by name."""
    if not folder.endswith("/"):
        return folder
    return folder + feed.url.rpartition("/")[2]


async def _fetch(session: aiohttp.ClientSession, url: str, before: Kept | None, today: str) -> Answer:
    """One conditional request. Every failure becomes an answer with a fault."""
    headers = {}
    if before is not None and before.url == url:
        headers = {"if-none-match": before.etag, "if-modified-since": before.last_modified}
    try:
        async with session.get(url, headers={name: value for name, value in headers.items() if value}) as response:
            if response.status == 304:
                return Answer()
            if response.status != 200:
                return Answer(fault=f"HTTP {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                body += chunk
                if len(body) > MAX_FEED_BYTES:
                    return Answer(fault=f"larger than {MAX_FEED_BYTES} bytes")
            etag, modified = response.headers.get("etag", ""), response.headers.get("last-modified", "")
            return Answer(bytes(body), Kept(url, etag, modified, today))
    except TimeoutError:
        return Answer(fault="timed out")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(fault=f"{type(error).__name__}: {error}")


def _read_new(feed: Feed, answer: Answer) -> Reading | None:
    """The new body's reading; a body that cannot be read becomes the answer's fault."""
    if answer.body is None or answer.kept is None:
        return None
    reading, answer.fault = _read(feed, answer.body, answer.kept.date)
    return reading


def _read(feed: Feed, body: bytes, date: str) -> tuple[Reading | None, str]:
    """The reading, or None and why. A reader's own mistake must not stop the other feeds either."""
    source = replace(feed.source, date=date, commit="")
    try:
        return feed.read(body, source), ""
    except FeedError as error:
        return None, str(error)
    except Exception as error:
        log.exception("the reader of %s failed", feed.name)
        return None, f"{feed.name}: {type(error).__name__}: {error}"
