"""Host names: nobody waits for another's, and what was known once goes on serving while nobody answers (F02)."""

import asyncio
import contextlib
import socket
from threading import Event

import pytest
from aiohttp.abc import ResolveResult
from yarl import URL

from gateway.transport.resolver import Resolver, ask_system
from gateway.transport.send import Transport, TransportFailure, read_whole
from tests.execution.providers import Visit, raw


class Clock:
    """Monotonic seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def at(*hosts: str) -> list[ResolveResult]:
    return [
        ResolveResult(hostname="a.example", host=host, port=80, family=socket.AF_INET, proto=0, flags=0)
        for host in hosts
    ]


class Names:
    """A name server: gives out its answers in order, the last one for ever."""

    def __init__(self, *answers: list[ResolveResult] | OSError) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, OSError):
            raise answer
        return [ResolveResult(**{**found, "port": port}) for found in answer]


DOWN = socket.gaierror(socket.EAI_AGAIN, "temporary failure")


async def test_a_fresh_answer_is_not_asked_for_again_and_addresses_take_turns() -> None:
    names = Names(at("127.0.0.1", "127.0.0.2"))
    resolver = Resolver(names, Clock())
    firsts = [(await resolver.resolve("a.example", 80))[0]["host"] for _ in range(3)]
    assert firsts == ["127.0.0.1", "127.0.0.2", "127.0.0.1"]
    assert names.asked == 1


@pytest.mark.parametrize(("age", "is_served"), [(301.0, True), (3599.0, True), (3601.0, False)])
async def test_a_failing_name_server_is_bridged_for_an_hour(age: float, is_served: bool) -> None:
    clock = Clock()
    resolver = Resolver(Names(at("127.0.0.1"), DOWN), clock)
    await resolver.resolve("a.example", 80)
    clock.now = age
    with contextlib.nullcontext() if is_served else pytest.raises(socket.gaierror):
        assert (await resolver.resolve("a.example", 80))[0]["host"] == "127.0.0.1"


async def test_while_it_fails_it_is_asked_once_in_five_seconds() -> None:
    clock, names = Clock(), Names(at("127.0.0.1"), DOWN)
    resolver = Resolver(names, clock)
    counts = []
    for clock.now in (0.0, 301.0, 302.0, 305.9, 306.0):
        await resolver.resolve("a.example", 80)
        counts.append(names.asked)
    assert counts == [1, 2, 2, 2, 3]


async def test_after_a_failure_the_new_address_is_taken_over() -> None:
    clock = Clock()
    resolver = Resolver(Names(at("127.0.0.1"), DOWN, at("127.0.0.9")), clock)
    hosts = []
    for clock.now in (0.0, 301.0, 307.0):
        hosts.append((await resolver.resolve("a.example", 80))[0]["host"])
    assert hosts == ["127.0.0.1", "127.0.0.1", "127.0.0.9"]


async def test_many_names_without_an_answer_hold_up_no_other() -> None:
    release = Event()

    def look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        if host.startswith("stuck"):
            release.wait()
        return at("127.0.0.1")

    resolver = Resolver(look_up)
    stuck = [asyncio.ensure_future(resolver.resolve(f"stuck{number}.example", 80)) for number in range(40)]
    try:
        assert await resolver.resolve("a.example", 80)
        assert not any(one.done() for one in stuck)
    finally:
        release.set()
    assert all(await asyncio.gather(*stuck))


async def test_what_is_known_serves_while_an_answer_is_slow_and_a_late_one_is_kept() -> None:
    clock, release = Clock(), Event()

    def look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        if clock.now == 0.0:
            return at("127.0.0.1")
        release.wait()
        return at("127.0.0.9")

    resolver = Resolver(look_up, clock)
    await resolver.resolve("a.example", 80)
    clock.now = 301.0
    try:
        assert (await resolver.resolve("a.example", 80))[0]["host"] == "127.0.0.1"
    finally:
        release.set()
    clock.now = 307.0  # the question is still under way, or has just been answered
    assert (await resolver.resolve("a.example", 80))[0]["host"] == "127.0.0.9"


async def test_who_asks_at_the_same_time_shares_one_question_and_leaving_ends_it_for_nobody() -> None:
    release, names = Event(), Names(at("127.0.0.1"))

    def look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        release.wait()
        return names(host, port, family)

    resolver = Resolver(look_up)
    leaving, staying = (asyncio.ensure_future(resolver.resolve("a.example", 80)) for _ in range(2))
    await asyncio.wait((leaving, staying), timeout=0)
    leaving.cancel()
    release.set()
    assert await staying
    assert names.asked == 1


async def test_a_name_without_any_address_is_a_failure() -> None:
    with pytest.raises(OSError, match="no address"):
        await Resolver(Names([])).resolve("a.example", 80)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNSPEC])
def test_the_operating_system_knows_this_machine(family: socket.AddressFamily) -> None:
    assert {"127.0.0.1"} <= {found["host"] for found in ask_system("localhost", 80, family)}


async def test_requests_go_on_by_name_while_the_name_server_fails() -> None:
    async def serve(visit: Visit) -> None:
        await visit.request()
        await visit.answer()

    clock, names = Clock(), Names(at("127.0.0.1"), DOWN)
    transport = Transport(Resolver(names, clock))
    await transport.open()
    try:
        async with raw(serve) as server:

            async def status_of(host: str) -> int:
                answer = await transport.post(URL(f"http://{host}:{server.port}/"), {}, b"", 1.0, None)
                await read_whole(answer, 1_000)
                answer.close()
                return answer.status

            for clock.now in (0.0, 301.0):
                assert await status_of("a.example") == 200
            assert names.asked == 2
            with pytest.raises(TransportFailure, match="cannot be resolved"):
                await status_of("b.example")
    finally:
        await transport.close()
