"""Anthropic Messages between equals: bodies are edited, events go out as they came in, and there is one of each end."""

import json
from typing import Any

import pytest

from gateway.dialects.anthropic import MessagesInbound
from gateway.dialects.anthropic.fit import fits
from gateway.dialects.anthropic.hosts import BEDROCK
from gateway.dialects.anthropic.relay import StreamRelay
from gateway.dialects.anthropic.splice import MessagesSplice
from gateway.dialects.anthropic.whole import answer_as_events
from gateway.dialects.codec import Asked, Identity
from gateway.dialects.contract import TargetManner
from gateway.wire.delta import Usage
from tests.dialects.cases import load_cases
from tests.dialects.test_anthropic_sdk import final_message

STREAMS = [case for case in load_cases() if (case.format, case.operation) == ("anthropic_messages", "read_stream")]
WHOLE = [case for case in STREAMS if case.name in ("text", "thinking_then_calls", "citations", "server_tool_in_pieces")]
HELLO: dict[str, Any] = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}


def stream_of(name: str) -> bytes:
    return next(case.given for case in STREAMS if case.name == name).encode() + b"\n\n"


def relayed(*pieces: bytes) -> tuple[StreamRelay, bytes]:
    """The relay after the stream, and everything that the caller got."""
    relay = StreamRelay()
    out = b"".join([relay.feed(piece) for piece in pieces])
    relay.end()
    return relay, out + relay.closing(None) if relay.complete else out


def asked(**members: Any) -> Asked:
    inbound = MessagesInbound()
    return Asked(inbound.parse(json.dumps(HELLO | members).encode(), ""), inbound, Identity("id", 0))


@pytest.mark.parametrize("case", WHOLE, ids=str)
def test_a_well_formed_stream_goes_out_byte_for_byte(case: Any) -> None:
    text = case.given.encode() + b"\n\n"
    relay, out = relayed(text)
    assert out == text
    assert (relay.started, relay.complete, relay.done, relay.malformed) == (True, True, True, False)


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_a_stream_goes_out_the_same_however_it_is_cut(case: Any) -> None:
    text = case.given.encode() + b"\n\n"
    relay, whole = relayed(text)
    for variant in (text, text.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + text.replace(b"\n\n", b"\n\n: ping\n\n")):
        if not variant.startswith(text[:1]) and not text.startswith(b"event"):
            continue
        bytewise, out = relayed(*(variant[place : place + 1] for place in range(len(variant))))
        assert out == whole
        assert (bytewise.usage, bytewise.finish, bytewise.error) == (relay.usage, relay.finish, relay.error)


@pytest.mark.parametrize(
    "case", [case for case in STREAMS if "stop" in case.expected or "finish" in case.expected], ids=str
)
def test_there_is_one_of_each(case: Any) -> None:
    relay, out = relayed(case.given.encode() + b"\n\n")
    if relay.complete:
        starts = [out.count(b"event: " + name + b"\n") for name in (b"message_delta", b"message_stop")]
        assert starts == [1, 1]
        assert out.count(b"event: content_block_start\n") == out.count(b"event: content_block_stop\n")


def test_usage_and_finish_are_read_on_the_way() -> None:
    relay, _ = relayed(stream_of("thinking_then_calls"))
    assert relay.usage == Usage(input_tokens=15, cached_tokens=5, output_tokens=7)
    assert (relay.finish, relay.provider_model) == ("tool_calls", "claude-x")
    assert relay.output_tokens_estimate > 0


def test_the_end_waits_for_metadata_and_our_own_count() -> None:
    relay = StreamRelay()
    out = relay.feed(stream_of("text"))
    assert b"message_delta" not in out
    assert b"message_stop" not in out
    closing = relay.closing(b'{"a":1}', Usage(20, output_tokens=4, estimated=True))
    end, stop = (json.loads(event.partition(b"data: ")[2]) for event in closing.strip().split(b"\n\n"))
    assert (end["usage"]["input_tokens"], end["usage"]["output_tokens"], end["usage"]["estimated"]) == (20, 4, True)
    assert stop == {"type": "message_stop", "steelyard": {"a": 1}}
    assert final_message(out + closing).stop_reason == "end_turn"


def test_an_error_ends_the_stream() -> None:
    relay, out = relayed(stream_of("error_event"))
    assert json.loads(relay.error or b"") == {"type": "overloaded_error", "message": "Overloaded"}
    assert (relay.complete, out.count(b"content_block_delta\n")) == (False, 1)
    relay, _ = relayed(stream_of("bare_error_in_the_place_of_events"))
    assert json.loads(relay.error or b"")["message"] == "busy"


def test_a_stream_that_is_cut_is_not_complete() -> None:
    relay, _ = relayed(stream_of("cut_before_the_end"))
    assert (relay.started, relay.complete, relay.empty) == (True, False, False)


