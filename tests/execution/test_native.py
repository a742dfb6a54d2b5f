"""Providers with formats of their own: what they are sent, and what their callers get, whatever format those speak."""

import json
from time import monotonic
from typing import Any

import pytest
from msgspec import Struct

from gateway.dialects.contract import Inbound
from gateway.dialects.formats import CHAT, GEMINI, MESSAGES
from gateway.execution.breaker import CONSECUTIVE_FAILURES
from gateway.live import Snapshot
from gateway.providers.faults import Fault, FaultKind
from tests.execution.providers import Visit, raw
from tests.execution.spine import Reply, opened, snapshot_of

MODELS = [
    {"id": "maker/model", "upstream_name": "native-1", "abilities": ["tools", "images"], "context_window": 200_000}
]
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class Native(Struct, frozen=True):
    """A provider: where it is asked, and what it answers, whole and streamed. It calls the tool `weather`."""

    provider: str
    path: str
    stream_path: str
    key_header: str
    answer: dict[str, Any]
    events: list[dict[str, Any]]
    has_names: bool = False  # whether an SSE event carries its type as a name


CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "model": "native-1", "content": []}
CANDIDATE = {"content": {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}]}}
GOOGLE_USAGE = {"promptTokenCount": 12, "candidatesTokenCount": 5, "totalTokenCount": 17}

NATIVES = {
    "anthropic": Native(
        "anthropic",
        "/v1/messages",
        "/v1/messages",
        "x-api-key",
        MESSAGE | {"content": [CALL], "stop_reason": "tool_use", "usage": {"input_tokens": 12, "output_tokens": 5}},
        [
            {"type": "message_start", "message": MESSAGE | {"usage": {"input_tokens": 12, "output_tokens": 1}}},
            {"type": "content_block_start", "index": 0, "content_block": CALL | {"input": {}}},
            {"type": "ping"},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "input_json_delta", "partial_json": '{"city": "Oslo"}'},
            },
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}},
            {"type": "message_stop"},
        ],
        has_names=True,
    ),
    "google": Native(
        "google",
        "/v1/models/native-1:generateContent",
        "/v1/models/native-1:streamGenerateContent?alt=sse",
        "x-goog-api-key",
        {"candidates": [CANDIDATE | {"finishReason": "STOP"}], "usageMetadata": GOOGLE_USAGE, "responseId": "r1"},
        [
            {"candidates": [CANDIDATE], "responseId": "r1"},
            {"candidates": [{"content": {"parts": []}, "finishReason": "STOP"}], "usageMetadata": GOOGLE_USAGE},
        ],
    ),
}


class Asking(Struct, frozen=True):
    """A caller's format: a request that offers the tool, and the calls in what comes back."""

    inbound: Inbound
    document: dict[str, Any]


