"""Bedrock, Vertex and Azure from the caller's bytes to theirs, with what lets us in, over loopback."""

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.auth  # type: ignore[import-untyped]
import pytest
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.dialects.formats import GEMINI, MESSAGES
from gateway.framing.aws_events import write_message
from gateway.live import Snapshot
from gateway.server.limits import Message, Send
from tests.execution.providers import RawServer, Visit, raw
from tests.execution.spine import Reply, opened, snapshot_of, take

PRICES = {"input_price_usd": 1.0, "output_price_usd": 2.0, "first_token_seconds": 0.01}
GOOD = PRICES | {"abilities": ["tools"], "quality": 0.9}
OTHER = {"id": "amazon/nova", "upstream_name": "other", "quality": 0.1, **PRICES}
AWS = {"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "s3cret", "AWS_SESSION_TOKEN": "sess1on"}
BEDROCK_FIRST = ("amazon/nova@bedrock", "amazon/nova@other")
CHAT = {"model": "quality", "messages": [{"role": "user", "content": "hi"}]}
USAGE = {
    "inputTokens": 10,
    "outputTokens": 2,
    "totalTokens": 1112,
    "cacheReadInputTokens": 1000,
    "cacheWriteInputTokens": 100,
}
ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}},
    "stopReason": "end_turn",
    "usage": USAGE,
}


def at(server: RawServer) -> str:
    return f"http://127.0.0.1:{server.port}"


def bedrock(
    server: RawServer, model: str = "amazon/nova", name: str = "amazon.nova-lite-v1:0", other: RawServer | None = None
) -> Snapshot:
    """Bedrock with keys of the environment, and perhaps a worse provider of the same model."""
    own = {"base_url": at(server), "location": "us-east-1", "login": "environment"}
    providers: dict[str, Any] = {"bedrock": own | {"models": [GOOD | {"id": model, "upstream_name": name}]}}
    if other is not None:
        providers["other"] = {"base_url": f"{at(other)}/v1", "models": [OTHER]}
    return snapshot_of({}, providers=providers, environ=AWS)


def event(kind: str, **payload: object) -> bytes:
    return write_message({":event-type": kind, ":message-type": "event"}, json.dumps(payload).encode())


EVENTS = [
    event("messageStart", role="assistant"),
    event("contentBlockDelta", contentBlockIndex=0, delta={"text": "Hel"}),
    event("contentBlockDelta", contentBlockIndex=0, delta={"text": "lo."}),
    event("contentBlockStop", contentBlockIndex=0),
    event("messageStop", stopReason="end_turn"),
    event("metadata", usage=USAGE),
]


async def answer_chat(visit: Visit) -> None:
    await visit.request()
    if b'"stream":true' not in visit.heads[0]:
        await visit.answer()


async def stream(visit: Visit, *chunks: bytes) -> None:
    await visit.begin("application/vnd.amazon.eventstream")
    for chunk in chunks:
        await visit.chunk(chunk)
    await visit.chunk(b"")


async def refuse(visit: Visit, status: int, document: object, extra: str = "") -> None:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n{extra}content-length: {len(body)}\r\n\r\n"
    await visit.write(head.encode() + body)


