"""Ollama's chat API over real bytes: lines cut anywhere, bounded."""

import json

import pytest

from gateway.dialects.codec import Asked, Identity
from gateway.dialects.codecs import codec_of
from gateway.dialects.contract import TargetManner
from gateway.dialects.formats import CHAT
from gateway.dialects.ollama import OllamaOutbound
from gateway.dialects.ollama.read_answer import seconds_of
from gateway.dialects.ollama.read_stream import StreamReader
from tests.dialects.outbound import (
    assert_is_grammatical,
    assert_means_the_same_however_it_is_cut,
    read,
    streams_of,
)

STREAMS = streams_of("ollama")
OLLAMA = OllamaOutbound()


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_means_the_same_wherever_it_is_cut(name: str) -> None:
    assert_means_the_same_however_it_is_cut("ollama", STREAMS[name])


@pytest.mark.parametrize("name", STREAMS)
def test_every_legal_spelling_of_a_stream_means_the_same(name: str) -> None:
    plain = read(StreamReader(), [STREAMS[name]])
    for spelled in (STREAMS[name].replace(b"\n", b"\r\n"), STREAMS[name].replace(b"\n", b"\n\n")):
        for size in (1, 7, len(spelled)):
            assert read(StreamReader(), [spelled[at : at + size] for at in range(0, len(spelled), size)]) == plain


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_has_one_start_and_one_finish(name: str) -> None:
    assert_is_grammatical(read(StreamReader(), [STREAMS[name]])[0])


def test_a_last_line_without_its_end_counts() -> None:
    assert read(StreamReader(), [STREAMS["text"].rstrip()]) == read(StreamReader(), [STREAMS["text"]])


def test_half_a_line_at_the_end_is_dropped_in_silence() -> None:
    deltas, state = read(StreamReader(), [STREAMS["it_breaks_off"] + b'{"model": "x", "mess'])
    assert (deltas, state) == read(StreamReader(), [STREAMS["it_breaks_off"]])


def test_an_endless_line_is_bounded() -> None:
    reader = StreamReader(max_line_bytes=10_000)
    for _ in range(12):
        assert reader.feed(b"a" * 1000) == []
    assert reader.oversized
    assert reader.feed(b"\n" + STREAMS["text"]) == []
    assert reader.end() == []


def test_a_line_over_the_limit_in_one_piece_is_not_read() -> None:
    reader = StreamReader(max_line_bytes=100)
    assert reader.feed(b'{"message": {"content": "%s"}}\n' % (b"a" * 200)) == []
    assert reader.oversized


@pytest.mark.parametrize("text", [b"5", b"[]", b"null", b"{}", b'"x"', b"\xff", b"{" * 2000, b'{"message": 5}'])
def test_what_is_no_answer_has_no_deltas(text: bytes) -> None:
    assert OLLAMA.read_answer(text) == []


def test_a_chat_client_gets_what_ollama_says() -> None:
    body = b'{"model": "ollama/llama3.2", "messages": [{"role": "user", "content": "hi"}]}'
    asked = Asked(CHAT.parse(body, ""), CHAT, Identity("steelyard-1", 5))
    codec = codec_of(CHAT, "ollama")
    told = json.loads(codec.request(asked, TargetManner("llama3.2")).body)
    assert told["stream"] is False
    line = {"model": "llama3.2", "message": {"content": "Hello"}, "done": True, "prompt_eval_count": 3, "eval_count": 1}
    facts, out = codec.answer(json.dumps(line).encode(), asked, "m")
    answer = json.loads(out)
    assert answer["choices"][0]["message"]["content"] == "Hello"
    assert answer["usage"]["prompt_tokens"] == 3
    assert facts.finish == "stop"


@pytest.mark.parametrize(
    ("time", "seconds"),
    [("2026-11-23T10:00:00.123456789Z", 1795428000), ("2026-11-23T12:00:00+02:00", 1795428000), ("soon", 0), (None, 0)],
)
def test_the_time_is_read_to_the_second(time: str | None, seconds: int) -> None:
    assert seconds_of(time) == seconds


def test_where_it_is_asked() -> None:
    assert OLLAMA.path("llama3.2", stream=True) == "/api/chat"
