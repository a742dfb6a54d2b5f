"""A request that is sent again with its Idempotency-Key has one answer and costs once."""

import asyncio
from typing import Any

import pytest

from gateway.dialects.formats import MESSAGES
from gateway.server.embeddings import EmbeddingGeneration
from gateway.server.replays import Replays
from tests.execution.providers import Visit, raw, simulated
from tests.execution.spine import ALPHA, Reply, Spine, opened, snapshot_of

MODES = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


async def ask(spine: Spine, key: str = "one", **fields: Any) -> Reply:
    return await spine.ask(ALPHA, headers=[("idempotency-key", key)], **fields)


@MODES
async def test_the_second_gets_what_the_first_got_and_nobody_is_asked(stream: bool) -> None:
    async with simulated("sim-alpha") as sim, opened(snapshot_of(sim.ports)) as spine:
        first, second = await ask(spine, stream=stream), await ask(spine, stream=stream)
        other = await ask(spine, "two", stream=stream)
        log = await sim.log("sim-alpha")
    assert second.body == first.body
    assert second.headers == {**first.headers, "x-steelyard-replayed": "true"}
    assert "x-steelyard-replayed" not in other.headers
    assert other.headers["x-steelyard-decision"] != first.headers["x-steelyard-decision"]
    assert (len(log), len(spine.receipts)) == (2, 2)


@MODES
async def test_one_that_comes_while_the_first_is_under_way_waits_for_its_answer(stream: bool) -> None:
    async with simulated("sim-alpha") as sim, opened(snapshot_of(sim.ports)) as spine:
        replies = await asyncio.gather(*(ask(spine, stream=stream) for _ in range(5)))
        log = await sim.log("sim-alpha")
    assert len({reply.body for reply in replies}) == 1
    assert (len(log), len(spine.receipts)) == (1, 1)
    assert spine.state.gate.in_flight == 0


async def test_the_other_formats_keep_their_answers_too() -> None:
    vectors = {"model": "sim/embed-small", "input": "x"}
    message = {"max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}
    key = [("idempotency-key", "one")]
    async with simulated("sim-alpha") as sim, opened(snapshot_of(sim.ports)) as spine:
        for _ in range(2):
            await spine.ask(document=vectors, endpoint=EmbeddingGeneration(spine.state), headers=key)
        for _ in range(2):
            await spine.ask(ALPHA, document=dict(message), inbound=MESSAGES, headers=[("idempotency-key", "two")])
        log = await sim.log("sim-alpha")
    assert (len(log), len(spine.receipts)) == (2, 2)


async def test_a_key_that_stood_for_another_request_is_refused() -> None:
    async with simulated("sim-alpha") as sim, opened(snapshot_of(sim.ports)) as spine:
        await ask(spine)
        other = await ask(spine, max_tokens=5)
        long = await ask(spine, "k" * 256)
    assert (other.status, other.json["error"]["code"]) == (422, "idempotency_key_reused")
    assert (long.status, long.json["error"]["code"]) == (400, "invalid_idempotency_key")


@MODES
@pytest.mark.parametrize("fault", ["F29", "F26", "F53;after=2"])
async def test_what_was_not_answered_whole_is_asked_anew(stream: bool, fault: str) -> None:
    async with simulated("sim-alpha") as sim, opened(snapshot_of(sim.ports)) as spine:
        await ask(spine, stream=stream, simulate=fault)
        again = await ask(spine, stream=stream)
    assert again.status == 200
    assert again.text
    assert "x-steelyard-replayed" not in again.headers


async def test_who_waits_for_one_that_fails_is_asked_for_himself() -> None:
    async def once_bad(visit: Visit) -> None:
        while True:
            await visit.request()
            if visit.number == 1 and len(visit.heads) == 1:
                await visit.write(b"HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n")
            else:
                await visit.answer()

    async with raw(once_bad) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        first, second = await asyncio.gather(ask(spine), ask(spine))
    assert {first.status, second.status} == {502, 200}


async def test_answers_make_room_for_later_ones() -> None:
    async with simulated("sim-alpha") as sim, opened(snapshot_of(sim.ports)) as spine:
        spine.state.replays = Replays(2, 2**20)
        for key in ("one", "two", "three"):
            await ask(spine, key)
        replayed = ["x-steelyard-replayed" in (await ask(spine, key)).headers for key in ("three", "two", "one")]
    assert replayed == [True, True, False]
