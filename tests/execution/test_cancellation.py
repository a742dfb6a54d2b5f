"""A caller who leaves, at every point where a request can wait: the provider is released, one receipt is written."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import pytest

from gateway.server.limits import Message, Send
from gateway.server.understanding import LONG_BYTES
from tests.execution.providers import RawServer, Visit, raw
from tests.execution.spine import ALPHA, Connection, Reply, Spine, opened, snapshot_of, take

MODES = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
MOST_WAITS = 200

Leave = Callable[[Connection, asyncio.Task[Any]], None]


class Counted:
    """Awaits `inner`, and calls `at_wait` with 1, 2, ... whenever it is about to wait for something."""

    def __init__(self, inner: Awaitable[Reply], at_wait: Callable[[int], None]) -> None:
        self._inner = inner.__await__()
        self._at_wait = at_wait

    def __await__(self) -> Generator[Any, None, Reply]:
        waits = 0
        step: Callable[[], Any] = lambda: next(self._inner)  # noqa: E731
        while True:
            try:
                awaited = step()
            except StopIteration as ended:
                reply: Reply = ended.value
                return reply
            waits += 1
            self._at_wait(waits)
            try:
                yield awaited
            except BaseException as thrown:
                step = throwing(self._inner, thrown)
            else:
                step = lambda: next(self._inner)  # noqa: E731


def throwing(inner: Generator[Any, None, Reply], thrown: BaseException) -> Callable[[], Any]:
    return lambda: inner.throw(thrown)


DOCUMENT = (
    b'{"choices":[',
    b'{"index":0,"message":{"role":"assistant",',
    b'"content":"good"},',
    b'"finish_reason":"stop"}]}',
)


async def pause() -> None:
    """Long enough for the other side, on the same loop, to read what was written and wait for more."""
    for _ in range(5):
        await asyncio.sleep(0)


async def piecemeal(visit: Visit) -> None:
    """Answers in pieces, so that a request has many points at which to wait."""
    while True:
        streams = b'"stream":true' in await visit.request()
        if not streams:
            await visit.begin("application/json")
            for piece in DOCUMENT:
                await pause()
                await visit.chunk(piece)
        else:
            await visit.begin()
            for word in ("", "good", " and", " slow"):
                await pause()
                await visit.event({"role": "assistant", "content": word})
            await visit.event({}, "stop")
            await pause()
            await visit.chunk(b"data: [DONE]\n\n")
        await visit.chunk(b"")


def hesitant(reply: Reply) -> Send:
    """A caller whose socket makes every write wait."""

    async def send(message: Message) -> None:
        await asyncio.sleep(0)
        take(reply, message)

    return send


async def ask_until(spine: Spine, stream: bool, wait: int, leave: Leave) -> bool:
    """One request whose caller leaves at its n-th wait. True when it got that far."""
    connection, left = Connection(), False

    def at_wait(number: int) -> None:
        nonlocal left
        task = asyncio.current_task()
        assert task is not None
        if number == wait:
            left = True
            asyncio.get_running_loop().call_soon(leave, connection, task)

    async def run() -> Reply:
        return await Counted(spine.ask(ALPHA, stream=stream, connection=connection, send=hesitant), at_wait)

    task = asyncio.create_task(run())
    await asyncio.wait([task])
    assert task.cancelled() or task.exception() is None
    return left


def hang_up(connection: Connection, task: asyncio.Task[Any]) -> None:
    connection.hang_up()


def shut_down(connection: Connection, task: asyncio.Task[Any]) -> None:
    task.cancel()


ENDINGS: list[tuple[Leave, set[str]]] = [(hang_up, {"disconnected"}), (shut_down, {"failed", "cut"})]


@MODES
@pytest.mark.parametrize(("leave", "ending"), ENDINGS, ids=["hang_up", "shut_down"])
async def test_leaving_at_any_wait_releases_the_provider_and_writes_one_receipt(
    stream: bool, leave: Leave, ending: set[str]
) -> None:
    async with raw(piecemeal) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        outcomes = []
        for wait in range(1, MOST_WAITS):
            spine.receipts.clear()
            got_there = await ask_until(spine, stream, wait, leave)
            assert len(spine.receipts) == 1, f"{len(spine.receipts)} receipts after leaving at wait {wait}"
            outcomes.append(spine.receipts[0].outcome)
            await still_serves(spine, server, stream)
            if not got_there:
                break
        assert not got_there
        assert sum(outcome in ending for outcome in outcomes) >= 5  # connect, headers, and each piece
        assert set(outcomes) <= {*ending, "ok"}
        assert spine.state.gate.in_flight == spine.health.under_way == 0


async def still_serves(spine: Spine, server: RawServer, stream: bool) -> None:
    """Another request is answered, and only its connection is open after it: nothing else was left behind."""
    reply = await spine.ask(ALPHA, stream=stream)
    assert reply.text.startswith("good")
    await server.until_open(1)


@MODES
async def test_a_provider_that_has_not_answered_is_released_at_once(stream: bool) -> None:
    connection = Connection()

    async def silent(visit: Visit) -> None:
        await visit.request()
        connection.hang_up()
        await visit.left()

    patient = {"first_token_seconds": 60.0}
    async with raw(silent) as server, opened(snapshot_of({"sim-alpha": server.port}, patient)) as spine:
        await spine.ask(ALPHA, stream=stream, connection=connection)
        await server.until_open(0)
        [receipt] = spine.receipts
        assert (receipt.outcome, receipt.status, receipt.cost_nano_usd) == ("disconnected", 499, 0)
        assert [(one.outcome, one.fault) for one in receipt.attempts] == [("cancelled", "cancelled")]
        assert list(spine.live.current.chat.health.view(0.0).out) == [0] * len(spine.snapshot.chat.targets.ids)


@MODES
async def test_who_waits_while_the_server_is_shut_down_is_told_to_come_again(stream: bool) -> None:
    async def silent(visit: Visit) -> None:
        await visit.request()
        asking.cancel()
        await visit.left()

    reply = Reply()

    def keeping(_: Reply) -> Send:
        async def send(message: Message) -> None:
            take(reply, message)

        return send

    async with raw(silent) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        asking = asyncio.create_task(spine.ask(ALPHA, stream=stream, send=keeping))
        await asyncio.wait([asking])
        assert asking.cancelled()
        assert (reply.status, reply.headers["retry-after"], reply.ended) == (503, "5", True)
        assert "shut down" in reply.json["error"]["message"]
        assert [receipt.outcome for receipt in spine.receipts] == ["failed"]


async def test_what_was_delivered_before_the_caller_left_is_billed() -> None:
    connection = Connection()

    async def endless(visit: Visit) -> None:
        await visit.request()
        await visit.begin()
        while True:
            await visit.event({"content": "word "})

    def leaving(reply: Reply) -> Send:
        async def send(message: Message) -> None:
            take(reply, message)
            if len(reply.body) > 100_000:
                connection.hang_up()
                await asyncio.sleep(0)

        return send

    async with raw(endless) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        await spine.ask(ALPHA, stream=True, connection=connection, send=leaving)
        await server.until_open(0)
        [receipt] = spine.receipts
        assert receipt.outcome == "disconnected"
        assert receipt.usage.output_tokens > 100
        assert receipt.cost_nano_usd
        assert receipt.cost_estimated


async def test_who_left_while_a_long_request_was_read_has_nobody_asked() -> None:
    connection = Connection()
    long = [{"role": "user", "content": "hello" + " " * LONG_BYTES}]
    async with raw(piecemeal) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        asyncio.get_running_loop().call_soon(connection.hang_up)  # while the body is with the thread, the first wait
        await spine.ask(ALPHA, connection=connection, messages=long)
        assert server.visits == []
        assert [receipt.outcome for receipt in spine.receipts] == ["disconnected"]
        assert spine.state.gate.in_flight == 0
