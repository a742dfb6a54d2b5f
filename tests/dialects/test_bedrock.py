"""Bedrock over real bytes: streams cut anywhere, damaged anywhere, wrapped or not; requests held to AWS's own model."""

import json
from base64 import b64encode
from typing import Any

import pytest
from botocore.loaders import Loader  # type: ignore[import-untyped]
from botocore.model import ServiceModel  # type: ignore[import-untyped]
from botocore.validate import ParamValidator  # type: ignore[import-untyped]

from gateway.dialects.anthropic.hosts import BEDROCK, VERTEX
from gateway.dialects.bedrock import ConverseOutbound
from gateway.dialects.bedrock.invoked import InvokedOutbound, InvokedParser, InvokedSplice
from gateway.dialects.bedrock.model import model_of
from gateway.dialects.bedrock.read_stream import StreamReader
from gateway.dialects.codec import Asked, Identity
from gateway.dialects.codecs import codec_of
from gateway.dialects.contract import TargetManner
from gateway.dialects.formats import CHAT, MESSAGES, OUTBOUND
from gateway.framing.aws_events import write_message
from gateway.wire.delta import Failure, TextDelta
from tests.dialects.cases import Case, load_cases
from tests.dialects.outbound import assert_is_grammatical, assert_means_the_same_however_it_is_cut, read, streams_of

STREAMS = streams_of("bedrock_converse")
CONVERSE = ConverseOutbound()
CASES = [case for case in load_cases() if case.format == "bedrock_converse" and case.operation == "write_request"]
SHAPE = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2")).shape_for("ConverseRequest")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_request_is_one_that_aws_describes(case: Case) -> None:
    report = ParamValidator().validate({"modelId": "m", **json.loads(case.expected)["body"]}, SHAPE)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_means_the_same_wherever_it_is_cut(name: str) -> None:
    assert_means_the_same_however_it_is_cut("bedrock_converse", STREAMS[name])


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_has_one_start_and_one_finish(name: str) -> None:
    assert_is_grammatical(read(StreamReader(), [STREAMS[name]])[0])


@pytest.mark.parametrize("place", range(len(STREAMS["text"])))
def test_a_damaged_byte_ends_the_answer_in_an_error_and_never_changes_a_word(place: int) -> None:
    whole, _ = read(StreamReader(), [STREAMS["text"]])
    stream = bytearray(STREAMS["text"])
    stream[place] ^= 0x10
    deltas, _ = read(StreamReader(), [bytes(stream)])
    if isinstance(deltas[-1] if deltas else None, Failure):
        assert b"damaged_event_stream" in deltas.pop().error  # type: ignore[union-attr]
    assert deltas == whole[: len(deltas)]
    assert len(deltas) < len(whole)


def test_nothing_behind_the_end_is_read() -> None:
    reader = StreamReader()
    reader.feed(STREAMS["text"])
    assert reader.done
    assert reader.feed(STREAMS["text"]) == []


def test_an_endless_event_is_bounded() -> None:
    reader = StreamReader(max_event_bytes=10_000)
    head = write_message({":event-type": "contentBlockDelta"}, b"x" * 20_000)
    for at in range(0, 11_000, 1_000):
        reader.feed(head[at : at + 1_000])
    assert reader.oversized
    assert reader.feed(STREAMS["text"]) == []
    whole = StreamReader(max_event_bytes=10_000)
    assert whole.feed(head) == []
    assert whole.oversized


def test_an_error_message_without_a_payload_is_told_by_its_headers() -> None:
    told = {":message-type": "error", ":error-code": "InternalError", ":error-message": "An internal error occurred"}
    deltas, _ = read(StreamReader(), [write_message(told, b"")])
    assert deltas == [Failure(b'{"message":"An internal error occurred","type":"InternalError"}')]


@pytest.mark.parametrize("text", [b"5", b"[]", b"null", b"{}", b'"x"', b"\xff", b"{" * 2000, b'{"output": {}}'])
def test_what_is_no_answer_has_no_deltas(text: bytes) -> None:
    assert CONVERSE.read_answer(text) == []