@pytest.mark.parametrize(
    "name", ["text", "calls", "thinking", "citations_and_server_tools", "usage_with_cache_and_thinking"]
)
def test_a_whole_answer_in_the_place_of_a_stream(name: str) -> None:
    case = next(case for case in load_cases() if str(case) == f"anthropic_messages-read_answer-{name}")
    relay = StreamRelay()
    out = relay.feed_answer(case.given.encode())
    relay.end()
    assert relay.complete
    message: dict[str, Any] = final_message(out + relay.closing(None)).to_dict()
    given = json.loads(case.given)
    assert message["content"] == given["content"]
    assert (message["stop_reason"], message["usage"]["output_tokens"]) == (
        given["stop_reason"],
        given["usage"]["output_tokens"],
    )
    late = StreamRelay()
    assert late.feed(json.dumps(given).encode()) == b""
    late.end()
    assert late.complete


def test_a_stream_without_its_start_gets_one() -> None:
    relay, out = relayed(
        stream_of("no_message_start_and_no_indexes").replace(b'"type": "content', b'"index":0,"type": "content')
    )
    assert relay.complete
    assert final_message(out).to_dict()["content"] == [{"type": "text", "text": "x"}]


def test_what_is_no_answer_is_none() -> None:
    relay = StreamRelay()
    assert relay.feed_answer(b'{"hello":1}') == b""
    assert (relay.malformed, relay.complete) == (True, False)
    assert answer_as_events(b"[1]") == b""
    assert MessagesSplice().answer(b'{"hello":1}', asked(), "m")[0].malformed


def test_the_body_is_the_callers_own_but_for_what_is_ours() -> None:
    request = asked(models=["a"], steelyard={"x": 1}, context_management={"edits": []}, temperature=0.5)
    manner = TargetManner("claude-sonnet-4-5", beta="b1, b2", drop_fields=("temperature",))
    outgoing = MessagesSplice().request(request, manner)
    assert json.loads(outgoing.body) == HELLO | {"model": manner.model, "context_management": {"edits": []}}
    assert (outgoing.headers, [loss.field for loss in outgoing.losses]) == (
        (("anthropic-beta", "b1,b2"),),
        ["temperature"],
    )
    flags = "context-1m-2025-08-07, oauth-2025-04-20,effort-2025-11-24"
    there = MessagesSplice(BEDROCK).request(asked(stream=True), TargetManner("claude-sonnet-4-5", beta=flags))
    assert json.loads(there.body) == {
        "anthropic_version": "bedrock-2023-05-31",
        "anthropic_beta": ["context-1m-2025-08-07", "effort-2025-11-24"],
        "max_tokens": 9,
        "messages": HELLO["messages"],
    }


@pytest.mark.parametrize(
    ("members", "model", "is_fit"),
    [
        ({}, "claude-opus-4-8", True),
        ({"temperature": 0.5}, "claude-opus-4-8", False),
        ({"temperature": 0.5}, "claude-opus-4-6", True),
        ({"temperature": 0.5, "top_p": 0.5}, "claude-opus-4-6", False),
        ({"thinking": {"type": "adaptive"}}, "claude-sonnet-4-5", False),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "claude-opus-4-8", False),
        ({"thinking": {"type": "disabled"}}, "claude-fable-5", False),
        ({"output_config": {"effort": "high"}}, "claude-haiku-4-5", False),
        ({"output_config": {"effort": "xhigh"}}, "claude-opus-4-6", False),
        ({"output_config": {"effort": "xhigh"}}, "claude-opus-4-8", True),
        ({"tool_choice": {"type": "any"}, "thinking": {"type": "adaptive"}}, "claude-opus-4-8", False),
        ({"max_tokens": 200_000}, "claude-opus-4-8", False),
        ({"messages": [*HELLO["messages"], {"role": "system", "content": "x"}]}, "claude-opus-4-8", True),
        ({"messages": [*HELLO["messages"], {"role": "system", "content": "x"}]}, "claude-opus-4-6", False),
        ({"messages": [*HELLO["messages"], {"role": "assistant", "content": "x"}]}, "claude-opus-4-6", False),
        ({"temperature": 0.5, "thinking": {"type": "adaptive"}}, "kimi-k3", True),
    ],
)
def test_a_body_that_the_model_would_refuse_is_written_anew(members: dict[str, Any], model: str, is_fit: bool) -> None:
    manner = TargetManner(model, max_output_tokens=100_000)
    request = asked(**members)
    assert fits(request.prompt, manner) is is_fit
    again = asked(**json.loads(MessagesSplice().request(request, manner).body))
    assert fits(again.prompt, manner)


def test_thoughts_of_others_do_not_reach_the_provider() -> None:
    thoughts = [
        {"type": "thinking", "thinking": "a", "signature": "steelyard:google:x"},
        {"type": "thinking", "thinking": "b", "signature": ""},
        {"type": "thinking", "thinking": "c", "signature": "own"},
        {"type": "text", "text": "ok"},
    ]
    messages = [*HELLO["messages"], {"role": "assistant", "content": thoughts}, *HELLO["messages"]]
    outgoing = MessagesSplice().request(asked(messages=messages), TargetManner("claude-opus-4-8"))
    assert json.loads(outgoing.body)["messages"][1]["content"] == thoughts[2:]
    assert [loss.reason for loss in outgoing.losses] == [
        "this model takes back only thoughts that it signed itself (2 times)"
    ]