def headers_of(head: bytes) -> dict[str, str]:
    lines = head.decode().split("\r\n")[1:-2]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def assert_is_signed(server: RawServer, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Amazon's own library comes to the same signature."""
    head = server.visits[0].heads[0]
    headers, path = headers_of(head), head.decode().split(" ")[1]
    moment = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
    request: Any = AWSRequest("POST", f"{at(server)}{path}", data=body)
    botocore.auth.SigV4Auth(Credentials("AKIA1", "s3cret", "sess1on"), "bedrock", "us-east-1").add_auth(request)
    assert headers["authorization"] == request.headers["Authorization"]
    assert headers["x-amz-security-token"] == "sess1on"


async def test_a_chat_is_conversed_with_bedrock_in_a_signed_request(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[bytes] = []

    async def serve(visit: Visit) -> None:
        bodies.append(await visit.request())
        await visit.answer(ANSWER)

    async with raw(serve) as server, opened(bedrock(server)) as spine:
        reply = await spine.ask(document=dict(CHAT))
        assert (reply.status, reply.text) == (200, "Hello.")
        assert server.visits[0].heads[0].startswith(b"POST /model/amazon.nova-lite-v1:0/converse HTTP/1.1\r\n")
        assert_is_signed(server, bodies[0], monkeypatch)
        usage = spine.receipts[0].usage
        counted = (usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens, usage.output_tokens)
        assert (counted, usage.estimated) == ((1110, 1000, 100, 2), False)
        assert reply.json["usage"]["prompt_tokens_details"]["cached_tokens"] == 1000


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_a_stream_of_bedrocks_reaches_a_chat_client_however_it_is_cut(size: int) -> None:
    async def serve(visit: Visit) -> None:
        await visit.request()
        text = b"".join(EVENTS)
        await stream(visit, *(text[place : place + size] for place in range(0, len(text), size)))

    async with raw(serve) as server, opened(bedrock(server)) as spine:
        reply = await spine.ask(document=CHAT | {"stream": True})
        assert server.visits[0].heads[0].startswith(b"POST /model/amazon.nova-lite-v1:0/converse-stream HTTP/1.1\r\n")
        assert (reply.text, reply.is_whole_stream()) == ("Hello.", True)
        assert spine.receipts[0].usage.cached_tokens == 1000


DAMAGED = bytearray(EVENTS[2])
DAMAGED[-9] ^= 1


async def other_streams(visit: Visit) -> None:
    await visit.request()
    await visit.begin()
    await visit.event({"content": "good"})
    await visit.event({}, "stop")
    await visit.chunk(b"")


async def test_a_damaged_stream_falls_back_before_the_first_word() -> None:
    async def serve(visit: Visit) -> None:
        await visit.request()
        await stream(visit, EVENTS[0], bytes(DAMAGED), *EVENTS[3:])

    async with raw(serve) as server, raw(other_streams) as other, opened(bedrock(server, other=other)) as spine:
        reply = await spine.ask(*BEDROCK_FIRST, document=CHAT | {"stream": True})
        assert (reply.text, reply.is_whole_stream()) == ("good", True)
        assert [attempt.fault for attempt in spine.receipts[0].attempts] == ["broken_answer", ""]


async def test_a_stream_that_is_damaged_behind_the_first_word_is_cut() -> None:
    was_read = asyncio.Event()

    async def serve(visit: Visit) -> None:
        await visit.request()
        await visit.begin("application/vnd.amazon.eventstream")
        await visit.chunk(EVENTS[0] + EVENTS[1])
        await was_read.wait()
        await visit.chunk(bytes(DAMAGED) + b"".join(EVENTS[3:]))

    def reading(reply: Reply) -> Send:
        async def send(message: Message) -> None:
            take(reply, message)
            if b"Hel" in reply.body:
                was_read.set()

        return send

    async with raw(serve) as server, opened(bedrock(server)) as spine:
        reply = await spine.ask(document=CHAT | {"stream": True}, send=reading)
        assert reply.is_cut_stream()
        assert reply.text == "Hel"
        assert "the checksum of a message is wrong" in reply.json["error"]["message"]


@pytest.mark.parametrize(
    ("exception", "fault"),
    [
        ("throttlingException", "rate_limited"),
        ("serviceUnavailableException", "overloaded"),
        ("modelTimeoutException", "request_timeout"),
        ("modelStreamErrorException", "server_error"),
    ],
)
async def test_an_exception_before_the_first_word_falls_back(exception: str, fault: str) -> None:
    async def serve(visit: Visit) -> None:
        await visit.request()
        message = write_message({":exception-type": exception, ":message-type": "exception"}, b'{"message":"no"}')
        await stream(visit, EVENTS[0], message)

    async with raw(serve) as server, raw(other_streams) as other, opened(bedrock(server, other=other)) as spine:
        reply = await spine.ask(*BEDROCK_FIRST, document=CHAT | {"stream": True})
        assert reply.text == "good"
        assert [attempt.fault for attempt in spine.receipts[0].attempts] == [fault, ""]


@pytest.mark.parametrize(
    ("status", "name", "message", "fault"),
    [
        (429, "ThrottlingException", "Too many requests", "rate_limited"),
        (429, "ModelNotReadyException", "Model is not ready for inference.", "overloaded"),
        (408, "ModelTimeoutException", "The model timed out.", "request_timeout"),
        (424, "ModelErrorException", "The model failed.", "server_error"),
        (503, "ServiceUnavailableException", "Come back.", "overloaded"),
        (403, "AccessDeniedException", "You don't have access to the model with the specified model ID.", "model_gone"),
        (403, "InvalidSignatureException", "The Canonical String should have been sess1on, s3cret", "credentials"),
        (400, "ValidationException", "The provided model identifier is invalid.", "model_gone"),
        (400, "ValidationException", "Input is too long for requested model.", "context_too_long"),
    ],
)
async def test_an_error_that_a_header_names_falls_back_and_shows_no_key(
    status: int, name: str, message: str, fault: str
) -> None:
    async def serve(visit: Visit) -> None:
        await visit.request()
        named = f"x-amzn-ErrorType: {name}:http://internal.amazon.com/\r\n"
        await refuse(visit, status, {"message": message}, named)

    async with raw(serve) as server, raw(answer_chat) as other:
        snapshot = bedrock(server, other=other)
        async with opened(snapshot) as spine:
            reply = await spine.ask(*BEDROCK_FIRST, document=dict(CHAT))
            attempts = spine.receipts[0].attempts
            assert attempts[0].fault == fault
            shown = reply.body.decode() + "".join(attempt.detail for attempt in attempts)
            assert not re.search("s3cret|sess1on", shown)


async def test_a_mistake_in_the_request_is_told_to_the_caller() -> None:
    async def serve(visit: Visit) -> None:
        await visit.request()
        await refuse(visit, 400, {"message": "1 validation error"}, "x-amzn-ErrorType: ValidationException\r\n")

    async with raw(serve) as server, raw(answer_chat) as other, opened(bedrock(server, other=other)) as spine:
        reply = await spine.ask(*BEDROCK_FIRST, document=dict(CHAT))
        assert (reply.status, reply.json["error"]["message"]) == (400, "1 validation error")
        assert not other.visits


SAID: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 9}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello."}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 3, "cache_read_input_tokens": 4},
    },
    {"type": "message_stop"},
]


