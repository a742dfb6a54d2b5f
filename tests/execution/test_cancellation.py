"""A caller who leaves, at every point where a request can wait: the provider is released, one receipt is written."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AsyncExitStack
from contextvars import Context, ContextVar, copy_context
from functools import partial
from time import monotonic
from typing import Any, NamedTuple

import pytest

from gateway.execution.hedge_budget import REQUESTS_PER_CALL
from gateway.server.limits import Message, Send
from gateway.server.understanding import LONG_BYTES
from tests.execution.providers import RawServer, Script, Visit, raw
from tests.execution.spine import ALPHA, BRAVO, Connection, Reply, Spine, opened, snapshot_of, take

USUAL_SECONDS = 0.001  # of the first target until its first token: twice that is late
MODES = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
MOST_WAITS = 200

Leave = Callable[[Connection, asyncio.Task[Any]], None]


class Waits:
    """Counts how often the tasks of one request wait for something, and calls `at_wait` with 1, 2, ..."""

    def __init__(self, at_wait: Callable[[int], None]) -> None:
        self._at_wait = at_wait
        self._count = 0

    def counted(self, inner: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
        """The same coroutine, with its waits counted."""

        async def run() -> Any:
            return await Stepped(inner, self)

        return run()

    def note(self) -> None:
        self._count += 1
        self._at_wait(self._count)


class Stepped:
    """Awaits `inner` step by step."""

    def __init__(self, inner: Coroutine[Any, Any, Any], waits: Waits) -> None:
        self._inner = inner
        self._waits = waits

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[], Any] = partial(self._inner.send, None)
        while True:
            try:
                awaited = step()
            except StopIteration as ended:
                return ended.value
            self._waits.note()
            try:
                sent = yield awaited
            except BaseException as thrown:
                step = partial(self._inner.throw, thrown)
            else:
                step = partial(self._inner.send, sent)


OF_REQUEST: ContextVar[Waits | None] = ContextVar("OF_REQUEST", default=None)


def counting_tasks(loop: asyncio.AbstractEventLoop, coro: Any, context: Context | None = None) -> asyncio.Task[Any]:
    """A loop's task factory: what a request starts is counted with it, whoever else starts something is not."""
    waits = (context or copy_context()).get(OF_REQUEST)
    return asyncio.Task(coro if waits is None else waits.counted(coro), loop=loop, context=context)


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
            await visit.chunk(b"")
        else:
            await stream(visit)


async def stream(visit: Visit) -> None:
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


async def ask_until(ask: Callable[..., Awaitable[Reply]], wait: int, leave: Leave, at_once: bool) -> bool:
    """One request whose caller leaves at its n-th wait, or a turn of the loop later. True when it got that far."""
    loop, connection, left = asyncio.get_running_loop(), Connection(), False
    task: asyncio.Task[Reply]

    def at_wait(number: int) -> None:
        nonlocal left
        if number == wait:
            left = True
            if at_once:
                leave(connection, task)
            else:
                loop.call_soon(leave, connection, task)

    async def run() -> Reply:
        return await ask(connection=connection, send=hesitant)

    context = copy_context()
    context.run(OF_REQUEST.set, Waits(at_wait))
    loop.set_task_factory(counting_tasks)
    try:
        task = loop.create_task(run(), context=context)
        await asyncio.wait([task])
    finally:
        loop.set_task_factory(None)
    assert task.cancelled() or task.exception() is None
    return left


def hang_up(connection: Connection, task: asyncio.Task[Any]) -> None:
    connection.hang_up()


def shut_down(connection: Connection, task: asyncio.Task[Any]) -> None:
    task.cancel()


ENDINGS: list[tuple[Leave, set[str]]] = [(hang_up, {"disconnected"}), (shut_down, {"failed", "cut"})]


async def refusing(visit: Visit) -> None:
    """Says in pieces that the request is too large, which is held against nobody."""
    while True:
        await visit.request()
        await visit.write(b"HTTP/1.1 413 Large\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n")
        await pause()
        await visit.write(b'{"error":{}}')


async def hesitate(visit: Visit) -> None:
    """Begin, and never come to the point."""
    await visit.begin()
    await visit.event({"role": "assistant", "content": ""})
    await visit.left()


async def hesitating(visit: Visit) -> None:
    await visit.request()
    await hesitate(visit)


