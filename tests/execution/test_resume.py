"""An answer that broke off and is gone on with by another target: what that one is asked, and what the caller gets."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import pytest
from msgspec import Struct

from gateway.dialects.formats import GEMINI, GEMINI_ARRAY, INBOUND
from gateway.dialects.joint import Joint
from gateway.server.inference import Exchange, Generation
from gateway.server.limits import Message, Scope, Send
from gateway.simulator.dialects import DIALECTS
from loadtest.chaos.formats import FORMATS, Format, Told, told_by
from tests.execution.providers import GOOD, RawServer, Script, Visit, raw, simulated
from tests.execution.spine import ALPHA, BRAVO, DELTA, PATIENCE, Connection, Reply, Spine, opened, snapshot_of, take

GOES_ON = {"fallback": {**PATIENCE, "midstream": "continue"}}
CHEAPEST_FIRST = {**GOES_ON, "weights": {"cost": 1}}
NAMES = ("sim-alpha", "sim-bravo", "sim-delta")
MISTRALS = {"assistant_prefix": "prefix"}
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "generationConfig")
MESSAGES_BODY = {"model": "sim/swift-mini", "messages": [{"role": "user", "content": "hello"}], "stream": True}
HELLO = {"role": "user", "content": "hello"}


Event = Mapping[str, object]  # the delta of a chunk


class Player:
    """A provider that says these texts, and then ends well or, once the caller has heard them, breaks off."""

    def __init__(self, *texts: str, breaks: bool = False, finish: str = "stop", before: Event | None = None) -> None:
        self.texts = texts
        self.before = before  # said before these texts
        self.breaks = breaks
        self.finish = finish
        self.heard = asyncio.Event()
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, visit: Visit) -> None:
        self.asked.append(json.loads(await visit.request()))
        await visit.begin()
        if self.before is not None:
            await visit.chunk(event(self.before))
        for text in self.texts:
            await visit.chunk(event({"content": text}))
        if self.breaks:
            await self.heard.wait()
            return
        await visit.chunk(event({}, self.finish) + b"data: [DONE]\n\n")
        await visit.chunk(b"")
        await visit.left()

    def listen(self, body: bytes) -> None:
        """What the caller has got so far."""
        if json.dumps(self.texts[-1]).encode() in body:
            self.heard.set()


def event(delta: Mapping[str, object], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    document = {**GOOD, "object": "chat.completion.chunk", "choices": [choice], "usage": None}
    return b"data: " + json.dumps(document).encode() + b"\n\n"


class Stage(Struct):
    """A spine, and those who play its providers."""

    spine: Spine
    scripts: tuple[Script, ...]
    servers: list[RawServer] = []

    async def ask(self, *targets: str, connection: Connection | None = None, **fields: Any) -> Reply:
        """A stream for these targets in this order."""

        def listening(reply: Reply) -> Send:
            async def send(message: Message) -> None:
                take(reply, message)
                for script in self.scripts:
                    if isinstance(script, Player):
                        script.listen(reply.body)

            return send

        return await self.spine.ask(*targets, stream=True, send=listening, connection=connection, **fields)

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """Provider and outcome of each attempt of the only request."""
        [receipt] = self.spine.receipts
        return [(one.target.rpartition("@sim-")[2], one.outcome) for one in receipt.attempts]


@asynccontextmanager
async def playing(*scripts: Script, router: Mapping[str, object] = GOES_ON) -> AsyncIterator[Stage]:
    """A spine whose alpha, bravo and delta are played by these scripts."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(raw(script)) for script in scripts]
        ports = {name: server.port for name, server in zip(NAMES, servers, strict=False)}
        spine = await stack.enter_async_context(opened(snapshot_of(ports, router=router)))
        yield Stage(spine, scripts, servers)


async def test_who_goes_on_is_asked_for_the_conversation_and_what_came_and_nothing_else() -> None:
    first, second = Player("One ", "two ", breaks=True), Player("three", ".")
    async with playing(first, second) as stage:
        reply = await stage.ask(ALPHA, BRAVO, temperature=0.5, max_tokens=50)
        assert reply.is_whole_stream()
        assert reply.text == "One two three."
        [asked] = second.asked
        assert asked["messages"] == [HELLO, {"role": "assistant", "content": "One two"}]
        assert {name: asked[name] for name in ("temperature", "stream")} == {"temperature": 0.5, "stream": True}
        assert asked["max_completion_tokens"] == 48
        assert asked.keys() - first.asked[0].keys() == {"max_completion_tokens"}


