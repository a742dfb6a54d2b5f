"""Several keys of one provider: they take turns, and one that is limited or refused is not the provider's end."""

from collections.abc import Mapping

import pytest

from gateway.live import Snapshot
from tests.execution.providers import Simulated, simulated
from tests.execution.spine import Reply, Spine, opened, snapshot_of

KEYS = ("key-one-000001", "key-two-000002", "key-three-003")


def two_hosts(ports: Mapping[str, int], keys: str = ",".join(KEYS)) -> Snapshot:
    """A model at a provider with several keys, and, dearer, at one without any."""
    model = {"id": "own/model", "upstream_name": "sim/swift-mini"}
    providers = {
        "many": {
            "base_url": f"http://127.0.0.1:{ports['sim-alpha']}/v1",
            "api_key": "env:KEYS",
            "models": [{**model, "input_price_usd": 0.1, "output_price_usd": 0.1}],
        },
        "none": {
            "base_url": f"http://127.0.0.1:{ports['sim-bravo']}/v1",
            "models": [{**model, "input_price_usd": 9, "output_price_usd": 9}],
        },
    }
    return snapshot_of({}, providers=providers, environ={"KEYS": keys}, router={"weights": {"cost": 1}})


async def ask(spine: Spine, count: int = 1) -> list[Reply]:
    return [await spine.ask(model="own/model") for _ in range(count)]


async def spoil(sim: Simulated, key: str, fault: str) -> None:
    """From now on this fault answers whoever comes with this key."""
    await sim.script("sim-alpha", fault, key=key)


async def test_requests_take_turns_with_the_keys() -> None:
    async with simulated("sim-alpha", "sim-bravo") as sim, opened(two_hosts(sim.ports)) as spine:
        replies = await ask(spine, 6)
    assert [reply.json["steelyard"]["attempts"][0]["key"] for reply in replies] == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize("fault", ["F21", "F22", "F17", "F19", "F11;ra=60"])
async def test_a_dead_or_limited_key_costs_one_call_and_no_caller_notices(fault: str) -> None:
    async with simulated("sim-alpha", "sim-bravo") as sim, opened(two_hosts(sim.ports)) as spine:
        await spoil(sim, KEYS[1], fault)
        replies = await ask(spine, 9)
        log = await sim.log("sim-alpha")
    assert {reply.json["steelyard"]["target"] for reply in replies} == {"own/model@many"}
    assert len([entry for entry in log if entry.status != 200]) == 1
    struck = next(reply for reply in replies if len(reply.json["steelyard"]["attempts"]) > 1)
    first, second = struck.json["steelyard"]["attempts"]
    assert (first["key"], second["key"], second["outcome"]) == (2, 3, "ok")
    assert first["target"] == second["target"]


async def test_when_every_key_is_dead_another_provider_answers() -> None:
    async with simulated("sim-alpha", "sim-bravo") as sim, opened(two_hosts(sim.ports)) as spine:
        for key in KEYS:
            await spoil(sim, key, "F21")
        first, second = await ask(spine, 2)
    assert [one["target"] for one in first.json["steelyard"]["attempts"]] == ["own/model@many"] * 3 + ["own/model@none"]
    assert [one["target"] for one in second.json["steelyard"]["attempts"]] == ["own/model@none"]


async def test_no_key_is_ever_seen_in_an_answer() -> None:
    async with simulated("sim-alpha", "sim-bravo") as sim, opened(two_hosts(sim.ports)) as spine:
        for key in KEYS:
            await spoil(sim, key, "F21")  # the provider's answer repeats the key
        reply = (await ask(spine))[0]
    assert not [key for key in KEYS if key.encode() in reply.body]


async def test_a_fault_of_the_host_leads_to_another_host_and_not_to_another_key() -> None:
    async with simulated("sim-alpha", "sim-bravo") as sim, opened(two_hosts(sim.ports)) as spine:
        await spoil(sim, KEYS[0], "F29")
        reply = (await ask(spine))[0]
    assert [one["target"] for one in reply.json["steelyard"]["attempts"]] == ["own/model@many", "own/model@none"]


async def test_spaces_line_ends_and_repetitions_between_keys_are_nothing() -> None:
    text = f" {KEYS[0]} ,{KEYS[1]}\n{KEYS[0]},,"
    async with simulated("sim-alpha", "sim-bravo") as sim, opened(two_hosts(sim.ports, text)) as spine:
        replies = await ask(spine, 3)
    assert [reply.json["steelyard"]["attempts"][0]["key"] for reply in replies] == [1, 2, 1]
