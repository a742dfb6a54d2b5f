"""A second target beside one that is late: who begins first is the answer, the other is given up and paid for."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from gateway.execution.breaker import CONSECUTIVE_FAILURES
from gateway.execution.health import Health
from gateway.execution.hedge_budget import HedgeBudget
from gateway.providers.faults import Fault, FaultKind
from gateway.simulator.log import Entry
from tests.execution.providers import DEADLINE_SECONDS, RawServer, Script, Simulated, Visit, raw, simulated
from tests.execution.spine import ALPHA, BRAVO, DELTA, Connection, Spine, opened, snapshot_of

HEDGED = {"hedge": True}
USUAL_SECONDS = 0.01  # so that a stream is late after 20 ms, and a millisecond for reading
NEVER = "F84;pr=1;delay=60000"
EVERYBODY = ("sim-alpha", "sim-bravo", "sim-delta")


def accustomed(spine: Spine, target: str = ALPHA, answers: int = 30, requests: int = 20) -> None:
    """A target that has always been fast, and a process that has carried so many streams without a second call."""
    health, column = spine.health, spine.snapshot.chat.targets.ids.index(target)
    for _ in range(answers):
        key = health.take_key(column, monotonic())
        health.answered(column, monotonic(), USUAL_SECONDS, None, key)
    for _ in range(requests):
        spine.state.hedges.earn()


@asynccontextmanager
async def hedging(*scripts: Script, **fallback: float) -> AsyncIterator[tuple[Spine, list[RawServer]]]:
    """A spine that hedges, with alpha, bravo and delta played by these scripts."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(raw(script)) for script in scripts]
        ports = {name: server.port for name, server in zip(EVERYBODY, servers, strict=False)}
        spine = await stack.enter_async_context(opened(snapshot_of(ports, {**HEDGED, **fallback})))
        accustomed(spine)
        yield spine, servers


@asynccontextmanager
async def simulated_hedging(**fallback: float) -> AsyncIterator[tuple[Spine, Simulated]]:
    async with (
        simulated(*EVERYBODY) as simulator,
        opened(snapshot_of(simulator.ports, {**HEDGED, **fallback})) as spine,
    ):
        accustomed(spine)
        yield spine, simulator