async def test_words_of_a_target_that_failed_before_it_took_over_are_nobodys() -> None:
    async def in_one_piece(visit: Visit) -> None:
        await visit.request()
        said = event({"content": "wrong"})
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n"
        await visit.write(head % len(said) + said)
        await visit.left()

    third = Player("two", ".")
    async with playing(Player("One ", breaks=True), in_one_piece, third) as stage:
        reply = await stage.ask(ALPHA, BRAVO, DELTA)
        assert reply.text == "One two."
        assert third.asked[0]["messages"][-1]["content"] == "One"
        assert stage.outcomes == [("alpha", "cut"), ("bravo", "failed"), ("delta", "ok")]


async def test_an_error_in_the_same_piece_as_the_first_words_takes_them_back() -> None:
    async def failing(visit: Visit) -> None:
        await visit.request()
        await visit.begin()
        error = b'data: {"error":{"message":"words","type":"server_error","code":500}}\n\n'
        await visit.chunk(event({"content": "wrong"}) + error)
        await visit.left()

    third = Player("two", ".")
    async with playing(Player("One ", breaks=True), failing, third) as stage:
        reply = await stage.ask(ALPHA, BRAVO, DELTA)
        assert reply.text == "One two."
        assert third.asked[0]["messages"][-1]["content"] == "One"
        assert stage.outcomes == [("alpha", "cut"), ("bravo", "failed"), ("delta", "ok")]


async def test_a_last_event_without_its_empty_line_is_not_lost() -> None:
    class Sloppy(Player):
        async def __call__(self, visit: Visit) -> None:
            await visit.request()
            await visit.begin()
            await visit.chunk(event({"content": "One "}))
            await self.heard.wait()
            await visit.chunk(event({"content": "two "}).rstrip())
            await visit.chunk(b"")
            await visit.left()

    second = Player("three.")
    async with playing(Sloppy("One "), second) as stage:
        reply = await stage.ask(ALPHA, BRAVO)
        assert reply.text == "One two three."
        assert second.asked[0]["messages"][-1]["content"] == "One two"


async def test_a_target_that_refuses_begun_answers_is_passed_over() -> None:
    async def refusing(visit: Visit) -> None:
        await visit.request()
        body = b'{"error":{"message":"This model does not support assistant message prefill.","type":"invalid"}}'
        head = b"HTTP/1.1 400 No\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        await visit.write(head % len(body) + body)
        await visit.left()

    async with playing(Player("One ", breaks=True), refusing, Player("two.")) as stage:
        reply = await stage.ask(ALPHA, BRAVO, DELTA)
        assert reply.text == "One two."
        assert stage.outcomes == [("alpha", "cut"), ("bravo", "failed"), ("delta", "ok")]


async def test_a_caller_who_wants_one_target_only_gets_no_other() -> None:
    second = Player("two.")
    async with playing(Player("One ", breaks=True), second) as stage:
        reply = await stage.ask(ALPHA)
        assert reply.is_cut_stream()
        assert reply.json["error"]["partial"]["next_target"] is None
        assert second.asked == []


async def test_the_attempts_of_the_router_are_not_exceeded() -> None:
    second = Player("two.")
    router = {"fallback": {**PATIENCE, "midstream": "continue", "max_attempts": 1}}
    async with playing(Player("One ", breaks=True), second, router=router) as stage:
        reply = await stage.ask(ALPHA, BRAVO)
        assert reply.is_cut_stream()
        assert second.asked == []


async def test_the_beginning_that_the_caller_wrote_himself_stays_in_front() -> None:
    first, second = Player("two ", breaks=True), Player("three.")
    begun = [HELLO, {"role": "assistant", "content": "One "}]
    async with playing(first, second) as stage:
        reply = await stage.ask(ALPHA, BRAVO, messages=begun)
        assert reply.text == "two three."
        assert second.asked[0]["messages"] == [HELLO, {"role": "assistant", "content": "One two"}]


@pytest.mark.parametrize("again", ["One two", ""], ids=["repeats", "does not repeat"])
@pytest.mark.parametrize("split", [3, 7, 9])
async def test_a_target_that_says_the_beginning_again_is_heard_from_its_end_on(again: str, split: int) -> None:
    said = again + " three."
    first, second = Player("One ", "two ", breaks=True), Player(said[:split], said[split:])
    async with raw(first) as one, raw(second) as two:
        own = {
            name: {"base_url": f"http://127.0.0.1:{server.port}/v1", **MISTRALS, "models": [{"id": "own/model"}]}
            for name, server in (("one", one), ("two", two))
        }
        async with opened(snapshot_of({}, providers=own, router=GOES_ON)) as spine:
            reply = await Stage(spine, (first, second)).ask("own/model@one", "own/model@two")
            assert reply.is_whole_stream()
            assert reply.text == "One two three."
            assert second.asked[0]["messages"][-1] == {"role": "assistant", "content": "One two", "prefix": True}