CHAT_REQUEST = {
    "model": "maker/model",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather in Oslo?"}],
    "tools": [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}],
    "max_tokens": 100,
}
MESSAGES_REQUEST = {
    "model": "maker/model",
    "system": "Be brief.",
    "messages": [{"role": "user", "content": "Weather in Oslo?"}],
    "tools": [{"name": "weather", "input_schema": WEATHER}],
    "max_tokens": 100,
}
GEMINI_REQUEST = {
    "model": "maker/model",
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [{"role": "user", "parts": [{"text": "Weather in Oslo?"}]}],
    "tools": [{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": WEATHER}]}],
    "generationConfig": {"maxOutputTokens": 100},
}
ASKINGS = {
    "openai_chat": Asking(CHAT, CHAT_REQUEST),
    "anthropic_messages": Asking(MESSAGES, MESSAGES_REQUEST),
    "gemini": Asking(GEMINI, GEMINI_REQUEST),
}

# Gemini's callers ask for a stream by the URL: tests/server/test_formats.py.
WAYS = [(asked, stream) for asked in ASKINGS for stream in (False, True) if not (stream and asked == "gemini")]


def snapshot(native: Native, port: int) -> Snapshot:
    own = {"base_url": f"http://127.0.0.1:{port}/v1", "api_key": "env:KEY", "models": MODELS}
    return snapshot_of({}, providers={native.provider: own}, environ={"KEY": "key-of-ours"})


def calls_in(reply: Reply, asking: Asking, stream: bool) -> list[tuple[str, Any]]:
    """Name and arguments of each tool call that the caller got."""
    documents = [json.loads(text) for text in data_of(reply)] if stream else [json.loads(reply.body)]
    if asking.inbound is CHAT:
        return chat_calls(documents, stream)
    if asking.inbound is GEMINI:
        parts = [part for one in documents for part in one["candidates"][0].get("content", {}).get("parts", [])]
        return [
            (part["functionCall"]["name"], part["functionCall"]["args"]) for part in parts if "functionCall" in part
        ]
    if not stream:
        return [(block["name"], block["input"]) for block in documents[0]["content"] if block["type"] == "tool_use"]
    starts = [one["content_block"] for one in documents if one["type"] == "content_block_start"]
    pieces = [one["delta"]["partial_json"] for one in documents if one["type"] == "content_block_delta"]
    return [(block["name"], json.loads("".join(pieces))) for block in starts]


def chat_calls(documents: list[Any], stream: bool) -> list[tuple[str, Any]]:
    if not stream:
        calls = documents[0]["choices"][0]["message"]["tool_calls"]
        return [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]
    deltas = [
        call["function"]
        for one in documents
        for choice in one["choices"]
        for call in choice["delta"].get("tool_calls", ())
    ]
    names = [delta["name"] for delta in deltas if delta.get("name")]
    return [(names[0], json.loads("".join(delta.get("arguments", "") for delta in deltas)))] if names else []


def data_of(reply: Reply) -> list[str]:
    lines = [line[6:] for line in reply.body.decode().splitlines() if line.startswith("data: ")]
    return [line for line in lines if line != "[DONE]"]


@pytest.mark.parametrize(("asked", "stream"), WAYS)
@pytest.mark.parametrize("name", NATIVES)
async def test_a_tool_is_offered_and_called_across_formats(name: str, asked: str, stream: bool) -> None:
    native, asking = NATIVES[name], ASKINGS[asked]
    bodies: list[Any] = []

    async def serve(visit: Visit) -> None:
        bodies.append(json.loads(await visit.request()))
        if not stream:
            await visit.answer(native.answer)
            return
        await visit.begin()
        for event in native.events:
            named = f"event: {event['type']}\n" if native.has_names else ""
            await visit.chunk(f"{named}data: {json.dumps(event)}\n\n".encode())
        await visit.chunk(b"")

    async with raw(serve) as server, opened(snapshot(native, server.port)) as spine:
        streaming = {"stream": stream} if asking.inbound is not GEMINI else {}
        reply = await spine.ask(inbound=asking.inbound, document=asking.document | streaming)
        assert reply.status == 200, reply.body
        head = server.visits[0].heads[0].decode()
        assert head.startswith(f"POST {native.stream_path if stream else native.path} HTTP/1.1\r\n")
        assert f"\r\n{native.key_header}: key-of-ours\r\n" in head
        assert "be brief." in json.dumps(bodies[0]).lower()
        assert '"weather"' in json.dumps(bodies[0])
        assert calls_in(reply, asking, stream) == [("weather", {"city": "Oslo"})]
        receipt = spine.receipts[0]
        assert (receipt.dialect, receipt.outcome) == (asked, "ok")
        assert (receipt.usage.input_tokens, receipt.usage.output_tokens, receipt.usage.estimated) == (12, 5, False)


SIGNED_TURNS = [
    {"role": "user", "content": "Weather in Oslo?"},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "I should look.", "signature": "c2lnbmVk"},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}},
        ],
    },
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"}]},
]


async def test_a_conversation_with_signed_thoughts_goes_back_to_their_maker_and_moves_only_when_he_is_down() -> None:
    native = NATIVES["anthropic"]
    bodies: list[Any] = []

    async def serve(visit: Visit) -> None:
        bodies.append(json.loads(await visit.request()))
        await visit.answer(native.answer)

    document = MESSAGES_REQUEST | {"model": "quality", "messages": SIGNED_TURNS}
    best = {"quality": 1.0, "input_price_usd": 0.0, "output_price_usd": 0.0, "first_token_seconds": 0.01}
    for script, answered_by in ((serve, "anthropic"), (fail, "other")):
        async with raw(script) as maker, raw(answer_chat) as other:
            providers = {
                "anthropic": {"base_url": f"http://127.0.0.1:{maker.port}/v1", "api_key": "env:KEY", "models": MODELS},
                "other": {"base_url": f"http://127.0.0.1:{other.port}/v1", "models": [MODELS[0] | best]},
            }
            async with opened(snapshot_of({}, providers=providers, environ={"KEY": "k"})) as spine:
                reply = await spine.ask(inbound=MESSAGES, document=document)
                assert (reply.status, spine.receipts[0].provider) == (200, answered_by)
                assert len(spine.receipts[0].attempts) == (1 if answered_by == "anthropic" else 2)
                lost = [loss.field for loss in spine.receipts[0].losses]
                assert bool(lost) == (answered_by == "other")
    assert bodies[0]["messages"] == SIGNED_TURNS, "not one byte of a signed block may change"