async def ended(simulator: Simulated, provider: str) -> list[Entry]:
    """What the provider has received, once all of it has come to an end."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            entries = await simulator.log(provider)
            if all(entry.outcome != "open" for entry in entries):
                return entries


def outcomes(spine: Spine) -> list[tuple[str, str]]:
    """Provider and outcome of each attempt of the only request."""
    [receipt] = spine.receipts
    return [(one.target.rpartition("@sim-")[2], one.outcome) for one in receipt.attempts]


def put_out(health: Health, column: int, state: str) -> None:
    """Bring a target into a state in which it should be left alone."""
    if state == "cooling":
        health.failed(column, monotonic(), Fault(FaultKind.RATE_LIMITED, 429, 60.0, "words", b"", ""))
    elif state == "failing":
        for _ in range(CONSECUTIVE_FAILURES):
            health.failed(column, monotonic(), Fault(FaultKind.SERVER_ERROR, 500, None, "words", b"", ""))
    else:
        crowded = Fault(FaultKind.OVERLOADED, 529, 0.0, "words", b"", "")
        health.failed(column, monotonic(), crowded, health.take_key(column, monotonic()))
        health.take_key(column, monotonic())  # the only one that there is room for


def left_nothing(spine: Spine) -> bool:
    return bool(spine.health.under_way == spine.state.gate.in_flight == 0)


async def silent(visit: Visit) -> None:
    await visit.request()
    await visit.left()


async def speak(visit: Visit) -> None:
    """A short stream."""
    await visit.begin()
    await visit.event({"role": "assistant", "content": "good"})
    await visit.event({}, "stop")
    await visit.chunk(b"data: [DONE]\n\n")
    await visit.chunk(b"")
    await visit.left()


async def answering(visit: Visit) -> None:
    await visit.request()
    await speak(visit)


async def failing(visit: Visit) -> None:
    await visit.request()
    await visit.write(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n")
    await visit.left()


def once(asked: asyncio.Event, then: Script) -> Script:
    """Reads its request, and waits for the other to be asked."""

    async def script(visit: Visit) -> None:
        await visit.request()
        await asked.wait()
        await then(visit)

    return script


async def fail(visit: Visit) -> None:
    await visit.write(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n")
    await visit.left()


async def test_the_second_answers_when_the_first_is_late_and_the_first_is_cancelled() -> None:
    async with simulated_hedging() as (spine, simulator):
        reply = await spine.ask(ALPHA, BRAVO, stream=True, simulate=f"sim-alpha={NEVER}")
        assert reply.is_whole_stream()
        assert outcomes(spine) == [("alpha", "outpaced"), ("bravo", "ok")]
        assert (reply.headers["x-steelyard-attempts"], reply.headers["x-steelyard-fallback"]) == ("2", "true")
        assert [entry.outcome for entry in await ended(simulator, "sim-alpha")] == ["gone"]
        assert left_nothing(spine)


async def test_without_the_setting_nobody_is_asked_twice() -> None:
    slow = "sim-alpha=F84;pr=1;delay=60"
    async with simulated(*EVERYBODY) as simulator, opened(snapshot_of(simulator.ports)) as spine:
        accustomed(spine)
        await spine.ask(ALPHA, BRAVO, stream=True, simulate=slow)
        assert outcomes(spine) == [("alpha", "ok")]
        assert await simulator.log("sim-bravo") == []


async def test_whole_answers_are_not_hedged() -> None:
    async with simulated_hedging() as (spine, simulator):
        await spine.ask(ALPHA, BRAVO, simulate="sim-alpha=F84;pr=1;delay=60")
        assert outcomes(spine) == [("alpha", "ok")]
        assert await simulator.log("sim-bravo") == []


@pytest.mark.parametrize(
    ("answers", "requests", "fallback"),
    [(19, 20, {}), (30, 18, {}), (30, 20, {"max_attempts": 1})],
    ids=["nothing_learned", "budget_spent", "no_fallback"],
)
async def test_a_stream_waits_for_its_first_target_when_there_is_no(
    answers: int, requests: int, fallback: dict[str, float]
) -> None:
    async with (
        simulated(*EVERYBODY) as simulator,
        opened(snapshot_of(simulator.ports, {**HEDGED, **fallback})) as spine,
    ):
        accustomed(spine, ALPHA, answers, requests)
        await spine.ask(ALPHA, BRAVO, stream=True, simulate="sim-alpha=F84;pr=1;delay=60")
        assert outcomes(spine) == [("alpha", "ok")]
        assert await simulator.log("sim-bravo") == []


async def test_the_first_may_still_win_and_then_there_was_no_fallback() -> None:
    asked = asyncio.Event()

    async def second(visit: Visit) -> None:
        await visit.request()
        asked.set()
        await visit.left()

    async with hedging(once(asked, speak), second) as (spine, [_, bravo]):
        reply = await spine.ask(ALPHA, BRAVO, stream=True)
        await bravo.until_open(0)
        assert (reply.text, reply.headers["x-steelyard-fallback"]) == ("good", "false")
        assert outcomes(spine) == [("bravo", "outpaced"), ("alpha", "ok")]
        assert not spine.receipts[0].fallback
        assert left_nothing(spine)


async def test_when_both_begin_at_the_same_time_one_answers_and_the_other_is_let_go() -> None:
    asked = asyncio.Event()

    async def second(visit: Visit) -> None:
        await visit.request()
        asked.set()
        await speak(visit)

    async with hedging(once(asked, speak), second) as (spine, _):
        reply = await spine.ask(ALPHA, BRAVO, stream=True)
        assert (reply.text, reply.is_whole_stream()) == ("good", True)
        assert sorted(outcome for _, outcome in outcomes(spine)) == ["ok", "outpaced"]
        assert left_nothing(spine)


async def test_the_first_is_waited_for_when_the_second_fails() -> None:
    failed = asyncio.Event()

    async def second(visit: Visit) -> None:
        await visit.request()
        await visit.write(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n")
        failed.set()
        await visit.left()

    async with hedging(once(failed, speak), second, answering) as (spine, [_, _, delta]):
        reply = await spine.ask(ALPHA, BRAVO, DELTA, stream=True)
        assert reply.text == "good"
        assert outcomes(spine) == [("bravo", "failed"), ("alpha", "ok")]
        assert delta.visits == []


async def test_the_second_is_waited_for_when_the_first_fails() -> None:
    asked, failed = asyncio.Event(), asyncio.Event()

    async def first(visit: Visit) -> None:
        await visit.request()
        await asked.wait()
        await visit.write(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n")
        failed.set()
        await visit.left()

    async def second(visit: Visit) -> None:
        await visit.request()
        asked.set()
        await failed.wait()
        await speak(visit)

    async with hedging(first, second, answering) as (spine, [_, _, delta]):
        reply = await spine.ask(ALPHA, BRAVO, DELTA, stream=True)
        assert reply.text == "good"
        assert outcomes(spine) == [("alpha", "failed"), ("bravo", "ok")]
        assert delta.visits == []


@pytest.mark.parametrize("last", [answering, failing], ids=["the_third_answers", "all_fail"])
async def test_when_both_fail_the_plan_goes_on_behind_them(last: Script) -> None:
    asked = asyncio.Event()

    async def second(visit: Visit) -> None:
        await visit.request()
        asked.set()
        await fail(visit)

    async with hedging(once(asked, fail), second, last) as (spine, servers):
        reply = await spine.ask(ALPHA, BRAVO, DELTA, stream=True)
        assert [len(server.visits) for server in servers] == [1, 1, 1]
        assert {provider for provider, outcome in outcomes(spine)[:2] if outcome == "failed"} == {"alpha", "bravo"}
        assert outcomes(spine)[2][0] == "delta"
        assert (reply.status == 200) is (last is answering)
        if last is failing:
            assert all(target in reply.json["error"]["message"] for target in (ALPHA, BRAVO, DELTA))
        assert left_nothing(spine)


async def test_a_request_that_the_second_finds_wrong_ends_there() -> None:
    async with simulated_hedging() as (spine, simulator):
        reply = await spine.ask(ALPHA, BRAVO, DELTA, stream=True, simulate=f"sim-alpha={NEVER},sim-bravo=F26")
        assert reply.status == 400
        assert sorted(outcomes(spine)) == [("alpha", "cancelled"), ("bravo", "failed")]
        assert [entry.outcome for entry in await ended(simulator, "sim-alpha")] == ["gone"]
        assert await simulator.log("sim-delta") == []
        assert left_nothing(spine)


async def test_a_caller_who_leaves_takes_both_with_him() -> None:
    connection, both_silent = Connection(), f"sim-alpha={NEVER},sim-bravo={NEVER}"
    async with simulated_hedging() as (spine, simulator):
        asking = asyncio.create_task(
            spine.ask(ALPHA, BRAVO, DELTA, stream=True, simulate=both_silent, connection=connection)
        )
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not await simulator.log("sim-bravo"):
                pass
        connection.hang_up()
        await asking
        calls = [*await ended(simulator, "sim-alpha"), *await ended(simulator, "sim-bravo")]
        assert [(call.outcome, call.gone_ms is not None) for call in calls] == [("gone", True)] * 2
        assert (spine.receipts[0].outcome, spine.receipts[0].cost_nano_usd) == ("disconnected", 0)
        assert sorted(outcomes(spine)) == [("alpha", "cancelled"), ("bravo", "cancelled")]
        assert left_nothing(spine)


async def test_both_are_billed_in_whole_nano_dollars() -> None:
    async with simulated_hedging() as (spine, simulator):
        reply = await spine.ask(ALPHA, BRAVO, stream=True, simulate=f"sim-alpha={NEVER}", usage={"include": True})
        [receipt], [bravo] = spine.receipts, await ended(simulator, "sim-bravo")
        lost, won = receipt.attempts
        column = spine.snapshot.chat.targets.ids.index(ALPHA)
        price = spine.snapshot.chat.targets.offers[column].prices.input
        assert price is not None
        assert lost.cost_nano_usd == int(receipt.input_tokens_estimate * price.value * 1_000 + 0.5) > 0
        assert won.cost_nano_usd == bravo.cost_nano_usd > 0
        assert receipt.cost_nano_usd == lost.cost_nano_usd + won.cost_nano_usd
        assert (receipt.cost_estimated, receipt.usage.estimated) == (True, False)
        assert receipt.usage.output_tokens == bravo.output_tokens
        assert reply.json["steelyard"]["cost_usd"] * 1e9 == pytest.approx(receipt.cost_nano_usd)


async def test_the_time_until_the_second_is_asked_is_not_our_own() -> None:
    async with simulated_hedging() as (spine, _):
        await spine.ask(ALPHA, BRAVO, stream=True, simulate=f"sim-alpha={NEVER}")
        [receipt] = spine.receipts
        assert receipt.first_token_seconds is not None
        assert receipt.overhead_seconds <= receipt.first_token_seconds - 2.0 * USUAL_SECONDS


@pytest.mark.parametrize("state", ["cooling", "failing", "full"])
async def test_a_target_in_a_doubtful_state_is_not_asked_besides(state: str) -> None:
    async with hedging(silent, answering, answering) as (spine, [_, bravo, _]):
        column = spine.snapshot.chat.targets.ids.index(BRAVO)
        put_out(spine.health, column, state)
        await spine.ask(ALPHA, BRAVO, DELTA, stream=True)
        assert outcomes(spine) == [("alpha", "outpaced"), ("delta", "ok")]
        assert bravo.visits == []


@pytest.mark.parametrize(
    "extra", [{"seed": 7}, {"tool_choice": 7}], ids=["that_it_would_lose", "that_cannot_be_translated"]
)
async def test_a_target_of_another_format_is_not_asked_besides_for_something(extra: dict[str, Any]) -> None:
    async with raw(silent) as alpha, raw(answering) as other, raw(answering) as delta:
        own = {
            "base_url": f"http://127.0.0.1:{other.port}",
            "dialect": "anthropic_messages",
            "models": [{"id": "own/model", "upstream_name": "model"}],
        }
        ports = {"sim-alpha": alpha.port, "sim-delta": delta.port}
        async with opened(snapshot_of(ports, HEDGED, {"own": own})) as spine:
            accustomed(spine)
            reply = await spine.ask(ALPHA, "own/model", DELTA, stream=True, **extra)
            assert reply.text == "good"
            assert outcomes(spine) == [("alpha", "outpaced"), ("delta", "ok")]
            assert other.visits == []
            assert left_nothing(spine)


async def test_of_two_hundred_late_streams_ten_have_a_second_call() -> None:
    async with simulated_hedging() as (spine, simulator):
        accustomed(spine, answers=5_000, requests=0)  # two hundred late ones do not change what is late
        while spine.state.hedges.has_room:
            spine.state.hedges.pay()
        slow = "sim-alpha=F84;pr=1;delay=60"
        await asyncio.gather(*(spine.ask(ALPHA, BRAVO, stream=True, simulate=slow) for _ in range(200)))
        assert len(spine.receipts) == len(await simulator.log("sim-alpha")) == 200
        assert len(await simulator.log("sim-bravo")) == 10
        assert left_nothing(spine)


def test_second_calls_are_never_more_than_a_twentieth_of_the_requests() -> None:
    budget, chance = HedgeBudget(), random.Random(1)
    requests = calls = most_at_once = 0
    for _ in range(2_000):
        for _ in range(chance.randrange(40)):
            budget.earn()
            requests += 1
        at_once = 0
        while budget.has_room and chance.random() < 0.9:
            budget.pay()
            at_once += 1
        calls, most_at_once = calls + at_once, max(at_once, most_at_once)
        assert calls * 20 <= requests
    assert calls * 21 > requests


def test_what_is_saved_up_is_ten_calls() -> None:
    budget = HedgeBudget()
    for _ in range(10_000):
        budget.earn()
    calls = 0
    while budget.has_room:
        budget.pay()
        calls += 1
    assert calls == 10


async def test_a_call_that_never_left_is_not_paid_for() -> None:
    """The first provider's port takes no connection, so that nothing of the request has gone there."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as choked, ExitStack() as fillers:
        for _ in range(2):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(choked.getsockname())
        async with raw(answering) as bravo:
            ports = {"sim-alpha": choked.getsockname()[1], "sim-bravo": bravo.port}
            async with opened(snapshot_of(ports, HEDGED)) as spine:
                accustomed(spine)
                reply = await spine.ask(ALPHA, BRAVO, stream=True)
                assert reply.is_whole_stream()
                assert outcomes(spine) == [("alpha", "cancelled"), ("bravo", "ok")]
                [receipt] = spine.receipts
                assert receipt.attempts[0].cost_nano_usd == 0
                assert receipt.cost_nano_usd == receipt.attempts[1].cost_nano_usd
                assert left_nothing(spine)
