"""A stream past its commit point: nothing can be hidden any more, so the caller is told, and pays for what was sent."""

import asyncio
import math
import zlib
from time import monotonic

import pytest

from gateway.dialects.contract import Inbound
from gateway.dialects.formats import INBOUND
from gateway.execution.health import VIEW_SECONDS
from gateway.execution.stream import CALLS
from gateway.server.limits import Message, Send
from gateway.wire.conversation import Conversation
from gateway.wire.delta import Began, CallArguments, CallBegan, Delta, Finish, TextDelta
from tests.execution.providers import Visit, raw, simulated
from tests.execution.spine import ALPHA, BRAVO, Reply, Spine, opened, snapshot_of, take

HASTY = {"idle_seconds": 0.25}

# What the provider does after two tokens, and what the receipt calls it.
CUTS = [
    ("F51", "server_error"),
    ("F51;v=done", "server_error"),
    ("F52", "stream_cut"),
    ("F53", "stream_cut"),
    ("F54", "stream_cut"),
    ("F55", "stream_cut"),
    ("F56", "idle_timeout"),
    ("F58;gap=20", "idle_timeout"),
    ("F65;mb=9", "oversized_answer"),
    ("F66", "oversized_answer"),
    ("F70", "overloaded"),
]


@pytest.mark.parametrize(("fault", "named"), CUTS)
async def test_a_fault_after_the_first_content_cuts_the_stream(fault: str, named: str) -> None:
    limits = HASTY if named == "idle_timeout" else {}
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports, limits)) as spine:
        reply = await spine.ask(ALPHA, BRAVO, stream=True, simulate=f"sim-alpha={fault};after=2")
        assert reply.status == 200
        assert reply.ended
        assert reply.is_cut_stream()
        assert reply.text == "This is"
        assert reply.faults == [named]
        assert await simulator.log("sim-bravo") == []
        [receipt] = spine.receipts
        assert (receipt.outcome, receipt.attempts[0].outcome) == ("cut", "cut")
        assert receipt.usage.output_tokens == 2  # 7 bytes: our own estimate of what was delivered
        assert receipt.cost_nano_usd
        assert receipt.cost_estimated


async def test_a_cut_counts_against_the_provider() -> None:
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        for _ in range(5):
            await spine.ask(ALPHA, stream=True, simulate="F52;after=2")
        reply = await spine.ask(ALPHA, BRAVO, stream=True)
        assert reply.headers["x-steelyard-provider"] == "sim-bravo"


async def test_a_refusal_by_the_model_is_an_answer() -> None:
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        reply = await spine.ask(ALPHA, BRAVO, stream=True, simulate="F71")
        assert reply.is_whole_stream()
        assert reply.faults == [""]
        assert spine.receipts[0].outcome == "ok"


@pytest.mark.parametrize("after", [0, 2])
async def test_one_malformed_event_is_dropped(after: int) -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        reply = await spine.ask(ALPHA, stream=True, simulate=f"F59;after={after}")
        assert reply.is_whole_stream()
        assert reply.text == "This is Steelyard's simulator,"


async def test_the_total_time_ends_a_stream_that_is_alive() -> None:
    limits = {"total_seconds": 0.5}
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports, limits)) as spine:
        reply = await spine.ask(ALPHA, BRAVO, stream=True, max_tokens=100, simulate="F73;gap=30;tokens=100")
        assert reply.is_cut_stream()
        assert reply.faults == ["total_timeout"]
        assert 1 < spine.receipts[0].usage.output_tokens < 100


async def test_the_total_time_is_that_of_all_attempts() -> None:
    limits = {"first_token_seconds": 0.6, "total_seconds": 0.8}
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports, limits)) as spine:
        slow = "sim-alpha=F08,sim-bravo=F73;gap=30;tokens=100"
        reply = await spine.ask(ALPHA, BRAVO, stream=True, max_tokens=100, simulate=slow)
        assert reply.is_cut_stream()
        assert reply.faults == ["header_timeout", "total_timeout"]
        assert sum(attempt.seconds for attempt in spine.receipts[0].attempts) < 1.3  # 1.4 if each had it all