async def test_claude_on_bedrock_streams_anthropics_events_to_who_speaks_its_format() -> None:
    bodies: list[Any] = []

    async def serve(visit: Visit) -> None:
        bodies.append(json.loads(await visit.request()))
        events = (b64encode(json.dumps(said).encode()).decode() for said in SAID)
        await stream(visit, *(event("chunk", bytes=said, p="abc") for said in events))

    name = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    document = {"model": "quality", "max_tokens": 9, "stream": True, "messages": CHAT["messages"]}
    async with raw(serve) as server, opened(bedrock(server, "anthropic/claude-sonnet-4.5", name)) as spine:
        flags = [("anthropic-beta", "context-1m-2025-08-07,oauth-2025-04-20")]
        reply = await spine.ask(inbound=MESSAGES, document=document, headers=flags)
        assert server.visits[0].heads[0].startswith(f"POST /model/{name}/invoke-with-response-stream ".encode())
        assert bodies == [
            {
                "anthropic_version": "bedrock-2023-05-31",
                "anthropic_beta": ["context-1m-2025-08-07"],
                "max_tokens": 9,
                "messages": CHAT["messages"],
            }
        ]
        assert "anthropic-beta" not in headers_of(server.visits[0].heads[0])
        lines = [line for line in reply.body.decode().splitlines() if line.startswith("event: ")]
        assert lines == [f"event: {said['type']}" for said in SAID]
        usage = spine.receipts[0].usage
        assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (13, 4, 3)


