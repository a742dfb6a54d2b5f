"""When memory is short nothing new is taken in, and what is under way goes on."""

import asyncio
from pathlib import Path

import pytest

from gateway.errors import Overloaded
from gateway.server.limits import Gate
from gateway.server.memory import is_full, resident_bytes, stated_limit
from tests.execution.providers import GOOD, Visit, raw
from tests.execution.spine import ALPHA, opened, snapshot_of


def test_the_memory_in_use_is_known() -> None:
    assert 20 * 2**20 < resident_bytes() < 4 * 2**30
    assert is_full(resident_bytes())
    assert not is_full(100 * resident_bytes())
    assert not is_full(0)


@pytest.mark.parametrize(("text", "limit"), [("536870912\n", 2**29), ("max\n", 0), ("9223372036854771712\n", 0)])
def test_the_limit_of_a_container_is_read_where_the_system_states_it(tmp_path: Path, text: str, limit: int) -> None:
    (tmp_path / "memory.max").write_text(text)
    assert stated_limit((tmp_path / "nothing", tmp_path / "memory.max")) == limit
    assert stated_limit((tmp_path / "nothing",)) == 0


def test_with_nothing_under_way_one_is_taken_in_whatever_is_in_use() -> None:
    gate = Gate(10, max_memory_bytes=1)
    for _ in range(3):
        gate.enter()
        gate.leave()
    gate.enter()
    with pytest.raises(Overloaded, match="Memory is short"):
        gate.enter()


async def test_callers_are_told_to_come_again_while_memory_is_short() -> None:
    others = []

    async def slow(visit: Visit) -> None:
        await visit.request()
        others.append(await spine.ask(ALPHA))
        await visit.answer(GOOD)

    async with raw(slow) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        spine.state.gate.max_memory_bytes = 1
        first = await asyncio.create_task(spine.ask(ALPHA))
    assert first.status == 200
    assert (others[0].status, others[0].headers["retry-after"]) == (503, "1")