async def test_a_connection_held_open_after_the_end_holds_nobody() -> None:
    async def hold(visit: Visit) -> None:
        await visit.request()
        await visit.begin()
        await visit.event({"content": "good"})
        await visit.event({}, "stop")
        await visit.chunk(b"data: [DONE]\n\n")
        await visit.left()

    async with raw(hold) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        async with asyncio.timeout(8):  # idle after 10
            reply = await spine.ask(ALPHA, stream=True)
        assert reply.is_whole_stream()
        await server.until_open(0)


async def test_a_stream_that_finished_and_then_hangs_is_whole() -> None:
    async def hang(visit: Visit) -> None:
        await visit.request()
        await visit.begin()
        await visit.event({"content": "good"})
        await visit.event({}, "stop")
        await visit.left()

    async with raw(hang) as server, opened(snapshot_of({"sim-alpha": server.port}, HASTY)) as spine:
        reply = await spine.ask(ALPHA, stream=True)
        assert reply.is_whole_stream()
        assert spine.receipts[0].outcome == "ok"
        await server.until_open(0)


async def test_a_stream_read_to_its_end_gives_its_connection_back() -> None:
    async def serve(visit: Visit) -> None:
        while True:
            await visit.request()
            await visit.begin()
            await visit.event({"content": "good"})
            await visit.event({}, "stop")
            await visit.chunk(b"")

    async with raw(serve) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        for _ in range(3):
            assert (await spine.ask(ALPHA, stream=True)).is_whole_stream()
        assert len(server.visits) == 1


async def test_a_stream_whose_end_comes_behind_its_last_event_gives_its_connection_back() -> None:
    """As most servers write it: the last chunk, of no bytes, in a packet of its own."""
    told = asyncio.Event()

    async def serve(visit: Visit) -> None:
        while True:
            await visit.request()
            await visit.begin()
            await visit.event({"content": "good"})
            await visit.event({}, "stop")
            await visit.chunk(b"data: [DONE]\n\n")
            await told.wait()
            told.clear()
            await visit.chunk(b"")

    def listening(reply: Reply) -> Send:
        async def send(message: Message) -> None:
            take(reply, message)
            if reply.ended:  # the caller does not wait for what he does not get
                told.set()

        return send

    async with raw(serve) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        for _ in range(3):
            async with asyncio.timeout(8):
                assert (await spine.ask(ALPHA, stream=True, send=listening)).is_whole_stream()
        assert len(server.visits) == 1


async def test_a_slow_reader_slows_the_provider_down_and_is_not_taken_for_a_slow_provider() -> None:
    reading = asyncio.Event()
    stalled = asyncio.Event()
    sent = 0

    async def pour(visit: Visit) -> None:
        nonlocal sent
        await visit.request()
        await visit.begin()
        for _ in range(3_000):  # 12 MB
            try:
                async with asyncio.timeout(0.5):
                    await visit.event({"content": "x" * 4_000})
            except TimeoutError:
                stalled.set()
                break
            sent += 1
        await visit.event({}, "stop")
        usage = b'{"prompt_tokens":1,"completion_tokens":%d}' % (sent * 1_000)
        await visit.chunk(b'data: {"choices":[],"usage":%b}\n\n' % usage)
        await visit.chunk(b"data: [DONE]\n\n")
        await visit.chunk(b"")

    def at_leisure(reply: Reply) -> Send:
        async def send(message: Message) -> None:
            take(reply, message)
            if reply.body:
                await reading.wait()

        return send

    async with raw(pour) as server, opened(snapshot_of({"sim-alpha": server.port}, HASTY)) as spine:
        asking = asyncio.create_task(spine.ask(ALPHA, stream=True, send=at_leisure))
        async with asyncio.timeout(10):
            await stalled.wait()  # longer than the idle time has passed by now
        assert sent * 4_000 < 8 * 2**20  # the kernel's buffers and 256 KiB of ours
        reading.set()
        reply = await asking
        assert reply.is_whole_stream()
        assert spine.receipts[0].outcome == "ok"
        assert not spine.receipts[0].usage.estimated
        assert learned_nothing_of_speed(spine)


def learned_nothing_of_speed(spine: Spine) -> bool:
    known = spine.health.view(monotonic() + VIEW_SECONDS).seconds_per_output_token
    return bool(known == pytest.approx(spine.snapshot.chat.targets.prior.seconds_per_output_token))


async def test_a_stream_whose_caller_keeps_up_tells_how_fast_the_target_is() -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        assert (await spine.ask(ALPHA, stream=True, simulate="F73;gap=20;tokens=4")).is_whole_stream()
        assert not learned_nothing_of_speed(spine)


