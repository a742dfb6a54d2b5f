"""Who gets the `steelyard` object: all, unless the settings or the request say otherwise."""

import pytest

from tests.execution.providers import simulated
from tests.execution.spine import ALPHA, opened, snapshot_of

OFF, ON = ("x-steelyard-metadata", "off"), ("x-steelyard-metadata", "on")
OPENROUTERS = ("x-openrouter-metadata", "enabled")


@pytest.mark.parametrize("is_usual", [True, False], ids=["usual", "unusual"])
@pytest.mark.parametrize(
    ("header", "wants"),
    [(None, None), (OFF, False), (ON, True), (OPENROUTERS, True)],
    ids=["silent", "off", "on", "openrouter"],
)
async def test_the_request_goes_before_the_settings(
    is_usual: bool, header: tuple[str, str] | None, wants: bool | None
) -> None:
    asked = [] if header is None else [header]
    async with simulated("sim-alpha") as simulator:
        snapshot = snapshot_of(simulator.ports, metadata={"body": is_usual})
        async with opened(snapshot) as spine:
            reply = await spine.ask(ALPHA, headers=asked)
    assert ("steelyard" in reply.json) == (is_usual if wants is None else wants)


async def test_openrouters_way_to_ask_for_usage_is_heard() -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        reply = await spine.ask(ALPHA, stream=True, usage={"include": True})
        assert reply.body.count(b'"prompt_tokens"') == 1