def waiting_for(asked: asyncio.Event) -> Script:
    """Comes to the point once the other target has been asked."""

    async def script(visit: Visit) -> None:
        while True:
            await visit.request()
            leaving, waiting = asyncio.ensure_future(visit.left()), asyncio.ensure_future(asked.wait())
            await asyncio.wait([leaving, waiting], return_when=asyncio.FIRST_COMPLETED)
            leaving.cancel()
            waiting.cancel()
            await asyncio.wait([leaving, waiting])
            await stream(visit)

    return script


def asked_in_vain(asked: asyncio.Event) -> Script:
    """Tells the other that it has been asked, and begins without coming to the point."""

    async def script(visit: Visit) -> None:
        await visit.request()
        asked.set()
        try:
            await hesitate(visit)
        finally:
            asked.clear()

    return script


class Journey(NamedTuple):
    """How a request travels: its providers in their order, and how many connections to each it may leave open."""

    stream: bool
    scripts: Callable[[], tuple[Script, ...]]
    kept: tuple[int, ...]


def racing() -> tuple[Script, ...]:
    asked = asyncio.Event()
    return waiting_for(asked), asked_in_vain(asked)


JOURNEYS = {
    "whole": Journey(False, lambda: (piecemeal,), (1,)),
    "stream": Journey(True, lambda: (piecemeal,), (1,)),
    "whole_after_a_fallback": Journey(False, lambda: (refusing, piecemeal), (1, 1)),
    "stream_after_a_fallback": Journey(True, lambda: (refusing, piecemeal), (1, 1)),
    "hedge_that_the_second_wins": Journey(True, lambda: (hesitating, piecemeal), (0, 1)),
    "hedge_that_the_first_wins": Journey(True, racing, (1, 0)),
}


@pytest.mark.parametrize("at_once", [True, False], ids=["at_once", "a_turn_later"])
@pytest.mark.parametrize("journey", JOURNEYS.values(), ids=JOURNEYS)
@pytest.mark.parametrize(("leave", "ending"), ENDINGS, ids=["hang_up", "shut_down"])
async def test_leaving_at_any_wait_releases_the_providers_and_writes_one_receipt(
    journey: Journey, leave: Leave, ending: set[str], at_once: bool
) -> None:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(raw(script)) for script in journey.scripts()]
        ports = {name: server.port for name, server in zip(("sim-alpha", "sim-bravo"), servers, strict=False)}
        spine = await stack.enter_async_context(opened(snapshot_of(ports, {"hedge": True})))
        ask = partial(spine.ask, *(ALPHA, BRAVO)[: len(servers)], stream=journey.stream)
        be_fast(spine)
        outcomes, most_asked = [], 0
        for wait in range(1, MOST_WAITS):
            spine.receipts.clear()
            allow_a_hedge(spine)
            got_there = await ask_until(ask, wait, leave, at_once)
            assert len(spine.receipts) == 1, f"{len(spine.receipts)} receipts after leaving at wait {wait}"
            [receipt] = spine.receipts
            outcomes.append(receipt.outcome)
            most_asked = max(most_asked, len(receipt.attempts))
            assert len({attempt.target for attempt in receipt.attempts}) == len(receipt.attempts)
            assert spine.state.gate.in_flight == spine.health.under_way == 0, f"after leaving at wait {wait}"
            await still_serves(spine, ask, servers, journey.kept)
            if not got_there:
                break
        assert not got_there
        assert most_asked == len(servers)
        assert sum(outcome in ending for outcome in outcomes) >= 5  # connect, headers, and each piece
        assert set(outcomes) <= {*ending, "ok"}


def be_fast(spine: Spine) -> None:
    """The first target has been fast, so often that what happens here does not change it."""
    column = spine.snapshot.chat.targets.ids.index(ALPHA)
    for _ in range(5_000):
        key = spine.health.take_key(column, monotonic())
        spine.health.answered(column, monotonic(), USUAL_SECONDS, None, key)


def allow_a_hedge(spine: Spine) -> None:
    for _ in range(REQUESTS_PER_CALL):
        spine.state.hedges.earn()


async def still_serves(
    spine: Spine, ask: Callable[..., Awaitable[Reply]], servers: list[RawServer], kept: tuple[int, ...]
) -> None:
    """Another request is answered, and only its connections are open after it: nothing else was left behind."""
    allow_a_hedge(spine)
    reply = await ask()
    assert reply.text.startswith("good")
    for server, count in zip(servers, kept, strict=True):
        await server.until_open(count)


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
