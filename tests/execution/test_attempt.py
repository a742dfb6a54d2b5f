"""One try of a provider that misbehaves before the commit point: the caller gets the other provider's answer."""

import asyncio
import json
import resource

import pytest

from gateway.transport.send import STALE_SECONDS
from tests.execution.providers import GOOD, Visit, raw, simulated
from tests.execution.spine import ALPHA, BRAVO, Reply, opened, snapshot_of

QUICK = {"first_token_seconds": 0.25}  # where running out of time is what is tested
KEY = "sk-provider-0123456789"

# What the provider does, what the receipt calls it for a whole answer, and for a stream.
UNSEEN = [
    ("F06", "no_answer", "no_answer"),
    ("F07", "no_answer", "no_answer"),
    ("F08", "header_timeout", "header_timeout"),
    ("F09;delay=5000", "header_timeout", "header_timeout"),
    ("F10;gap=20", "header_timeout", "header_timeout"),
    ("F40;v=corrupt", "broken_answer", "stream_cut"),
    ("F40;v=lie", "broken_answer", "stream_cut"),
    ("F43", "broken_answer", "broken_answer"),
    ("F45;v=big", "broken_answer", "broken_answer"),
    ("F46;v=status", "broken_answer", "broken_answer"),
    ("F46;v=cl_te", "broken_answer", "broken_answer"),
    ("F46;v=cl2", "broken_answer", "broken_answer"),
    ("F46;v=badchunk", "broken_answer", "broken_answer"),
    ("F49;gap=20", "total_timeout", "first_token_timeout"),
    ("F52;after=0", None, "stream_cut"),
    ("F54;after=0", "broken_answer", "stream_cut"),
    ("F55;after=0", "broken_answer", "stream_cut"),
    ("F56;after=0", "total_timeout", "first_token_timeout"),
    ("F57", "total_timeout", "first_token_timeout"),
    ("F58;gap=20", "total_timeout", "first_token_timeout"),
    ("F65;after=0;mb=9", None, "oversized_answer"),
    ("F66;after=0", None, "oversized_answer"),
    ("F70;after=0", "overloaded", "overloaded"),
]
SEEN_AS_GOOD = [
    "F40;v=ok",
    "F45",
    "F47",
    "F48",
    "F59;after=0",
    "F59;after=2",
    "F60",
    "F61",
    "F63",
    "F64",
    "F67",
    "F68",
    "F69",
    "F73;gap=30",
    "F74",
]
MODES = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def peak_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def ask_past(fault: str, stream: bool, named: str) -> Reply:
    """The answer when the first of two providers has this fault, which is called `named`."""
    limits = QUICK if named.endswith("timeout") else {}
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports, limits)) as spine:
        return await spine.ask(ALPHA, BRAVO, stream=stream, simulate=f"sim-alpha={fault}", max_tokens=1)


@pytest.mark.parametrize(
    ("fault", "named", "stream"),
    [
        pytest.param(fault, named, stream, id=f"{fault}-{'stream' if stream else 'whole'}")
        for fault, whole, streamed in UNSEEN
        for named, stream in ((whole, False), (streamed, True))
        if named
    ],
)
async def test_a_fault_before_the_first_content_is_unseen(fault: str, named: str, stream: bool) -> None:
    reply = await ask_past(fault, stream, named)
    assert (reply.status, reply.faults) == (200, [named, ""])
    assert reply.headers["x-steelyard-provider"] == "sim-bravo"
    assert reply.text == "This"
    assert not stream or reply.is_whole_stream()


@MODES
@pytest.mark.parametrize("fault", SEEN_AS_GOOD)
async def test_what_is_legal_or_harmless_is_an_answer_like_any_other(fault: str, stream: bool) -> None:
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        plain = await spine.ask(BRAVO, stream=stream)
        reply = await spine.ask(ALPHA, BRAVO, stream=stream, simulate=f"sim-alpha={fault}")
        assert (reply.status, reply.faults) == (200, [""])
        assert reply.text == plain.text
        assert not stream or reply.is_whole_stream()
        assert reply.json["steelyard"]["cost_estimated"] is (fault == "F61")


