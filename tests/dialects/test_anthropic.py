"""Anthropic Messages: what cases can't show, and streams at every cut."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core.scan import MAX_DEPTH
from gateway.dialects.anthropic import MessagesInbound, MessagesOutbound
from gateway.dialects.anthropic.errors import count_tokens_body
from gateway.dialects.anthropic.hosts import BEDROCK, VERTEX
from gateway.dialects.anthropic.models import abilities_of
from gateway.dialects.anthropic.prompt import parse_count
from gateway.dialects.anthropic.read_stream import StreamReader
from gateway.dialects.anthropic.write_request import write_request
from gateway.dialects.contract import TargetManner
from gateway.errors import ContextTooLong, GatewayError, InvalidRequest, Overloaded, ProviderRefused, UpstreamExhausted
from gateway.wire.ability import Ability
from gateway.wire.conversation import Conversation, Text, Turn
from gateway.wire.delta import Delta, TextDelta, ThoughtDelta
from tests.dialects.cases import load_cases

INBOUND, OUTBOUND = MessagesInbound(), MessagesOutbound()
CLIENTS = Path(__file__).parents[1] / "fixtures" / "clients"
ROUTES = ("/v1/messages", "/v1/messages?beta=true")
STREAMS = [case for case in load_cases() if case.format == "anthropic_messages" and case.operation == "read_stream"]
HELLO: dict[str, Any] = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
TURNS = (Turn("user", (Text("hi"),)),)


def recorded() -> list[Path]:
    """Requests of real clients to this format."""
    return [path for path in sorted(CLIENTS.glob("*.json")) if json.loads(path.read_text())["path"] in ROUTES]


def body(**members: Any) -> bytes:
    return json.dumps(HELLO | members).encode()


def joined(deltas: list[Delta]) -> list[Delta]:
    """Neighbouring pieces of one text as one: where they are cut means nothing."""
    whole: list[Delta] = []
    for delta in deltas:
        last = whole[-1] if whole else None
        if isinstance(delta, TextDelta) and isinstance(last, TextDelta):
            whole[-1] = TextDelta(last.text + delta.text)
        elif isinstance(delta, ThoughtDelta) and isinstance(last, ThoughtDelta):
            whole[-1] = ThoughtDelta(last.text + delta.text)
        else:
            whole.append(delta)
    return whole


def read(*pieces: bytes) -> list[Delta]:
    reader = StreamReader()
    return [delta for piece in pieces for delta in reader.feed(piece)] + reader.end()


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_requests_of_real_clients_are_read_and_written_without_a_loss(path: Path) -> None:
    sent = json.loads(path.read_text())["body"]
    text = json.dumps(sent).encode()
    prompt = INBOUND.parse(text, "")
    manner = TargetManner("claude-opus-4-8", max_output_tokens=128_000)
    outgoing = OUTBOUND.write_request(INBOUND.read_request(text), manner)
    assert prompt.model == sent["model"]
    assert [loss for loss in outgoing.losses if "budget" not in loss.reason] == []
    written = json.loads(outgoing.body)
    assert written["max_tokens"] == sent["max_tokens"]
    assert len(written.get("tools", [])) == len(sent.get("tools", []))
    assert all(one["role"] != other["role"] for one, other in pairwise(written["messages"]))


def test_claude_code_names_its_session_and_needs_tools() -> None:
    text = json.dumps(json.loads((CLIENTS / "claude-code-tool.json").read_text())["body"]).encode()
    prompt = INBOUND.parse(text, "")
    assert prompt.session.startswith("00000000-0000-4000-8000-")
    assert (prompt.needs, prompt.last_role, prompt.tool_count) == (Ability.TOOLS, "tool", 12)


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_a_stream_means_the_same_however_it_is_cut(case: Any) -> None:
    for text in variants(case.given.encode() + b"\n\n"):
        whole = joined(read(text))
        assert whole == joined(read(case.given.encode() + b"\n\n"))
        assert joined(read(*(text[place : place + 1] for place in range(len(text))))) == whole
        for cut in range(0, len(text), 7):
            assert joined(read(text[:cut], text[cut:])) == whole


def variants(text: bytes) -> list[bytes]:
    """The same stream as other servers write it."""
    is_stream = text.startswith(b"event:")
    odd = b"\xef\xbb\xbf: hello\n\n" + text.replace(b"\n\n", b"\n\n: ping\n\n") if is_stream else text
    split = text.replace(b'data: {"type"', b'data: {\ndata: "type"') if is_stream else text
    return [text, text.replace(b"\n", b"\r\n"), odd, split]


def test_events_that_make_no_sense_are_dropped() -> None:
    reader = StreamReader()
    deltas = reader.feed(
        b'event: content_block_delta\ndata: {"type":\n\n'
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":"one"}\n\n'
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":5}\n\n'
        b'event: new_thing\ndata: {"type":"new_thing"}\n\n'
        b"data: [DONE]\n\n"
    )
    assert reader.malformed
    assert not reader.done
    assert len(deltas) <= 1


def test_an_endless_event_ends_the_reading() -> None:
    reader = StreamReader(max_event_bytes=100)
    assert reader.feed(b"event: content_block_delta\ndata: " + b"x" * 101) == []
    assert reader.oversized


@pytest.mark.parametrize(
    "members",
    [
        {"messages": []},
        {"messages": "hi"},
        {"messages": [{"content": "hi"}]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": [{"text": "x"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]},
        {"max_tokens": -1},
        {"max_tokens": "many"},
        {"max_tokens": None},
        {"model": 5},
        {"tools": [{"name": 5}], "messages": [{"role": "user", "content": None}]},
    ],
)
def test_nonsense_is_refused_with_the_name_of_the_field(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        INBOUND.parse(body(**members), "")
    assert (refused.value.param or "").partition(".")[0] in ("messages", "max_tokens", "model")


@pytest.mark.parametrize("text", [b"", b"[]", b"5", b"{", b"\xff", b'{"messages":' + b"[" * (MAX_DEPTH + 1)])
def test_what_is_no_object_is_refused(text: bytes) -> None:
    for reading in (INBOUND.read_request, lambda body: INBOUND.parse(body, "")):
        with pytest.raises(InvalidRequest):
            reading(text)


def test_a_count_needs_no_limit() -> None:
    text = json.dumps({"model": "auto", "messages": HELLO["messages"]}).encode()
    assert parse_count(text).max_output_tokens is None
    assert count_tokens_body(12) == b'{"input_tokens":12}'
    with pytest.raises(InvalidRequest, match="max_tokens: Field required"):
        INBOUND.parse(text, "")


def test_the_thin_view_sees_images_documents_and_schemas() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://x.test"}}
    document = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": ""}}
    words = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}
    result = {"type": "tool_result", "tool_use_id": "a", "content": [image, {"type": "text", "text": "found"}]}
    content = [image, result, words]
    schema = {"format": {"type": "json_schema", "schema": {}}}
    prompt = INBOUND.parse(body(messages=[{"role": "user", "content": content}], output_config=schema), "")
    assert prompt.needs == Ability.IMAGES | Ability.JSON_SCHEMA
    assert prompt.image_count == 2
    assert prompt.texts == (b'"found"', b'"words"', json.dumps(schema["format"]).encode())
    files = INBOUND.parse(body(messages=[{"role": "user", "content": [document]}]), "")
    assert files.needs == Ability.FILES


@pytest.mark.parametrize(
    ("error", "type_", "words"),
    [
        (InvalidRequest("no"), "invalid_request_error", "no"),
        (ContextTooLong("200 over 100 tokens"), "invalid_request_error", "prompt is too long: 200 over 100 tokens"),
        (Overloaded("later"), "overloaded_error", "later"),
        (UpstreamExhausted("all failed"), "api_error", "all failed"),
        (GatewayError("slow down", status=429), "rate_limit_error", "slow down"),
        (GatewayError("pay", status=402), "billing_error", "pay"),
        (
            ProviderRefused("bad", status=400, code=None, body=b'{"error":{"message":"x"}}'),
            "invalid_request_error",
            "bad",
        ),
    ],
)
def test_errors_have_the_types_that_callers_know(error: GatewayError, type_: str, words: str) -> None:
    document = json.loads(INBOUND.error_body(error, "d1"))
    assert (document["type"], document["error"]["type"], document["error"]["message"]) == ("error", type_, words)
    assert (document["request_id"], document["steelyard"]) == ("d1", {"decision": "d1"})


def test_a_providers_own_error_stays_as_it_is() -> None:
    own = b'{"type":"error","error":{"type":"invalid_request_error","message":"m"},"request_id":"req_1"}'
    error = ProviderRefused("m", status=400, code=None, body=own)
    assert INBOUND.error_body(error, None) == own


def test_hosts_of_claude_get_the_body_in_their_shape() -> None:
    conversation = Conversation("openai_chat", TURNS, stream=True)
    manner = TargetManner("claude-opus-4-8", beta="context-1m-2025-08-07")
    bedrock = write_request(conversation, manner, BEDROCK)
    vertex = write_request(conversation, manner, VERTEX)
    assert "model" not in json.loads(bedrock.body) | json.loads(vertex.body)
    assert json.loads(bedrock.body)["anthropic_beta"] == ["context-1m-2025-08-07"]
    assert (bedrock.headers, "stream" in json.loads(bedrock.body)) == ((), False)
    assert json.loads(vertex.body)["anthropic_version"] == "vertex-2023-10-16"
    assert (vertex.headers, json.loads(vertex.body)["stream"]) == ((("anthropic-beta", manner.beta),), True)


@pytest.mark.parametrize(
    ("model", "budget", "adaptive", "sampling", "efforts"),
    [
        ("claude-3-haiku-20240307", False, False, True, 0),
        ("claude-3-7-sonnet@20250219", True, False, True, 0),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", True, False, True, 0),
        ("claude-sonnet-4-20250514", True, False, True, 0),
        ("claude-opus-4-5-20251101", True, False, True, 3),
        ("anthropic/claude-opus-4.6", True, True, True, 4),
        ("claude-opus-4-7", False, True, False, 5),
        ("claude-fable-5", False, True, False, 5),
        ("claude-nova-7", False, True, False, 5),
        ("kimi-k3", True, False, True, 0),
    ],
)
def test_a_name_tells_what_a_model_takes(
    model: str, budget: bool, adaptive: bool, sampling: bool, efforts: int
) -> None:
    able = abilities_of(model)
    assert (able.budget, able.adaptive, able.sampling, len(able.efforts)) == (budget, adaptive, sampling, efforts)


def test_metadata_stands_in_the_last_event() -> None:
    writer = INBOUND.stream_writer(Conversation("anthropic_messages", ()), True)
    events = (writer.write([TextDelta("x")]) + writer.closing(b'{"a":1}', None)).decode().strip().split("\n\n")
    assert events[-1] == 'event: message_stop\ndata: {"type":"message_stop","steelyard":{"a":1}}'
    cut = writer.cut("gone", 504, "stream_cut", b'{"a":1}').decode()
    assert json.loads(cut.partition("data: ")[2])["error"]["type"] == "timeout_error"