async def test_the_receipt_counts_both_parts_and_the_first_token_of_the_first() -> None:
    asked = asyncio.Event()

    async def second(visit: Visit) -> None:
        await visit.request()
        asked.set()
        await visit.begin()
        await visit.event({"content": "two."}, "stop")
        await visit.chunk(b"data: [DONE]\n\n")
        await visit.chunk(b"")
        await visit.left()

    async with playing(Player("One ", breaks=True), second) as stage:
        await stage.ask(ALPHA, BRAVO)
        [receipt] = stage.spine.receipts
        cut, ok = receipt.attempts
        assert (cut.outcome, ok.outcome, receipt.outcome) == ("cut", "ok", "ok")
        assert receipt.first_token_seconds is not None
        assert cut.first_token_seconds is not None
        assert receipt.first_token_seconds < receipt.seconds - ok.seconds
        assert cut.cost_nano_usd > 0
        assert ok.cost_nano_usd > 0
        assert receipt.cost_nano_usd == cut.cost_nano_usd + ok.cost_nano_usd
        alone = receipt.input_tokens_estimate
        assert receipt.usage.input_tokens == 2 * alone + cut_tokens("One ")  # who goes on reads what came as well


def cut_tokens(text: str) -> int:
    """Our own count of one piece: a token, or one for four bytes."""
    return max(1, (len(text) + 3) // 4)


@pytest.mark.parametrize("leaves", ["caller", "gateway"])
async def test_who_leaves_while_the_next_is_asked_leaves_one_receipt_and_nothing_open(leaves: str) -> None:
    asked = asyncio.Event()

    async def silent(visit: Visit) -> None:
        await visit.request()
        asked.set()
        await visit.left()

    async with playing(Player("One ", breaks=True), silent) as stage:
        connection = Connection()
        asking = asyncio.create_task(stage.ask(ALPHA, BRAVO, connection=connection))
        await asked.wait()
        if leaves == "caller":
            connection.hang_up()
            await asking
        else:
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        await stage.servers[1].until_open(0)
        last = "disconnected" if leaves == "caller" else "cut"
        assert stage.outcomes == [("bravo", "cancelled"), ("alpha", last)]
        assert stage.spine.health.under_way == stage.spine.state.gate.in_flight == 0


async def test_without_the_setting_every_byte_of_the_provider_goes_through() -> None:
    async with playing(Player("One ", "two."), router={}) as stage:
        reply = await stage.ask(ALPHA)
        assert reply.body.startswith(event({"content": "One "}) + event({"content": "two."}))


async def test_an_array_of_googles_is_one_array_still() -> None:
    document = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
    async with playing(Player("One ", breaks=True), Player("two."), router=CHEAPEST_FIRST) as stage:
        reply = await stage.ask(
            inbound=GEMINI_ARRAY, endpoint=Google(stage.spine.state, GEMINI_ARRAY), document=document
        )
        parts = [part for one in json.loads(reply.body) for part in one["candidates"][0]["content"]["parts"]]
        assert [part["text"] for part in parts if part["text"]] == ["One ", "two."]
        assert stage.outcomes == [("alpha", "cut"), ("bravo", "ok")]


async def test_words_go_on_in_the_block_in_which_they_began() -> None:
    first = Player("One ", breaks=True, before={"reasoning_content": "Hm."})
    second = Player("two.", before={"reasoning_content": "What?"})
    document = {**MESSAGES_BODY, "thinking": {"type": "enabled", "budget_tokens": 2_000}, "max_tokens": 4_000}
    async with playing(first, second, router=CHEAPEST_FIRST) as stage:
        reply = await stage.ask(inbound=INBOUND["anthropic_messages"], document=document)
        events = [json.loads(line[6:]) for line in reply.body.decode().splitlines() if line.startswith("data: ")]
        pieces = [
            (one["index"], next(reversed(one["delta"].values()))) for one in events if "delta" in one and "index" in one
        ]
        assert pieces == [(0, "Hm."), (1, "One "), (1, "two.")]
        kinds = [one["type"] for one in events if not one["type"].endswith("_delta")]
        block = ["content_block_start", "content_block_stop"]
        assert kinds == ["message_start", *block, *block, "message_stop"]
        assert "reasoning_effort" not in second.asked[0]


async def test_what_is_more_than_text_is_not_gone_on_with() -> None:
    first, second = Player("One ", breaks=True, before={"refusal": "No, but: "}), Player("two.")
    async with playing(first, second) as stage:
        reply = await stage.ask(ALPHA, BRAVO)
        assert reply.json["error"]["partial"]["why_not"] == "the answer is more than text"
        assert second.asked == []


async def test_a_stream_that_the_gateway_ends_says_that_it_can_be_gone_on_from() -> None:
    first = Player("One ", breaks=True)
    replies: list[Reply] = []

    def listening(reply: Reply) -> Send:
        replies.append(reply)

        async def send(message: Message) -> None:
            take(reply, message)
            if b"One" in reply.body and not asking.done():
                asking.cancel()

        return send

    async with playing(first) as stage:
        asking = asyncio.create_task(stage.spine.ask(ALPHA, stream=True, send=listening))
        with pytest.raises(asyncio.CancelledError):
            await asking
    partial = replies[0].json["error"]["partial"]
    assert (partial["fault"], partial["resumable"], partial["next_target"]) == ("stopped", True, None)


async def test_a_broken_answer_is_billed_for_what_came_though_the_provider_counted_at_its_beginning() -> None:
    environ = {DIALECTS: "sim-alpha=anthropic_messages"}  # whose first event says one token
    async with simulated("sim-alpha") as simulator, opened(snapshot_of(simulator.ports, environ=environ)) as spine:
        reply = await spine.ask(ALPHA, stream=True, max_tokens=50, simulate="F53;after=12;tokens=24")
        [receipt] = spine.receipts
        assert receipt.usage.output_tokens >= 12
        assert receipt.cost_estimated
        assert reply.json["error"]["partial"]["output_tokens"] == receipt.usage.output_tokens


CALLERS = [form for form in FORMATS if form.writes]
PROVIDERS = ["openai_chat", "openai_responses", "anthropic_messages", "gemini", "cohere_v2", "ollama"]
BROKEN, WHOLE = "sim-alpha=F53;after=9;tokens=24,sim-bravo=OK;tokens=24", "OK;tokens=24"


class Google(Generation):
    """The endpoint of Google's streams: their model and manner are in the address."""

    def exchange(self, scope: Scope, send: Send) -> Exchange:
        parse = partial(GEMINI.parse, default_model="sim/swift-mini", stream=True)
        return Exchange(self._state, scope, send, self._inbound, parse)


async def told_to(form: Format, spine: Spine, simulate: str) -> Told:
    """What a caller of this format reads."""
    document = {name: value for name, value in form.body("sim/swift-mini", True).items() if name not in LIMITS}
    if form.name == "anthropic_messages":
        document["max_tokens"] = 400
    inbound = INBOUND[form.name]
    endpoint = Google(spine.state, inbound) if inbound is GEMINI else None
    reply = await spine.ask(inbound=inbound, endpoint=endpoint, document=document, simulate=simulate)
    assert reply.status == 200
    return told_by(form, True, reply.body)


PAIRS = [(broken, "openai_chat") for broken in PROVIDERS] + [("openai_chat", whole) for whole in PROVIDERS[1:]]


@pytest.mark.parametrize("form", CALLERS, ids=lambda form: form.name)
@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_any_provider_goes_on_for_any_other_in_every_format(form: Format, first: str, second: str) -> None:
    environ = {DIALECTS: f"sim-alpha={first},sim-bravo={second}"}
    async with simulated("sim-alpha", "sim-bravo") as simulator:
        snapshot = snapshot_of(simulator.ports, environ=environ, router=CHEAPEST_FIRST)
        async with opened(snapshot) as spine:
            told, whole = await told_to(form, spine, BROKEN), await told_to(form, spine, WHOLE)
            assert [one.outcome for one in spine.receipts[0].attempts] == ["cut", "ok"]
            assert told.text == whole.text
            assert (told.errors, told.malformed, told.finishes, told.usages) == ([], [], 1, whole.usages)
            assert told.endings == whole.endings


JOINTS = [
    # shown, trimmed, repeats, what the target says, what of it is new
    ("One two", "", False, [" three"], " three"),
    ("One two", " ", False, [" three"], "three"),
    ("One two", " ", False, ["three"], "three"),
    ("One two", "\n\n", False, ["\n", "\n", "three"], "three"),
    ("One two", "\n\n", False, ["\n", "three"], "three"),
    ("One two", " ", False, ["\nthree"], "\nthree"),
    ("One two", " ", True, ["One", " two", " three"], "three"),
    ("One two", "", True, ["One two three"], " three"),
    ("One two", "", True, ["On", "ly three"], "Only three"),
    ("One two", "", True, ["One"], "One"),
    ("ha", "", False, ["ha"], "ha"),
]


@pytest.mark.parametrize(("shown", "trimmed", "repeats", "said", "new"), JOINTS)
def test_a_joint_gives_what_is_new(shown: str, trimmed: str, repeats: bool, said: list[str], new: str) -> None:
    joint = Joint(shown, trimmed, repeats=repeats)
    assert "".join(joint.take(piece) for piece in said) + joint.rest() == new