async def test_what_no_provider_counts_is_estimated_by_us() -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        reply = await spine.ask(ALPHA, stream=True, simulate="F61", stream_options={"include_usage": True})
        assert reply.json["usage"]["estimated"] is True
        assert reply.json["usage"]["completion_tokens"] >= 4


async def test_what_follows_the_end_is_told_and_billed_once() -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        reply = await spine.ask(ALPHA, stream=True, simulate="F62", stream_options={"include_usage": True})
        assert reply.is_whole_stream()
        assert len([chunk for chunk in reply.chunks if chunk.get("usage")]) == 1
        assert reply.json["usage"]["completion_tokens"] == spine.receipts[0].usage.output_tokens == 4


@MODES
@pytest.mark.parametrize("fault", ["F41;mb=96", "F42;mb=96"])
async def test_an_answer_without_bounds_is_left_at_the_limit(fault: str, stream: bool) -> None:
    before = peak_mebibytes()
    reply = await ask_past(fault, stream, "oversized_answer")
    assert (reply.status, reply.faults) == (200, ["oversized_answer", ""])
    assert peak_mebibytes() - before < 80  # the limit is 32 MiB, and the simulator lives in this process too


async def test_events_without_content_do_not_pile_up() -> None:
    async def babble(visit: Visit) -> None:
        await visit.request()
        await visit.begin()
        while True:
            await visit.event({"role": "assistant", "content": ""})

    async with raw(babble) as server, simulated("sim-bravo") as simulator:
        ports = {"sim-alpha": server.port, **simulator.ports}
        async with opened(snapshot_of(ports)) as spine:
            reply = await spine.ask(ALPHA, BRAVO, stream=True)
            assert reply.faults == ["oversized_answer", ""]
            await server.until_open(0)


async def test_a_closed_port_is_left_at_once() -> None:
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        await simulator.script("sim-alpha", "F01")
        reply = await spine.ask(ALPHA, BRAVO)
        assert reply.faults == ["connect", ""]


@MODES
async def test_a_connection_that_nobody_accepts_is_given_up(stream: bool) -> None:
    limits = {"connect_seconds": 0.25}
    async with simulated("sim-alpha", "sim-bravo") as simulator, opened(snapshot_of(simulator.ports, limits)) as spine:
        await simulator.script("sim-alpha", "F03")
        reply = await spine.ask(ALPHA, BRAVO, stream=stream)
        assert reply.faults == ["connect_timeout", ""]


async def test_a_host_that_does_not_exist_is_left() -> None:
    models = [{"id": "own/model"}]
    nowhere = {"own": {"base_url": "http://nowhere.invalid/v1", "models": models}}
    async with simulated("sim-bravo") as simulator, opened(snapshot_of(simulator.ports, providers=nowhere)) as spine:
        reply = await spine.ask("own/model@own", BRAVO)
        assert reply.faults == ["connect", ""]


async def test_plain_text_where_tls_should_be_is_left_and_never_spoken_to_in_plain() -> None:
    async with simulated("sim-alpha", "sim-bravo") as simulator:
        url = f"https://127.0.0.1:{simulator.ports['sim-alpha']}/v1"
        own = {"own": {"base_url": url, "models": [{"id": "sim/swift-mini"}]}}
        ports = {"sim-bravo": simulator.ports["sim-bravo"]}
        async with opened(snapshot_of(ports, providers=own)) as spine:
            reply = await spine.ask("sim/swift-mini@own", BRAVO)
            assert reply.faults == ["tls", ""]
            assert await simulator.log("sim-alpha") == []


async def test_a_redirect_is_not_followed() -> None:
    async def lure(visit: Visit) -> None:
        await visit.request()
        head = f"HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:{trap.port}/\r\ncontent-length: 0\r\n\r\n"
        await visit.write(head.encode())
        await visit.left()

    async def caught(visit: Visit) -> None:
        await visit.request()
        await visit.answer()

    async with raw(caught) as trap, raw(lure) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        reply = await spine.ask(ALPHA)
        assert reply.faults == ["redirect"]
        assert trap.visits == []


