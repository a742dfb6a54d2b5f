"""The refresh over a loopback server: honest feeds, feeds that did not change, feeds that fail."""

import asyncio
import contextlib
import os
import stat
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from gateway.catalog import refresh, snapshot
from gateway.catalog.card import Catalog
from gateway.catalog.refresh import Refresher, Report
from gateway.settings.schema import CatalogSettings
from tests.catalog.conftest import FeedServer

EMPTY = Catalog("", "", {}, {}, ())
FEEDS = {"models.dev", "openrouter", "litellm", "portkey/openai", "livebench/2026_01_08", "aider"}


def refresher(server: FeedServer, folder: Path, last_good: Catalog = EMPTY, day: str = "2026-11-22") -> Refresher:
    settings = CatalogSettings(path=str(folder / "catalog.json"), sources=server.sources())
    return Refresher(settings, last_good, lambda: 0.5, lambda: day)


def output_price(catalog: Catalog, target: str) -> float | None:
    offer = next((offer for offer in catalog.offers if offer.id == target), None)
    return offer.prices.output.value if offer is not None and offer.prices.output is not None else None


async def test_feeds_become_a_catalog_that_is_kept(feed_server: FeedServer, tmp_path: Path) -> None:
    pulling = refresher(feed_server, tmp_path)
    report = await pulling.refresh_once()
    assert report.adopted
    assert output_price(pulling.catalog, "openai/gpt-5@openai") == 10.0
    assert pulling.catalog.sources["models.dev"].date == "2026-11-22"
    assert snapshot.load(tmp_path / "catalog.json") == pulling.catalog
    assert stat.S_IMODE((tmp_path / "catalog.json").stat().st_mode) == 0o600
    kept = msgspec.json.decode((tmp_path / "catalog.json.report.json").read_bytes(), type=Report)
    assert kept == report


async def test_each_feed_is_reported_and_one_that_fails_costs_only_itself(
    feed_server: FeedServer, tmp_path: Path
) -> None:
    report = await refresher(feed_server, tmp_path).refresh_once()
    outcomes = {feed.name: feed.outcome for feed in report.feeds}
    assert {name for name, outcome in outcomes.items() if outcome == "new"} == FEEDS
    missing = next(feed for feed in report.feeds if feed.name == "portkey/groq")
    assert (missing.outcome, missing.detail) == ("failed", "HTTP 404")


@pytest.mark.parametrize("validator", ["etag", "last-modified"])
async def test_a_feed_that_did_not_change_is_not_sent_again(
    feed_server: FeedServer, tmp_path: Path, validator: str
) -> None:
    feed_server.validator = validator
    pulling = refresher(feed_server, tmp_path)
    await pulling.refresh_once()
    before = pulling.catalog
    feed_server.full.clear()
    report = await pulling.refresh_once()
    assert not report.adopted
    assert pulling.catalog is before
    assert feed_server.full == []
    assert set(feed_server.unchanged) == FEEDS


async def test_validators_outlive_the_process(feed_server: FeedServer, tmp_path: Path) -> None:
    await refresher(feed_server, tmp_path).refresh_once()
    feed_server.full.clear()
    again = refresher(feed_server, tmp_path, snapshot.load(tmp_path / "catalog.json"))
    assert not (await again.refresh_once()).adopted
    assert feed_server.full == []


async def test_one_changed_feed_is_joined_with_the_others_as_they_were(feed_server: FeedServer, tmp_path: Path) -> None:
    pulling = refresher(feed_server, tmp_path)
    await pulling.refresh_once()
    feed_server.full.clear()
    feed_server.contents["models.dev"]["openai"]["models"]["gpt-5"]["cost"]["output"] = 12
    report = await pulling.refresh_once()
    assert feed_server.full == ["models.dev"]
    assert report.adopted
    assert report.version != report.previous_version
    assert output_price(pulling.catalog, "openai/gpt-5@openai") == 12.0
    assert output_price(pulling.catalog, "meta-llama/llama-3.3-70b-instruct@sambanova") == 1.2


async def test_a_feed_without_validators_is_sent_again(feed_server: FeedServer, tmp_path: Path) -> None:
    feed_server.validator = "none"
    pulling = refresher(feed_server, tmp_path)
    await pulling.refresh_once()
    await pulling.refresh_once()
    assert len(feed_server.full) == 2 * len(FEEDS)


async def test_validators_of_one_address_are_not_shown_to_another(feed_server: FeedServer, tmp_path: Path) -> None:
    await refresher(feed_server, tmp_path).refresh_once()
    feed_server.full.clear()
    feed_server.contents["mirror"] = feed_server.contents["aider"]
    elsewhere = {**feed_server.sources(), "aider": f"{feed_server.base}mirror"}
    settings = CatalogSettings(path=str(tmp_path / "catalog.json"), sources=elsewhere)
    await Refresher(settings, EMPTY, lambda: 0.5).refresh_once()
    assert feed_server.full == ["mirror"]


async def test_a_lost_body_is_asked_for_again(feed_server: FeedServer, tmp_path: Path) -> None:
    pulling = refresher(feed_server, tmp_path)
    await pulling.refresh_once()
    feed_server.full.clear()
    (tmp_path / "catalog.json.feeds" / "aider.gz").unlink()
    await pulling.refresh_once()
    assert feed_server.full == ["aider"]


async def test_broken_validators_only_cost_a_download(feed_server: FeedServer, tmp_path: Path) -> None:
    pulling = refresher(feed_server, tmp_path)
    await pulling.refresh_once()
    (tmp_path / "catalog.json.feeds" / "validators.json").write_bytes(b"{")
    feed_server.full.clear()
    assert (await pulling.refresh_once()).adopted
    assert set(feed_server.full) == FEEDS


