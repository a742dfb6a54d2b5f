"""What a target counts for a token is learned from whole streams, and holds for those that broke off."""

import pytest

from gateway.execution.counting import MOST, Counting
from gateway.wire.delta import Usage
from tests.execution.providers import simulated
from tests.execution.spine import ALPHA, opened, snapshot_of


def learned(theirs: Usage, ours: Usage, times: int = 300) -> Counting:
    counting = Counting()
    for _ in range(times):
        counting.heard(0, theirs, ours)
    return counting


async def test_a_stream_that_breaks_off_is_billed_as_its_provider_counts() -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        for _ in range(30):
            assert (await spine.ask(ALPHA, stream=True, max_tokens=100)).status == 200
        cut = await spine.ask(ALPHA, stream=True, simulate="F53;after=60", max_tokens=100)
        assert cut.is_cut_stream()
        booked, sent = spine.receipts[-1].usage, (await simulator.log("sim-alpha"))[-1]
        assert booked.estimated
        assert booked.output_tokens == pytest.approx(sent.output_tokens, rel=0.1)


def test_nothing_is_corrected_before_anything_was_counted() -> None:
    assert Counting().corrected(0, Usage(10, output_tokens=20)) == Usage(10, output_tokens=20)


def test_both_sides_are_corrected_and_hidden_reasoning_is_left_out() -> None:
    counting = learned(Usage(150, output_tokens=180, reasoning_tokens=120), Usage(100, output_tokens=80))
    found = counting.corrected(0, Usage(1_000, output_tokens=1_000, estimated=True))
    assert [found.input_tokens, found.output_tokens] == pytest.approx([1_500, 750], rel=0.01)
    assert found.estimated
    assert counting.corrected(1, Usage(1_000)) == Usage(1_000), "of another target nothing is known"


def test_one_odd_stream_moves_little_and_no_target_is_believed_beyond_measure() -> None:
    counting = learned(Usage(100, output_tokens=100), Usage(100, output_tokens=100))
    counting.heard(0, Usage(100, output_tokens=400), Usage(100, output_tokens=100))
    assert counting.corrected(0, Usage(0, output_tokens=1_000)).output_tokens < 1_050
    absurd = learned(Usage(1, output_tokens=10_000), Usage(1_000, output_tokens=10))
    assert absurd.corrected(0, Usage(100, output_tokens=100)) == Usage(round(100 / MOST), output_tokens=int(100 * MOST))


async def test_a_reload_forgets_nothing_of_it() -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        column = spine.snapshot.chat.targets.ids.index(ALPHA)
        spine.health.counting.heard(column, Usage(300, output_tokens=300), Usage(100, output_tokens=100))
        after = snapshot_of(simulator.ports).chat
        after.health.adopt(spine.health, set())
        again = after.targets.ids.index(ALPHA)
        ours = Usage(100, output_tokens=100)
        assert after.health.counting.corrected(again, ours) == spine.health.counting.corrected(column, ours) != ours