async def test_a_pooled_connection_that_closes_under_a_request_is_replaced_unseen() -> None:
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports)) as spine:
        await asyncio.gather(*(spine.ask(ALPHA, simulate="F48;v=next") for _ in range(3)))
        for _ in range(3):
            reply = await spine.ask(ALPHA)
            assert (reply.status, reply.faults) == (200, [""])


async def test_a_pooled_connection_that_was_reset_is_replaced_unseen() -> None:
    async def once(visit: Visit) -> None:
        await visit.request()
        await visit.answer()
        await visit.request()
        visit.reset()

    async with raw(once) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        await spine.ask(ALPHA)
        reply = await spine.ask(ALPHA)
        assert (reply.status, reply.faults) == (200, [""])
        assert len(server.visits) == 2


async def test_a_provider_that_hangs_up_late_is_not_asked_to_do_the_work_twice() -> None:
    async def give_up(visit: Visit) -> None:
        await visit.request()
        await asyncio.sleep(1.1 * STALE_SECONDS)

    async with raw(give_up) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        reply = await spine.ask(ALPHA)
        assert reply.faults == ["no_answer"]
        assert len(server.visits) == 1


async def test_a_connection_with_a_malformed_answer_is_not_used_again() -> None:
    async def twice(visit: Visit) -> None:
        await visit.request()
        if visit.number == 1:
            await visit.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef")
            await visit.left()
        else:
            await visit.answer()

    async with raw(twice) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        assert (await spine.ask(ALPHA)).faults == ["broken_answer"]
        assert (await spine.ask(ALPHA)).status == 200
        assert len(server.visits) == 2


async def test_an_answer_given_up_takes_its_connection_with_it() -> None:
    async def drip(visit: Visit) -> None:
        await visit.request()
        await visit.begin("application/json")
        await visit.chunk(b"{")
        await visit.left()

    async with raw(drip) as server, opened(snapshot_of({"sim-alpha": server.port}, QUICK)) as spine:
        reply = await spine.ask(ALPHA, max_tokens=1)
        assert (reply.status, reply.faults) == (504, ["total_timeout"])
        await server.until_open(0)


@pytest.mark.parametrize("shape", ["status", "header", "error"])
async def test_no_words_of_a_provider_give_our_key_away(shape: str) -> None:
    async def echo(visit: Visit) -> None:
        await visit.request()
        told = {
            "status": f"HTTP/1.1 perhaps {KEY}\r\n\r\n",
            "header": f"HTTP/1.1 200 OK\r\nbad header {KEY}\r\n\r\n",
            "error": f"HTTP/1.1 500 no\r\nconnection: close\r\n\r\nthe key {KEY} is strange",
        }[shape]
        await visit.write(told.encode())

    async with raw(echo) as server:
        own = {"base_url": f"http://127.0.0.1:{server.port}/v1", "api_key": "env:KEY", "models": [{"id": "own/model"}]}
        async with opened(snapshot_of({}, providers={"own": own}, environ={"KEY": KEY})) as spine:
            reply = await spine.ask("own/model@own")
            assert reply.status == 502
            assert f"Bearer {KEY}".encode() in server.visits[0].heads[0]
            assert KEY not in reply.body.decode()
            assert KEY not in repr(spine.receipts)
            assert ("***" in spine.receipts[0].attempts[0].detail) == (shape == "error")  # else the words are ours


