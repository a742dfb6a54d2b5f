"""Further tries: plenty for few requests, a fifth of many, and the first fallback always."""

import asyncio

import pytest

from gateway.execution.retry_budget import RetryBudget
from tests.execution.providers import simulated
from tests.execution.spine import opened, snapshot_of

EVERYBODY = ("sim-alpha", "sim-bravo", "sim-charlie", "sim-delta")


def spent(requests_per_second: int, tries_each: int, seconds: int = 60) -> float:
    """Tries per request that are allowed, once it has gone on for a while."""
    budget, allowed, asked = RetryBudget(), 0, 0
    for step in range(requests_per_second * seconds):
        now = 1_000.0 + step / requests_per_second
        budget.request(now)
        granted = sum(budget.allows(now) for _ in range(tries_each))
        if step > requests_per_second * seconds / 2:
            allowed, asked = allowed + granted, asked + 1
    return allowed / asked


def test_few_requests_may_try_as_often_as_they_like() -> None:
    assert spent(3, 2) == 2.0


@pytest.mark.parametrize("rate", [200, 1_000])
def test_of_many_requests_a_fifth_and_ten_a_second_may_try_on(rate: int) -> None:
    assert spent(rate, 2) == pytest.approx(0.2 + 10.0 / rate, rel=0.05)


def test_a_burst_after_silence_has_a_hundred_and_then_it_is_over() -> None:
    budget = RetryBudget()
    assert sum(budget.allows(500.0) for _ in range(1_000)) == 100
    assert not budget.allows(500.0)
    assert budget.allows(501.0)


async def test_when_everybody_is_down_requests_end_after_their_first_fallback() -> None:
    async with simulated(*EVERYBODY) as sim, opened(snapshot_of(sim.ports)) as spine:
        while spine.state.retries.allows(asyncio.get_running_loop().time()):
            pass
        reply = await spine.ask(simulate="F29")
        other = await spine.ask(simulate="sim-alpha=F29,sim-bravo=F29")
    assert reply.status == 502
    assert len(reply.json["steelyard"]["attempts"]) == 2
    assert "too many requests are failing" in reply.json["error"]["message"]
    assert len(other.json["steelyard"]["attempts"]) <= 2


async def test_a_request_that_is_spared_a_hopeless_call_is_told_when_to_come_back() -> None:
    target = "sim/swift-mini@sim-alpha"
    async with simulated("sim-alpha") as sim, opened(snapshot_of(sim.ports)) as spine:
        for _ in range(6):
            await spine.ask(target, simulate="F29")
        while spine.state.retries.allows_panic(asyncio.get_running_loop().time()):
            pass
        reply = await spine.ask(target, simulate="F29")
    assert (reply.status, reply.json["steelyard"]["attempts"]) == (503, [])
    assert int(reply.headers["retry-after"]) >= 1


@pytest.mark.parametrize(("requests_per_second", "most_share"), [(1, 1.1), (100, 0.05), (1_000, 0.035)])
def test_when_all_are_out_few_of_many_requests_are_tried_and_every_one_of_few(
    requests_per_second: int, most_share: float
) -> None:
    budget, allowed, asked = RetryBudget(), 0, 0
    for step in range(requests_per_second * 60):
        now = step / requests_per_second
        budget.request(now)
        is_allowed = budget.allows_panic(now)
        if now > 20:
            asked += 1
            allowed += is_allowed
    assert 0 < allowed <= most_share * asked