async def test_a_long_prompt_tells_more_of_long_prompts_than_of_short_ones() -> None:
    long = [{"role": "user", "content": "All of this has to be read before an answer can begin. " * 1_000}]
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        assert (await spine.ask(ALPHA, stream=True, messages=long)).is_whole_stream()
        column = spine.snapshot.chat.targets.ids.index(ALPHA)
        expected = spine.snapshot.chat.targets.prior.first_token_seconds[column]

        def change(input_tokens: float) -> float:
            known = spine.health.view(monotonic() + VIEW_SECONDS, input_tokens).first_token_seconds[column]
            return abs(math.log(known / expected))

        assert change(12_000.0) > 5.0 * change(100.0) > 0.0


async def test_a_caller_who_reads_nothing_for_the_total_time_costs_the_target_no_trust() -> None:
    def once_stuck(reply: Reply) -> Send:
        async def send(message: Message) -> None:
            is_first = message["type"] == "http.response.body" and not reply.body
            take(reply, message)
            if is_first:
                await asyncio.Event().wait()

        return send

    limits = {"total_seconds": 0.5}
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports, limits)) as spine:
        reply = await spine.ask(ALPHA, stream=True, send=once_stuck)
        assert (reply.is_cut_stream(), reply.faults) == (True, ["total_timeout"])
        known = spine.health.view(monotonic() + VIEW_SECONDS).availability
        assert known == pytest.approx(spine.snapshot.chat.targets.prior.availability)


async def test_a_firehose_arrives_whole() -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        reply = await spine.ask(ALPHA, stream=True, simulate="F72;n=20000")
        assert reply.is_whole_stream()
        assert reply.text.count(" token") == 20_000


async def test_compressed_events_are_not_held_back() -> None:
    """The second piece is written only when the first has reached the caller."""
    seen = asyncio.Event()

    async def squeeze(visit: Visit) -> None:
        packer = zlib.compressobj(wbits=31)

        async def send(data: bytes) -> None:
            await visit.chunk(packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))

        await visit.request()
        await visit.begin(extra="content-encoding: gzip\r\n")
        await send(b'data: {"choices":[{"index":0,"delta":{"content":"one"},"finish_reason":null}]}\n\n')
        await seen.wait()
        await send(b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
        await visit.chunk(packer.flush(zlib.Z_FINISH))
        await visit.chunk(b"")

    def watching(reply: Reply) -> Send:
        async def send(message: Message) -> None:
            take(reply, message)
            if b"one" in reply.body:
                seen.set()

        return send

    async with raw(squeeze) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        assert (await spine.ask(ALPHA, stream=True, send=watching)).is_whole_stream()


CALLERS = [form for name, form in INBOUND.items() if name in CALLS]
CALLED: list[Delta] = [Began("r", "m"), CallBegan(0, "c", "look"), CallArguments(0, '{"at":1}'), Finish("tool_calls")]
QUOTED = '{"tool_calls":[{"type":"tool_use","function_call":{"functionCall":"web_search_call"}}]}'


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)
def test_a_call_is_seen_in_the_bytes_and_words_about_calls_are_none(caller: Inbound) -> None:
    hint, call = CALLS[caller.name]
    writer = caller.stream_writer(Conversation(caller.name, ()), False)
    called = writer.write(CALLED) + writer.closing(None, None)
    assert hint in called
    assert call.search(called)
    spoken = caller.stream_writer(Conversation(caller.name, ()), False).write([Began("r", "m"), TextDelta(QUOTED)])
    assert not call.search(spoken)


@pytest.mark.parametrize(
    ("name", "event", "calls"),
    [
        ("openai_chat", b'{"delta":{"content":"a","tool_calls":[]}}', False),
        ("openai_chat", b'{"delta":{"content":"a","tool_calls": [ {"index":0}]}}', True),
        ("openai_chat", b'{"delta":{"function_call":{"name":"look"}}}', True),
        ("anthropic_messages", b'{"content_block":{"type":"server_tool_use","id":"s"}}', True),
        ("anthropic_messages", b'{"usage":{"server_tool_use":{"web_search_requests":0}}}', False),
    ],
)
def test_what_providers_write_of_calls(name: str, event: bytes, calls: bool) -> None:
    assert (CALLS[name][1].search(event) is not None) == calls
