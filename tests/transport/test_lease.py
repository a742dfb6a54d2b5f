"""A token that is held for a time: fetched once, renewed in time, never asked for in vain."""

import asyncio

import pytest

from gateway.transport.failure import TransportFailure
from gateway.transport.lease import FETCH_SECONDS, Lease, Lent
from gateway.transport.logins import AwsKeys
from gateway.wire.secret import Secret

REFUSED = TransportFailure("credentials", "no")


class Clock:
    """Unix seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Source:
    """Gives out numbered tokens for an hour each, or fails."""

    def __init__(self, clock: Clock) -> None:
        self.asked = 0
        self.failure: TransportFailure | None = None
        self._clock = clock

    async def __call__(self) -> Lent:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return Lent(Secret(f"token-{self.asked}"), self._clock.now + 3600)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source(clock: Clock) -> Source:
    return Source(clock)


@pytest.fixture
def lease(source: Source, clock: Clock) -> Lease:
    return Lease(source, clock)


def held(lease: Lease) -> AwsKeys | Secret | None:
    return lease.current


async def test_nothing_is_held_before_somebody_asks(lease: Lease, source: Source) -> None:
    assert held(lease) is None
    assert lease.due_at == 0.0
    assert source.asked == 0


async def test_many_who_need_one_at_once_wait_for_the_same(lease: Lease, source: Source) -> None:
    found = await asyncio.gather(*(lease.obtain() for _ in range(20)))
    assert set(found) == {Secret("token-1")}
    assert source.asked == 1
    assert held(lease) == Secret("token-1")


async def test_it_is_due_five_minutes_before_it_runs_out_and_used_until_shortly_before(
    lease: Lease, source: Source, clock: Clock
) -> None:
    await lease.obtain()
    assert lease.due_at == clock.now + 3300
    clock.now += 3300
    assert held(lease) == Secret("token-1")
    await lease.renew()
    assert held(lease) == Secret("token-2")
    clock.now += 3590
    assert held(lease) is None
    assert await lease.obtain() == Secret("token-3")


async def test_one_that_is_not_due_is_not_renewed(lease: Lease, source: Source) -> None:
    await lease.obtain()
    await lease.renew()
    assert source.asked == 1


async def test_a_renewal_that_fails_leaves_the_old_one_and_is_tried_again_later(
    lease: Lease, source: Source, clock: Clock
) -> None:
    await lease.obtain()
    clock.now += 3300
    source.failure = REFUSED
    with pytest.raises(TransportFailure):
        await lease.renew()
    assert held(lease) == Secret("token-1")
    assert lease.due_at == clock.now + 30


async def test_a_failure_answers_for_those_who_come_right_behind_it(lease: Lease, source: Source, clock: Clock) -> None:
    source.failure = REFUSED
    found = await asyncio.gather(*(lease.obtain() for _ in range(20)), return_exceptions=True)
    assert found == [REFUSED] * 20
    assert source.asked == 1
    clock.now += 2
    source.failure = None
    assert await lease.obtain() == Secret("token-2")


async def test_who_gives_up_waiting_leaves_the_fetch_to_the_next(clock: Clock) -> None:
    may_answer = asyncio.Event()

    async def slow() -> Lent:
        await may_answer.wait()
        return Lent(Secret("late"))

    lease = Lease(slow, clock)
    first, second = asyncio.create_task(lease.obtain()), asyncio.create_task(lease.obtain())
    await asyncio.wait({first, second}, timeout=0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    may_answer.set()
    assert await second == Secret("late")


async def test_a_server_that_never_answers_is_not_waited_for(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    assert FETCH_SECONDS <= 10
    monkeypatch.setattr("gateway.transport.lease.FETCH_SECONDS", 0.01)

    async def silent() -> Lent:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(TransportFailure, match="did not answer") as failed:
        await Lease(silent, clock).obtain()
    assert failed.value.cause == "connect_timeout"


async def test_one_that_its_taker_refuses_is_fetched_anew_unless_it_is_fresh(
    lease: Lease, source: Source, clock: Clock
) -> None:
    await lease.obtain()
    lease.distrust()
    assert held(lease) == Secret("token-1")
    clock.now += 61
    lease.distrust()
    assert held(lease) is None
    assert await lease.obtain() == Secret("token-2")