def test_a_text_of_any_script_survives() -> None:
    payload = json.dumps({"contentBlockIndex": 0, "delta": {"text": "héllo 🙂 \u2028"}}).encode()
    deltas, _ = read(StreamReader(), [write_message({":event-type": "contentBlockDelta"}, payload)])
    assert deltas[1:] == [TextDelta("héllo 🙂 \u2028")]


def test_where_it_is_asked() -> None:
    assert CONVERSE.path("us.amazon.nova-pro-v1:0", stream=True) == "/model/us.amazon.nova-pro-v1:0/converse-stream"
    arn = "arn:aws:bedrock:us-east-1:1:inference-profile/x"
    assert CONVERSE.path(arn, stream=False) == "/model/arn:aws:bedrock:us-east-1:1:inference-profile%2Fx/converse"
    claude = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert OUTBOUND["anthropic_bedrock"].path(claude, stream=False) == f"/model/{claude}/invoke"
    assert OUTBOUND["anthropic_bedrock"].path(claude, stream=True) == f"/model/{claude}/invoke-with-response-stream"
    vertex = OUTBOUND["anthropic_vertex"].path("claude-opus-4-5@20251101", stream=True)
    assert vertex == "/publishers/anthropic/models/claude-opus-4-5@20251101:streamRawPredict"
    gemini = OUTBOUND["gemini_vertex"].path("gemini-2.5-pro", stream=True)
    assert gemini == "/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse"


@pytest.mark.parametrize(
    ("name", "maker", "bare"),
    [
        ("us.amazon.nova-2-lite-v1:0", "amazon", "nova-2-lite-v1:0"),
        ("qwen.qwen3-32b-v1:0", "qwen", "qwen3-32b-v1:0"),
        ("arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-8b-instruct-v1:0", "meta", "llama3-8b-instruct-v1:0"),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc123", "", ""),
    ],
)
def test_a_models_maker_is_read_from_its_name(name: str, maker: str, bare: str) -> None:
    assert (model_of(name).maker, model_of(name).name) == (maker, bare)


# Claude: Anthropic's events inside AWS's.

SAID: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 9}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Héllo."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
    {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 9}},
]
HEADERS = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
HELLO = {"model": "m", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "hi"}]}


def wrapped(events: list[dict[str, Any]]) -> bytes:
    """As InvokeModelWithResponseStream sends them, padding included."""
    payloads = ({"bytes": b64encode(json.dumps(event).encode()).decode(), "p": "abc"} for event in events)
    return b"".join(write_message(HEADERS, json.dumps(payload).encode()) for payload in payloads)


def unwrapped(events: list[dict[str, Any]]) -> bytes:
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def asked(**members: object) -> Asked:
    body = json.dumps(HELLO | members).encode()
    return Asked(MESSAGES.parse(body, ""), MESSAGES, Identity("msg_0", 1))


STREAM = wrapped(SAID)


@pytest.mark.parametrize("cut", range(1, len(STREAM), 3))
def test_claudes_stream_is_anthropics_own_however_it_is_cut(cut: int) -> None:
    relay, plain = InvokedSplice().relay(asked(), "m"), codec_of(MESSAGES, "anthropic_messages").relay(asked(), "m")
    out = relay.feed(STREAM[:cut]) + relay.feed(STREAM[cut:])
    relay.end()
    assert out == plain.feed(unwrapped(SAID))
    assert relay.complete
    assert relay.closing(None) == plain.closing(None)
    assert relay.usage is not None
    assert (relay.usage.input_tokens, relay.usage.output_tokens) == (9, 3)


def test_claudes_stream_means_the_same_to_a_chat_client() -> None:
    whole, _ = read(InvokedOutbound().stream_reader(), [STREAM])
    assert whole == read(OUTBOUND["anthropic_messages"].stream_reader(), [unwrapped(SAID)])[0]
    assert read(InvokedOutbound().stream_reader(), [STREAM[at : at + 1] for at in range(len(STREAM))])[0] == whole