@pytest.mark.parametrize("status", [403, 429, 500, 503])
async def test_when_every_feed_is_down_the_last_good_catalog_stays(
    feed_server: FeedServer, tmp_path: Path, status: int
) -> None:
    pulling = refresher(feed_server, tmp_path)
    await pulling.refresh_once()
    before = pulling.catalog
    feed_server.failures = {name: web.Response(status=status) for name in feed_server.sources()}
    report = await pulling.refresh_once()
    assert not report.adopted
    assert {feed.detail for feed in report.feeds} == {f"HTTP {status}"}
    assert pulling.catalog is before
    assert snapshot.load(tmp_path / "catalog.json") == before


async def test_when_nothing_listens_the_last_good_catalog_stays(feed_server: FeedServer, tmp_path: Path) -> None:
    nowhere = dict.fromkeys(feed_server.sources(), "http://127.0.0.1:9/nothing")
    pulling = Refresher(CatalogSettings(path=str(tmp_path / "c.json"), sources=nowhere), EMPTY, lambda: 0.5)
    report = await pulling.refresh_once()
    assert not report.adopted
    assert all(feed.outcome == "failed" and feed.detail for feed in report.feeds)
    assert list(tmp_path.iterdir()) == []


async def test_a_feed_that_is_too_large_is_left_unread(
    feed_server: FeedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "MAX_FEED_BYTES", 4_096)
    feed_server.contents["aider"] = feed_server.contents["aider"] + "#" * 5_000
    report = await refresher(feed_server, tmp_path).refresh_once()
    aider = next(feed for feed in report.feeds if feed.name == "aider")
    assert (aider.outcome, aider.detail) == ("failed", "larger than 4096 bytes")


async def test_figures_of_sources_that_have_no_address_stay(feed_server: FeedServer, tmp_path: Path) -> None:
    pulling = refresher(feed_server, tmp_path, snapshot.bundled())
    report = await pulling.refresh_once()
    gpt5 = pulling.catalog.models["openai/gpt-5"]
    assert gpt5.active_parameters_billions is not None
    assert gpt5.active_parameters_billions.source == "ecologits"
    assert pulling.catalog.grid_g_per_kwh == snapshot.bundled().grid_g_per_kwh
    assert pulling.catalog.sources["ecologits"] == snapshot.bundled().sources["ecologits"]
    assert report.quarantined  # three thousand offers do not vanish because a test server knows ten


async def test_an_accepted_target_may_move_far(feed_server: FeedServer, tmp_path: Path) -> None:
    pulling = refresher(feed_server, tmp_path)
    await pulling.refresh_once()
    cost = feed_server.contents["models.dev"]["openai"]["models"]["gpt-5"]["cost"]
    cost["output"] = 1.0
    assert [found.field for found in (await pulling.refresh_once()).quarantined] == ["prices.output"]
    assert output_price(pulling.catalog, "openai/gpt-5@openai") == 10.0
    report = await pulling.refresh_once(accept={"openai/gpt-5@openai"})
    assert report.quarantined == ()
    assert output_price(pulling.catalog, "openai/gpt-5@openai") == 1.0


async def test_it_runs_until_it_is_stopped_and_hands_over_what_is_new(
    feed_server: FeedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "FIRST_SECONDS", 0.0)
    stop = asyncio.Event()
    received: list[tuple[Catalog, Report]] = []

    def on_new(catalog: Catalog, report: Report) -> None:
        received.append((catalog, report))
        stop.set()

    await refresher(feed_server, tmp_path).run_forever(stop, on_new)
    ((catalog, report),) = received
    assert report.adopted
    assert catalog.version == report.version
    assert catalog == snapshot.load(tmp_path / "catalog.json")
    assert set(feed_server.full) == FEEDS


async def test_a_consumer_that_fails_does_not_end_the_loop(
    feed_server: FeedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(refresh, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(refresh, "SECONDS_PER_HOUR", 0.0)
    stop = asyncio.Event()
    calls: list[str] = []

    def on_new(catalog: Catalog, report: Report) -> None:
        calls.append(report.version)
        if len(calls) == 1:
            feed_server.contents["models.dev"]["openai"]["models"]["gpt-5"]["cost"]["output"] = 12
            raise RuntimeError("the consumer is broken")
        stop.set()

    await refresher(feed_server, tmp_path).run_forever(stop, on_new)
    assert len(calls) == 2
    assert "the last good one stays" in caplog.text


@pytest.mark.parametrize("ending", ["stop", "cancel"])
async def test_an_end_in_mid_refresh_leaves_no_process_behind(
    feed_server: FeedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(refresh, "FIRST_SECONDS", 0.0)
    asked, stop = asyncio.Event(), asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        asked.set()
        await stop.wait()
        raise web.HTTPServiceUnavailable

    monkeypatch.setattr(feed_server, "respond", hang)
    running = asyncio.create_task(refresher(feed_server, tmp_path).run_forever(stop, lambda *_: None))
    await asked.wait()
    assert pulls() == 1
    if ending == "cancel":
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        stop.set()
    else:
        stop.set()
        await running
    assert pulls() == 0


def pulls() -> int:
    """Children of ours that are refreshing."""
    commands = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if f"PPid:\t{os.getpid()}\n" in status.read_text():
                commands.append(status.with_name("cmdline").read_bytes())
    return sum(b"gateway.catalog.pull" in command for command in commands)