@pytest.mark.parametrize("shape", ["whole", "document", "stream", "letters"])
async def test_a_good_answer_that_repeats_our_key_is_an_answer_without_it(
    shape: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = f"you sent Bearer {KEY}, thanks"

    async def echo(visit: Visit) -> None:
        await visit.request()
        if shape in ("whole", "document"):
            message = {"role": "assistant", "content": said}
            await visit.answer({**GOOD, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
            return
        await visit.begin()
        for piece in said if shape == "letters" else [said]:
            await visit.event({"content": piece})
        await visit.event({}, "stop")
        await visit.chunk(b"data: [DONE]\n\n")

    async with raw(echo) as server:
        own = {"base_url": f"http://127.0.0.1:{server.port}/v1", "api_key": "env:KEY", "models": [{"id": "own/model"}]}
        async with opened(snapshot_of({}, providers={"own": own}, environ={"KEY": KEY})) as spine:
            for _ in range(2):
                reply = await spine.ask("own/model@own", stream=shape != "whole")
                assert (reply.status, reply.faults) == (200, [""])
                assert reply.text.startswith("you sent Bearer ")
                assert reply.text.endswith("***, thanks")
                assert KEY not in reply.text
    assert [record.message for record in caplog.records if "repeats our key" in record.message] == [
        "own repeats our key in its answers; it is replaced by *** there"
    ]


@pytest.mark.parametrize(("said", "outcome"), [("nothing of yours", "ok"), (KEY, "cut"), (KEY[:-1], "cut")])
async def test_nobody_goes_on_with_an_answer_that_repeated_our_key(said: str, outcome: str) -> None:
    """He would get to see it: what goes on is sent all that came before."""

    async def break_off(visit: Visit) -> None:
        await visit.request()
        await visit.begin()
        for piece in ("Here", " is ", *said):
            await visit.event({"content": piece})
        visit.reset()

    async with simulated("sim-alpha") as simulator, raw(break_off) as server:
        own = {"base_url": f"http://127.0.0.1:{server.port}/v1", "api_key": "env:KEY", "models": [{"id": "own/model"}]}
        rules = {"midstream": "continue"}
        snapshot = snapshot_of(simulator.ports, rules, providers={"own": own}, environ={"KEY": KEY})
        async with opened(snapshot) as spine:
            reply = await spine.ask("own/model@own", ALPHA, stream=True)
            assert spine.receipts[0].outcome == outcome
            assert len(await simulator.log("sim-alpha")) == (outcome == "ok")
            assert KEY[:-1] not in reply.body.decode()
            assert said not in reply.text or outcome == "ok"


@pytest.mark.parametrize("status", [400, 500])
@MODES
async def test_a_prompt_that_an_error_quotes_is_in_no_receipt(status: int, stream: bool) -> None:
    async def quote(visit: Visit) -> None:
        body = await visit.request()
        told = {"error": {"message": f"cannot read {body.decode()} before tea"}}
        document = json.dumps(told).encode()
        head = f"HTTP/1.1 {status} no\r\ncontent-type: application/json\r\ncontent-length: {len(document)}\r\n\r\n"
        await visit.write(head.encode() + document)

    async with raw(quote) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        messages = [{"role": "user", "content": "a very private question"}]
        reply = await spine.ask(ALPHA, stream=stream, messages=messages)
        assert "a very private question" in reply.body.decode()  # the caller's own words, to the caller
        assert "private" not in repr(spine.receipts)
        detail = spine.receipts[0].attempts[0].detail
        assert detail.startswith("cannot read ")
        assert "[…]" in detail


async def test_no_words_of_a_provider_give_a_header_of_the_settings_away() -> None:
    async def echo(visit: Visit) -> None:
        head = await visit.head()
        await visit.write(b"HTTP/1.1 500 no\r\nconnection: close\r\n\r\n" + head.partition(b"x-team-token: ")[2])

    async with raw(echo) as server:
        own = {
            "base_url": f"http://127.0.0.1:{server.port}/v1",
            "models": [{"id": "own/model"}],
            "headers": {"X-Team-Token": KEY, "X-Version": "1"},
        }
        async with opened(snapshot_of({}, providers={"own": own})) as spine:
            reply = await spine.ask("own/model@own")
            assert reply.status == 502
            assert KEY not in reply.body.decode()
            assert spine.receipts[0].attempts[0].detail.startswith("status 500: ***")


@pytest.mark.parametrize("document", [GOOD, {"error": {"message": "no"}}], ids=["good", "error"])
async def test_a_stream_request_may_be_answered_with_a_document(document: object) -> None:
    async def answer(visit: Visit) -> None:
        await visit.request()
        await visit.answer(document)

    async with raw(answer) as server, opened(snapshot_of({"sim-alpha": server.port})) as spine:
        reply = await spine.ask(ALPHA, stream=True)
        assert reply.status == (200 if document is GOOD else 502)
        assert document is not GOOD or (reply.is_whole_stream() and reply.text == "good")
