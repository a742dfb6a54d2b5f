"""Cohere's chat API over real bytes: streams cut anywhere, spelled in every legal way, bounded."""

import json

import pytest

from gateway.dialects.codec import Asked, Identity
from gateway.dialects.codecs import codec_of
from gateway.dialects.cohere import CohereOutbound
from gateway.dialects.cohere.read_stream import StreamReader
from gateway.dialects.contract import TargetManner
from gateway.dialects.formats import CHAT, OUTBOUND
from gateway.wire.delta import Failure, TextDelta
from tests.dialects.outbound import (
    assert_is_grammatical,
    assert_means_the_same_however_it_is_cut,
    read,
    spellings,
    streams_of,
)

STREAMS = streams_of("cohere_v2")
STRAY = ("a_bare_error", "an_error_in_the_place_of_an_event", "nonsense_between_events")
COHERE = CohereOutbound()


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_means_the_same_wherever_it_is_cut(name: str) -> None:
    assert_means_the_same_however_it_is_cut("cohere_v2", STREAMS[name])


@pytest.mark.parametrize("name", [name for name in STREAMS if name not in STRAY])
def test_every_legal_spelling_of_a_stream_means_the_same(name: str) -> None:
    plain = read(StreamReader(), [STREAMS[name]])
    for spelled in spellings(STREAMS[name]):
        for size in (1, 7, len(spelled)):
            assert read(StreamReader(), [spelled[at : at + size] for at in range(0, len(spelled), size)]) == plain


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_has_one_start_and_one_finish(name: str) -> None:
    assert_is_grammatical(read(StreamReader(), [STREAMS[name]])[0])


def test_a_last_event_without_its_empty_line_counts() -> None:
    stream = STREAMS["text"].partition(b"data: [DONE]")[0].rstrip()
    assert read(StreamReader(), [stream]) == read(StreamReader(), [STREAMS["text"]])


def test_nothing_behind_the_end_is_read() -> None:
    reader = StreamReader()
    reader.feed(STREAMS["text"])
    assert reader.done
    assert reader.feed(STREAMS["text"]) == []


@pytest.mark.parametrize("head", [b"data: ", b"x", b"data: {}\n", b'data: {"type": "debug"}\n\ndata: '])
def test_an_endless_event_is_bounded(head: bytes) -> None:
    reader = StreamReader(max_event_bytes=10_000)
    reader.feed(head)
    for _ in range(12):
        reader.feed(b"a" * 1000)
    assert reader.oversized
    assert reader.feed(STREAMS["text"]) == []


def test_an_event_over_the_limit_in_one_piece_is_not_read() -> None:
    reader = StreamReader(max_event_bytes=100)
    assert reader.feed(b'data: {"type": "debug", "prompt": "%s"}\n\n' % (b"a" * 200)) == []
    assert reader.oversized


@pytest.mark.parametrize("text", [b"5", b"[]", b"null", b"{}", b'"x"', b"\xff", b"{" * 2000, b'{"message": 5}'])
def test_what_is_no_answer_has_no_deltas(text: bytes) -> None:
    assert COHERE.read_answer(text) == []


def test_a_chat_client_gets_what_cohere_says() -> None:
    body = b'{"model": "cohere/command-a-03-2025", "messages": [{"role": "user", "content": "hi"}], "stream": true}'
    asked = Asked(CHAT.parse(body, ""), CHAT, Identity("steelyard-1", 5))
    codec = codec_of(CHAT, "cohere_v2")
    told = json.loads(codec.request(asked, TargetManner("command-a-03-2025")).body)
    assert told == {
        "model": "command-a-03-2025",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
    }
    relay = codec.relay(asked, "command-a")
    out = relay.feed(STREAMS["a_plan_and_two_calls"])
    relay.end()
    out += relay.closing(None)
    assert relay.complete
    assert relay.finish == "tool_calls"
    assert out.endswith(b"data: [DONE]\n\n")
    assert b'"weather"' in out
    assert b'"model":"command-a"' in out, "Cohere does not say who answers"
    assert b'"model":""' not in out


def test_its_error_is_told_as_an_error() -> None:
    deltas = OUTBOUND["cohere_v2"].read_answer(b'{"id": "x", "message": "invalid api token"}')
    assert deltas == [Failure(b'{"message":"invalid api token","type":"error"}')]


def test_where_it_is_asked() -> None:
    assert COHERE.path("command-a-03-2025", stream=True) == "/chat"


def test_a_text_of_any_script_survives() -> None:
    event = json.dumps({"type": "content-delta", "delta": {"message": {"content": {"text": "héllo 🙂 \u2028"}}}})
    deltas, _ = read(StreamReader(), [f"data: {event}\n\n".encode()])
    assert deltas[1:] == [TextDelta("héllo 🙂 \u2028")]