# Vertex and Azure: a token first.

PEM = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
GEMINI_ANSWER = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Hello."}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 5},
}
CLAUDE_ANSWER = {
    "type": "message",
    "id": "msg_1",
    "content": [{"type": "text", "text": "Hello."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 12, "output_tokens": 5},
}


class Cloud:
    """One server that gives out tokens and answers to requests that show one."""

    def __init__(self, answer: object, token_status: int = 200) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []  # path, headers, body
        self.tokens = 0
        self.refusal: tuple[int, object] | None = None
        self._answer = answer
        self._token_status = token_status

    async def __call__(self, visit: Visit) -> None:
        while True:
            body = await visit.request()
            path = visit.heads[-1].decode().split(" ")[1]
            if path.endswith("/token"):
                self.tokens += 1
                given = {"access_token": f"hidden-token-{self.tokens}", "expires_in": 3600}
                await refuse(
                    visit, self._token_status, given if self._token_status == 200 else {"error": "invalid_grant"}
                )
                continue
            self.requests.append((path, headers_of(visit.heads[-1]), json.loads(body)))
            await (visit.answer(self._answer) if self.refusal is None else refuse(visit, *self.refusal))


def vertex(
    server: RawServer, folder: Path, models: list[Mapping[str, object]], other: RawServer | None = None
) -> Snapshot:
    account = {"type": "service_account", "project_id": "p", "client_email": "me", "private_key": PEM}
    path = folder / "account.json"
    path.write_text(json.dumps(account | {"token_uri": f"{at(server)}/token"}))
    own = {"base_url": at(server), "login": "environment", "location": "europe-west4", "models": models}
    providers: dict[str, Any] = {"vertex": own | {"headers": {"x-proxy-key": PROXY_KEY}}}
    if other is not None:
        providers["other"] = {"base_url": f"{at(other)}/v1", "models": [OTHER | {"id": models[0]["id"]}]}
    return snapshot_of({}, providers=providers, environ={"GOOGLE_APPLICATION_CREDENTIALS": str(path)})


PROXY_KEY = "hidden-proxy-key"
WAYS = {
    "gemini": (
        GOOD | {"id": "google/gemini-2.5-pro", "upstream_name": "gemini-2.5-pro"},
        GEMINI_ANSWER,
        "/v1beta1/projects/p/locations/europe-west4/publishers/google/models/gemini-2.5-pro:generateContent",
    ),
    "claude": (
        GOOD | {"id": "anthropic/claude-opus-4.5", "upstream_name": "claude-opus-4-5@20251101"},
        CLAUDE_ANSWER,
        "/v1/projects/p/locations/europe-west4/publishers/anthropic/models/claude-opus-4-5@20251101:rawPredict",
    ),
}


@pytest.mark.parametrize("way", WAYS)
async def test_vertex_is_asked_with_a_token_that_is_fetched_once(way: str, tmp_path: Path) -> None:
    model, answer, path = WAYS[way]
    cloud = Cloud(answer)
    async with raw(cloud) as server, opened(vertex(server, tmp_path, [model])) as spine:
        for _ in range(3):
            reply = await spine.ask(document=dict(CHAT))
            assert (reply.status, reply.text) == (200, "Hello.")
        assert [request[0] for request in cloud.requests] == [path] * 3
        assert {request[1]["authorization"] for request in cloud.requests} == {"Bearer hidden-token-1"}
        assert cloud.tokens == 1
        body = cloud.requests[0][2]
        assert "model" not in body
        assert body.get("anthropic_version") == ("vertex-2023-10-16" if way == "claude" else None)
        assert spine.receipts[0].usage.input_tokens == 12


async def test_a_caller_of_google_is_served_by_vertex(tmp_path: Path) -> None:
    cloud = Cloud(GEMINI_ANSWER)
    document = {"model": "quality", "contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    async with raw(cloud) as server, opened(vertex(server, tmp_path, [WAYS["gemini"][0]])) as spine:
        reply = await spine.ask(inbound=GEMINI, document=document)
        assert reply.json["candidates"][0]["content"]["parts"] == [{"text": "Hello."}]
        assert cloud.requests[0][2]["contents"] == document["contents"]


@pytest.mark.parametrize(("status", "fault"), [(400, "credentials"), (503, "connect")])
async def test_a_token_that_is_not_to_be_had_is_a_fault_of_this_provider_only(
    status: int, fault: str, tmp_path: Path
) -> None:
    cloud, first = Cloud(GEMINI_ANSWER, status), WAYS["gemini"][0]
    targets = (f"{first['id']}@vertex", f"{first['id']}@other")
    async with (
        raw(cloud) as server,
        raw(answer_chat) as other,
        opened(vertex(server, tmp_path, [first], other)) as spine,
    ):
        reply = await spine.ask(*targets, document=dict(CHAT))
        assert (reply.status, reply.text) == (200, "good")
        attempt = spine.receipts[0].attempts[0]
        assert attempt.fault == fault
        assert attempt.detail.startswith(f"no credentials: Google's token endpoint answered with status {status}")
        assert "invalid_grant" in attempt.detail
        assert not cloud.requests


async def test_a_token_that_is_refused_is_shown_nowhere_even_if_the_provider_repeats_it(tmp_path: Path) -> None:
    cloud = Cloud(GEMINI_ANSWER)
    cloud.refusal = (
        401,
        {"error": {"code": 401, "message": f"bad: Bearer hidden-token-1, {PROXY_KEY}", "status": "UNAUTHENTICATED"}},
    )
    async with raw(cloud) as server, opened(vertex(server, tmp_path, [WAYS["gemini"][0]])) as spine:
        reply = await spine.ask(document=dict(CHAT))
        assert reply.status == 502
        attempt = spine.receipts[0].attempts[0]
        assert (attempt.fault, attempt.detail) == ("credentials", "bad: Bearer ***, ***")
        assert b"hidden" not in reply.body


def azure(server: RawServer, **wished: object) -> Snapshot:
    own = {"base_url": at(server), "login": "environment", **wished}
    environ = {
        "AZURE_TENANT_ID": "tenant",
        "AZURE_CLIENT_ID": "app",
        "AZURE_CLIENT_SECRET": "s3cret",
        "AZURE_AUTHORITY_HOST": at(server),
    }
    models = [GOOD | {"id": "openai/gpt-5", "upstream_name": "team-gpt5"}]
    return snapshot_of({}, providers={"azure": own | {"models": models}}, environ=environ)


CHAT_ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("", "/openai/v1/chat/completions"),
        ("2024-10-21", "/openai/deployments/team-gpt5/chat/completions?api-version=2024-10-21"),
    ],
)
async def test_a_deployment_of_azures_is_asked_with_a_token_of_entra(version: str, path: str) -> None:
    cloud = Cloud(CHAT_ANSWER)
    async with raw(cloud) as server, opened(azure(server, api_version=version)) as spine:
        reply = await spine.ask(document=dict(CHAT))
        assert (reply.status, reply.text) == (200, "Hello.")
        asked, headers, body = cloud.requests[0]
        assert (asked, body["model"]) == (path, "team-gpt5")
        assert headers["authorization"] == "Bearer hidden-token-1"
        assert "api-key" not in headers


async def test_azures_content_filter_is_a_refusal_to_the_caller() -> None:
    cloud = Cloud(CHAT_ANSWER)
    filtered = {"hate": {"filtered": True, "severity": "high"}}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": filtered}
    error = {"message": "The response was filtered", "code": "content_filter", "status": 400, "innererror": inner}
    cloud.refusal = (400, {"error": error})
    async with raw(cloud) as server, opened(azure(server)) as spine:
        reply = await spine.ask(document=dict(CHAT))
        assert reply.status == 400
        assert reply.json["error"]["code"] == "content_filter"
        assert reply.json["error"]["innererror"]["content_filter_result"] == filtered
        assert spine.receipts[0].attempts[0].fault == "content_filter"