@pytest.mark.parametrize("place", range(0, len(STREAM), 2))
def test_a_damaged_byte_of_claudes_stream_is_an_error(place: int) -> None:
    stream = bytearray(STREAM)
    stream[place] ^= 0x04
    relay = InvokedSplice().relay(asked(), "m")
    relay.feed(bytes(stream))
    relay.end()
    # A length that grew by less than what follows is still a wrong checksum; one in the last message may wait for more.
    assert not relay.complete or b"damaged" in (relay.error or b"")


def test_an_exception_amid_claudes_stream_is_an_error_of_its_name() -> None:
    broken = write_message(
        {":exception-type": "throttlingException", ":message-type": "exception"}, b'{"message":"Too many tokens"}'
    )
    relay = InvokedSplice().relay(asked(), "m")
    assert b"H\\u00e9llo" in relay.feed(wrapped(SAID[:3]) + broken + wrapped(SAID[3:]))
    assert json.loads(relay.error or b"") == {"message": "Too many tokens", "type": "throttlingException"}
    assert not relay.complete


def test_a_message_that_holds_no_event_is_dropped() -> None:
    relay = InvokedSplice().relay(asked(), "m")
    relay.feed(write_message(HEADERS, b'{"bytes":"*"}') + write_message(HEADERS, b"[") + write_message(HEADERS, b""))
    relay.feed(STREAM)
    assert relay.malformed
    assert relay.complete


def test_a_whole_answer_in_the_place_of_claudes_stream_is_read() -> None:
    answer = {
        "type": "message",
        "id": "msg_1",
        "content": [{"type": "text", "text": "Hello."}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 9, "output_tokens": 3},
    }
    relay = InvokedSplice().relay(asked(), "m")
    assert b"Hello." in relay.feed_answer(json.dumps(answer).encode())
    assert relay.complete


def test_plain_events_are_read_as_they_are() -> None:
    parser = InvokedParser()
    assert [event.name for event in parser.feed(unwrapped(SAID[:2]))] == [b"message_start", b"content_block_start"]
    assert parser.pending_bytes == 0


def test_a_body_for_claude_on_bedrock_names_neither_model_nor_stream() -> None:
    outgoing = InvokedSplice().request(asked(), TargetManner("claude-sonnet-4-5", family="anthropic"))
    assert json.loads(outgoing.body) == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 9,
        "messages": HELLO["messages"],
    }


@pytest.mark.parametrize("host", ["anthropic_bedrock", "anthropic_vertex"])
def test_a_picture_by_its_address_is_named_as_lost_where_nobody_fetches_it(host: str) -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "See"}, picture]}]
    outgoing = codec_of(MESSAGES, host).request(asked(messages=messages), TargetManner("claude-sonnet-4-5"))
    assert b"example.com" not in outgoing.body
    assert [loss.field for loss in outgoing.losses] == ["messages[0].image"]
    kept = codec_of(MESSAGES, "anthropic_messages").request(asked(messages=messages), TargetManner("claude-sonnet-4-5"))
    assert b"example.com" in kept.body


def test_flags_that_a_host_does_not_know_stay_here() -> None:
    flags = "context-1m-2025-08-07,oauth-2025-04-20,effort-2025-11-24"
    assert BEDROCK.taken(flags.split(",")) == ["context-1m-2025-08-07", "effort-2025-11-24"]
    assert VERTEX.taken(flags.split(",")) == ["context-1m-2025-08-07"]
    manner = TargetManner("claude-sonnet-4-5", beta=flags)
    chat = Asked(CHAT.parse(b'{"model":"m","messages":[{"role":"user","content":"hi"}]}', ""), CHAT, Identity("x", 1))
    bedrock = codec_of(CHAT, "anthropic_bedrock").request(chat, manner)
    assert json.loads(bedrock.body)["anthropic_beta"] == ["context-1m-2025-08-07", "effort-2025-11-24"]
    vertex = codec_of(CHAT, "anthropic_vertex").request(chat, manner)
    assert vertex.headers == (("anthropic-beta", "context-1m-2025-08-07"),)
