"""What others measure of our hosts: read with suspicion, asked for politely, believed for half an hour."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from gateway.catalog.records import FeedError
from gateway.execution.health import Health
from gateway.execution.hearsay import LASTS_SECONDS, Heard
from gateway.execution.live_feed import LEAST_PAUSE_SECONDS, MAX_BYTES, LiveFeed, Place, read
from tests.execution.spine import ALPHA, BRAVO, snapshot_of

NOW = 1_000.0
GROQ = {
    "tag": "groq",
    "latency_last_30m": {"p50": 250.0, "p99": 900.0},
    "throughput_last_30m": {"p50": 400.0},
    "uptime_last_30m": 99.5,
}


def answer(*endpoints: object) -> bytes:
    return json.dumps({"data": {"id": "a/b", "endpoints": endpoints}}).encode()


def test_milliseconds_rates_and_percentages_become_our_units() -> None:
    assert read(answer(GROQ)) == {"groq": Heard(0.25, 1 / 400.0, 0.995)}


def test_hosts_have_our_names_and_of_a_hosts_variants_the_worse_counts() -> None:
    slow = GROQ | {"tag": "amazon-bedrock/eu", "latency_last_30m": {"p50": 900.0}, "uptime_last_30m": 90.0}
    found = read(answer(GROQ | {"tag": "amazon-bedrock"}, slow, GROQ | {"tag": "deepinfra/fp8"}))
    assert found == {"bedrock": Heard(0.9, 1 / 400.0, 0.9), "deepinfra": Heard(0.25, 1 / 400.0, 0.995)}


def test_what_is_not_told_or_cannot_be_is_unknown() -> None:
    untold = {"tag": "groq", "latency_last_30m": None, "throughput_last_30m": {"p50": None}, "uptime_last_30m": None}
    absurd = {"tag": "xai", "latency_last_30m": {"p50": 1e9}, "throughput_last_30m": {"p50": 0.0}}
    assert read(answer(untold, absurd)) == {"groq": Heard(), "xai": Heard()}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"data": null}',
        answer({"latency_last_30m": {"p50": 1.0}}),
        answer(GROQ | {"uptime_last_30m": 100.1}),
        answer(GROQ | {"uptime_last_30m": -1}),
        answer(GROQ | {"latency_last_30m": {"p50": "fast"}}),
        b'{"data":{"endpoints":[{"tag":"a","uptime_last_30m":1e999}]}}',
        b"\xff\xfe",
    ],
)
def test_nonsense_is_an_error_and_no_figure(body: bytes) -> None:
    with pytest.raises(FeedError, match="openrouter: "):
        read(body)


@asynccontextmanager
async def serving(*answers: Callable[[web.Request], web.StreamResponse]) -> AsyncIterator[tuple[str, list[str]]]:
    """A server that gives these answers in turn, and the keys that it was shown."""
    shown: list[str] = []
    turn = iter(answers)

    async def handle(request: web.Request) -> web.StreamResponse:
        shown.append(request.headers.get("authorization", ""))
        return next(turn)(request)

    app = web.Application()
    app.router.add_get("/api/v1/models/a/b/endpoints", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/models/a/b/endpoints", shown
    finally:
        await runner.cleanup()


def good(request: web.Request) -> web.Response:
    return web.Response(body=answer(GROQ))


async def heard_of(*answers: Callable[[web.Request], web.StreamResponse]) -> tuple[list[dict[str, Heard]], float]:
    """What a feed tells of these answers in one round, and how long it would wait before it asks again."""
    told: list[dict[str, Heard]] = []
    async with serving(*answers) as (url, shown):
        place = Place(url, {"authorization": "Bearer sk-or-1"}, None, {"groq": "a/b@groq", "xai": "a/b@xai"})
        feed = LiveFeed(list, told.append, 0.0)
        async with feed.session() as session:
            for _ in answers:
                await feed.take(session, place)
        assert shown == ["Bearer sk-or-1"] * len(answers)
    return told, feed.pause_seconds


async def test_targets_are_told_of_what_their_hosts_measured() -> None:
    assert await heard_of(good) == ([{"a/b@groq": Heard(0.25, 1 / 400.0, 0.995)}], 0.0)


async def test_a_model_that_is_gone_is_no_fault() -> None:
    assert await heard_of(lambda request: web.Response(status=404)) == ([{}], 0.0)


@pytest.mark.parametrize(
    ("bad", "pause"),
    [
        (lambda request: web.Response(status=500), LEAST_PAUSE_SECONDS),
        (lambda request: web.Response(status=429, headers={"retry-after": "120"}), 120.0),
        (lambda request: web.Response(status=302, headers={"location": "/elsewhere"}), LEAST_PAUSE_SECONDS),
        (lambda request: web.Response(text="{"), LEAST_PAUSE_SECONDS),
        (lambda request: web.Response(body=answer(GROQ) + b" " * MAX_BYTES), LEAST_PAUSE_SECONDS),
    ],
    ids=["500", "429", "redirect", "half", "huge"],
)
async def test_who_does_not_answer_well_is_left_alone_for_a_while(
    bad: Callable[[web.Request], web.Response], pause: float
) -> None:
    assert await heard_of(bad) == ([], pause)
    assert (await heard_of(bad, bad, bad))[1] == (pause if pause == 120.0 else 4 * LEAST_PAUSE_SECONDS)
    assert (await heard_of(bad, good))[1] == 0.0


async def test_the_feed_asks_round_after_round_until_it_is_stopped() -> None:
    stop = asyncio.Event()
    told: list[dict[str, Heard]] = []

    def take(heard: dict[str, Heard]) -> None:
        told.append(heard)
        if len(told) == 3:
            stop.set()

    async with serving(good, good, good) as (url, _):
        places = [Place(url, {}, None, {"groq": "a/b@groq"})]
        async with asyncio.timeout(10.0):
            await LiveFeed(lambda: places, take, 0.0).run_forever(stop)
    assert len(told) == 3


def health() -> tuple[Health, int, int]:
    market = snapshot_of({"sim-alpha": 1, "sim-bravo": 2}).chat
    return market.health, market.targets.ids.index(ALPHA), market.targets.ids.index(BRAVO)


def test_what_is_heard_stands_in_for_the_prior_for_half_an_hour() -> None:
    found, alpha, bravo = health()
    before = found.view(NOW)
    found.hearsay.heard(alpha, Heard(9.0, None, 0.5), NOW + 1.0)
    view = found.view(NOW + 1.0)
    assert view.first_token_seconds[alpha] == 9.0
    assert view.availability[alpha] == 0.5
    assert view.seconds_per_output_token[alpha] == before.seconds_per_output_token[alpha]
    assert view.first_token_seconds[bravo] == before.first_token_seconds[bravo]
    later = found.view(NOW + 1.0 + LASTS_SECONDS + 10.0)
    assert later.first_token_seconds[alpha] == before.first_token_seconds[alpha]


def test_own_figures_outweigh_what_is_heard() -> None:
    found, alpha, _ = health()
    found.hearsay.heard(alpha, Heard(9.0), NOW)
    for _ in range(200):
        found.answered(alpha, NOW, 1.0, None)
    assert 1.0 <= found.view(NOW + 1.0).first_token_seconds[alpha] < 1.1


def test_a_reload_forgets_nothing_that_was_heard() -> None:
    found, alpha, _ = health()
    found.hearsay.heard(alpha, Heard(9.0), NOW)
    after, again, _ = health()
    after.adopt(found, set())
    assert after.view(NOW + 1.0).first_token_seconds[again] == 9.0