@pytest.mark.parametrize("wanted", [{"logprobs": True}, {"n": 2}], ids=["logprobs", "n"])
@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
async def test_who_can_give_all_that_is_asked_for_comes_before_a_better_one(
    wanted: dict[str, object], is_up: bool
) -> None:
    native = NATIVES["anthropic"]

    async def serve(visit: Visit) -> None:
        await visit.request()
        await visit.answer(native.answer)

    async def other_answers(visit: Visit) -> None:
        await (answer_chat(visit) if is_up else fail(visit))

    model = MODELS[0] | {"abilities": ["tools", "logprobs"]}
    cheap = model | {"input_price_usd": 0.1, "output_price_usd": 0.1}
    dear = model | {"input_price_usd": 10, "output_price_usd": 10}
    async with raw(serve) as better, raw(other_answers) as other:
        providers = {
            "anthropic": {
                "base_url": f"http://127.0.0.1:{better.port}/v1",
                "api_key": "env:KEY",
                "models": [cheap],
            },
            "other": {"base_url": f"http://127.0.0.1:{other.port}/v1", "models": [dear]},
        }
        async with opened(snapshot_of({}, providers=providers, environ={"KEY": "k"})) as spine:
            plain = await spine.ask(document=CHAT_REQUEST | {"model": "economy"})
            assert (plain.status, spine.receipts[0].provider) == (200, "anthropic")
            reply = await spine.ask(document=CHAT_REQUEST | {"model": "economy"} | wanted)
            assert (reply.status, spine.receipts[1].provider) == (200, "other" if is_up else "anthropic")
            assert {loss.field for loss in spine.receipts[1].losses} == (set() if is_up else set(wanted))


@pytest.mark.parametrize("inbound", [CHAT, MESSAGES, GEMINI], ids=lambda inbound: inbound.name)
async def test_the_receipt_of_what_could_not_be_read_names_the_format_that_it_came_in(inbound: Inbound) -> None:
    async with opened(snapshot_of({}, providers={})) as spine:
        reply = await spine.ask(inbound=inbound, document={"messages": 5, "contents": 5})
        assert (reply.status, spine.receipts[0].dialect) == (400, inbound.name)


@pytest.mark.parametrize(
    ("url", "provider"), [("https://example.org/a.png", "other"), ("data:image/png;base64,iVBORw0K", "attic")]
)
async def test_a_picture_elsewhere_goes_to_who_can_fetch_it(url: str, provider: str) -> None:
    said = {"role": "assistant", "content": "A cat."}
    answer = {"model": "m", "message": said, "done": True, "done_reason": "stop", "eval_count": 3}

    async def serve(visit: Visit) -> None:
        await visit.request()
        await visit.answer(answer)

    cheap, dear = ({"input_price_usd": price, "output_price_usd": price} for price in (0.1, 10))
    picture = {"type": "image_url", "image_url": {"url": url}}
    document = {"model": "economy", "messages": [{"role": "user", "content": [picture]}]}
    async with raw(serve) as attic, raw(answer_chat) as other:
        providers = {
            "attic": {
                "base_url": f"http://127.0.0.1:{attic.port}",
                "dialect": "ollama",
                "models": [MODELS[0] | cheap],
            },
            "other": {"base_url": f"http://127.0.0.1:{other.port}/v1", "models": [MODELS[0] | dear]},
        }
        async with opened(snapshot_of({}, providers=providers)) as spine:
            reply = await spine.ask(document=document)
            assert (reply.status, spine.receipts[0].provider) == (200, provider)
            assert spine.receipts[0].losses == ()


async def fail(visit: Visit) -> None:
    await visit.request()
    await visit.write(b"HTTP/1.1 500 no\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")


async def answer_chat(visit: Visit) -> None:
    await visit.request()
    await visit.answer()


async def test_a_router_that_loses_nothing_passes_over_who_would_lose_something() -> None:
    native = NATIVES["anthropic"]
    document = CHAT_REQUEST | {"seed": 7}

    async def serve(visit: Visit) -> None:
        await visit.request()
        await visit.answer(native.answer)

    async with raw(serve) as server:
        own = {"base_url": f"http://127.0.0.1:{server.port}/v1", "api_key": "env:KEY", "models": MODELS}
        for loss, status in (("report", 200), ("refuse", 400)):
            snapshot = snapshot_of({}, providers={"anthropic": own}, environ={"KEY": "k"}, router={"loss": loss})
            async with opened(snapshot) as spine:
                reply = await spine.ask(document=document)
                assert reply.status == status
                assert "seed" in (
                    reply.headers["x-steelyard-loss"] if status == 200 else reply.json["error"]["message"]
                )
                assert len(server.visits) == 1, "nobody is asked in vain"


@pytest.mark.parametrize("asked", [{"seed": 7}, {"tool_choice": "often"}], ids=["passed over", "no way to say it"])
async def test_a_target_that_is_not_asked_gives_the_probe_back(asked: dict[str, Any]) -> None:
    own = {"base_url": "http://127.0.0.1:1/v1", "api_key": "env:KEY", "models": MODELS}
    snapshot = snapshot_of({}, providers={"anthropic": own}, environ={"KEY": "k"}, router={"loss": "refuse"})
    async with opened(snapshot) as spine:
        long_ago = monotonic() - 100.0  # the breaker has opened, and cooled since
        for _ in range(CONSECUTIVE_FAILURES):
            spine.health.failed(0, long_ago, Fault(FaultKind.SERVER_ERROR, 500, None, "words", b"", ""))
        assert (await spine.ask(document=CHAT_REQUEST | asked)).status == 400
        assert spine.health.admits(0, monotonic())
