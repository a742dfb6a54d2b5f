"""A provider that takes only so many requests at once: its room is found out, and the rest goes elsewhere."""

import asyncio

from gateway.execution.concurrency import FORGOTTEN, ConcurrencyLimit
from gateway.live import Snapshot
from tests.execution.providers import GOOD, Visit, raw, simulated
from tests.execution.spine import opened, snapshot_of

CAPACITY, CALLERS, REQUESTS = 6, 24, 40
FULL = b"HTTP/1.1 529 Full\r\ncontent-length: 0\r\n\r\n"


def test_nothing_is_limited_until_somebody_refuses() -> None:
    limit = ConcurrencyLimit()
    for _ in range(5_000):
        limit.began()
    assert limit.has_room


def test_a_refusal_takes_a_fifth_and_answers_give_it_back_one_by_one() -> None:
    limit = ConcurrencyLimit()
    for _ in range(10):
        limit.began()
    limit.crowded()
    assert (limit.limit, limit.under_way) == (8.0, 9)
    assert not limit.has_room
    for _ in range(9):
        limit.answered()
    grown = limit.limit
    assert 8.0 < grown <= 9.5
    limit.began()
    limit.answered()
    assert limit.limit == grown, "one request at a time says nothing of how many more there could be"


def test_a_limit_never_falls_below_one() -> None:
    limit = ConcurrencyLimit()
    for _ in range(50):
        limit.began()
        limit.crowded()
    assert limit.limit == 1.0
    assert limit.has_room


def test_a_limit_that_has_grown_large_is_forgotten() -> None:
    limit = ConcurrencyLimit()
    for _ in range(2_000):
        limit.began()
    limit.limit = FORGOTTEN
    limit.answered()
    assert limit.limit == float("inf")


def two_hosts(narrow: int, wide: int) -> Snapshot:
    """The same model at a cheap host and at a dear one."""
    providers = {
        name: {
            "base_url": f"http://127.0.0.1:{port}/v1",
            "models": [{"id": "own/model", "upstream_name": "sim/swift-mini", "input_price_usd": price}],
        }
        for name, port, price in (("narrow", narrow, 0.1), ("wide", wide, 9.0))
    }
    return snapshot_of({}, providers=providers, router={"weights": {"cost": 1}})


async def test_callers_see_no_refusal_and_the_provider_few() -> None:
    active, refused, served = 0, 0, 0

    async def narrow(visit: Visit) -> None:
        nonlocal active, refused, served
        while True:
            await visit.request()
            if active >= CAPACITY:
                refused += 1
                await visit.write(FULL)
                continue
            active += 1
            for _ in range(20):  # turns of the loop in which others come
                await asyncio.sleep(0)
            active -= 1
            served += 1
            await visit.answer(GOOD)

    async with (
        raw(narrow) as server,
        simulated("sim-bravo") as sim,
        opened(two_hosts(server.port, sim.ports["sim-bravo"])) as spine,
    ):

        async def caller() -> list[int]:
            return [(await spine.ask(model="own/model")).status for _ in range(REQUESTS)]

        statuses = await asyncio.gather(*(caller() for _ in range(CALLERS)))
    assert {status for several in statuses for status in several} == {200}
    assert served > 0
    assert refused < 0.1 * CALLERS * REQUESTS
    assert spine.health.under_way == 0
