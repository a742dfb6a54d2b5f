"""Chat Completions in full: what cases can't show, streams at every cut, and requests of real clients."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.scan import MAX_DEPTH
from gateway.dialects.chat import Chat
from gateway.dialects.chat.read_stream import StreamReader
from gateway.dialects.contract import TargetManner
from gateway.errors import InvalidRequest
from gateway.wire.conversation import Conversation
from gateway.wire.delta import Began, Delta, Failure, Finish, TextDelta, Usage, UsageReport
from tests.dialects.cases import Case, load_cases
from tests.dialects.streams import NAMES, chunks, payloads, relayed, said, stream

CHAT = Chat()
CALLER = Conversation("openai_chat", ())
OPENAI = TargetManner("gpt-5", "openai", "openai", is_reasoning=True)
CLIENTS = Path(__file__).parents[1] / "fixtures" / "clients"
STREAMS = [case for case in load_cases() if case.format == "openai_chat" and case.operation == "read_stream"]
TEXT_CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'


def recorded() -> list[Path]:
    """Requests of real clients to this format."""
    paths = sorted(CLIENTS.glob("*.json"))
    return [path for path in paths if json.loads(path.read_text())["path"] == "/v1/chat/completions"]


def read(*pieces: bytes) -> list[Delta]:
    reader = StreamReader()
    return [delta for piece in pieces for delta in reader.feed(piece)] + reader.end()


def variants(text: bytes) -> list[bytes]:
    """The same stream as other servers write it."""
    if not text.startswith((b"data:", b":", b"event:")):
        return [text]
    odd = b"\xef\xbb\xbf: hello\n\n" + text.replace(b"\n\n", b"\n\n: ping\n\n")
    return [text, text.replace(b"\n", b"\r\n"), text.replace(b"\n", b"\r"), odd]


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_a_stream_means_the_same_however_it_is_cut(case: Case) -> None:
    whole = read(case.given.encode() + b"\n\n")
    for text in variants(case.given.encode() + b"\n\n"):
        assert read(text) == whole
        assert read(*(text[place : place + 1] for place in range(len(text)))) == whole
        for cut in range(0, len(text), 5):
            assert read(text[:cut], text[cut:]) == whole


@pytest.mark.parametrize("name", NAMES)
def test_a_translation_to_the_same_format_says_what_the_relay_says(name: str) -> None:
    relay, out = relayed([stream(name)], choices=4)
    deltas = read(stream(name))
    writer = CHAT.stream_writer(CALLER, True)
    written = writer.write(deltas) + writer.closing(None, relay.usage)
    assert relay.error == next((delta.error for delta in deltas if isinstance(delta, Failure)), None)
    usage = [delta.usage for delta in deltas if isinstance(delta, UsageReport)]
    assert (usage[-1] if usage else None) == relay.usage
    for index in range(3) if relay.complete else ():
        mine, others = said(written, index), said(out, index)
        assert {**mine, "finish": ""} == {**others, "finish": ""}
        assert mine["finish"].keys() == others["finish"].keys()


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_requests_of_real_clients_come_through_whole(path: Path) -> None:
    sent = json.loads(path.read_text())["body"]
    read_in = CHAT.read_request(json.dumps(sent).encode())
    outgoing = CHAT.write_request(read_in, OPENAI)
    assert (outgoing.losses, read_in.unsaid) == ((), ())
    written = json.loads(outgoing.body)
    ours = {
        "model",
        "models",
        "stream",
        "stream_options",
        "max_tokens",
        "messages",
    }  # messages: a lone text becomes a string
    assert {name: written.get(name) for name in sent.keys() - ours} == {name: sent[name] for name in sent.keys() - ours}
    assert CHAT.read_request(outgoing.body) == read_in


def test_what_follows_the_terminator_or_a_failure_is_ignored() -> None:
    reader = StreamReader()
    assert reader.feed(b"data: [DONE]\n\n" + TEXT_CHUNK) == []
    assert (reader.done, reader.feed(TEXT_CHUNK), reader.end()) == (True, [], [])
    failing = StreamReader()
    assert [type(delta) for delta in failing.feed(b'data: {"error":{"message":"x"}}\n\n' + TEXT_CHUNK)] == [Failure]
    assert failing.feed(TEXT_CHUNK) == []


def test_events_that_make_no_sense_are_dropped() -> None:
    reader = StreamReader()
    for payload in (b"{", b"5", b'"x"', b'{"choices":5}', b'{"choices":[5]}', b'{"choices":[{"delta":5}]}', b"\xff"):
        assert reader.feed(b"data: " + payload + b"\n\n") == []
        assert reader.malformed
    assert len(reader.feed(TEXT_CHUNK)) == 2


def test_an_endless_event_ends_the_reading() -> None:
    reader = StreamReader(max_event_bytes=100)
    assert reader.feed(b"data: " + b"x" * 101) == []
    assert reader.oversized
    assert reader.feed(TEXT_CHUNK) == []


def test_a_last_event_without_its_empty_line_counts_if_it_is_whole() -> None:
    assert [type(delta) for delta in read(TEXT_CHUNK.rstrip())] == [Began, TextDelta]
    reader = StreamReader()
    assert reader.feed(TEXT_CHUNK[:40]) + reader.end() == []
    assert not reader.malformed


def test_usage_goes_to_those_who_want_it_and_metadata_to_the_last_chunk() -> None:
    deltas: list[Delta] = [Began("r", "m", 1), TextDelta("a"), Finish("stop")]
    for wants_usage in (True, False):
        writer = CHAT.stream_writer(CALLER, wants_usage)
        out = writer.write(deltas) + writer.closing(b'{"decision":"d"}', Usage(1, output_tokens=2))
        last = chunks(out)[-1]
        assert payloads(out)[-1] == "[DONE]"
        assert last["steelyard"] == {"decision": "d"}
        assert ("usage" in last, last["choices"] == []) == (wants_usage, wants_usage)
        assert sum("steelyard" in chunk for chunk in chunks(out)) == 1


def test_a_cut_has_an_error_for_every_sdk_and_no_terminator() -> None:
    writer = CHAT.stream_writer(CALLER, True)
    out = writer.write([Began("r", "m", 1), TextDelta("a")]) + writer.cut("gone", 502, "upstream_error", b'{"a":1}')
    last = chunks(out)[-1]
    assert last["error"] == {"message": "gone", "type": "upstream_error", "param": None, "code": 502}
    assert (last["choices"][0]["finish_reason"], last["steelyard"]) == ("error", {"a": 1})
    assert b"[DONE]" not in out


def test_json_that_came_over_several_lines_stays_one_event() -> None:
    pretty = b'{\n "choices": [{"index": 0, "message": {"content": "a"}, "logprobs": {\n"content": [{}]\r\n}}]}'
    writer = CHAT.stream_writer(CALLER, True)
    out = writer.write(CHAT.read_answer(pretty)) + writer.closing(None, None)
    assert out.count(b"\n\n") == out.count(b"data: ") == 4
    assert chunks(out)[1]["choices"][0]["logprobs"] == {"content": [{}]}


@pytest.mark.parametrize(
    "messages",
    [
        [],
        "hi",
        [{"content": "hi"}],
        [{"role": "robot", "content": "hi"}],
        [{"role": "user", "content": [{"text": "x"}]}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"detail": "low"}}]}],
        [{"role": "user", "content": [{"type": "input_audio"}]}],
        [{"role": "assistant", "tool_calls": [5]}],
        [{"role": "assistant", "tool_calls": [{"function": {"arguments": "{}"}}]}],
        [{"role": "assistant", "reasoning_details": [{"type": 5}]}],
        [{"role": "tool", "content": "x"}],
    ],
)
def test_nonsense_is_refused_with_the_name_of_the_field(messages: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        CHAT.read_request(json.dumps({"model": "m", "messages": messages}).encode())
    assert (refused.value.param or "").startswith("messages")


def test_deep_nesting_is_refused() -> None:
    deep = b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)
    with pytest.raises(InvalidRequest, match="nested"):
        CHAT.read_request(b'{"model":"m","messages":[{"role":"user","content":"x"}],"x":' + deep + b"}")


def test_the_rest_is_the_plain_formats() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
    assert CHAT.parse(body, "").dialect == CHAT.name == "openai_chat"
    assert CHAT.path("m", True) == "/chat/completions"
    assert CHAT.attach(b'{"id":"x"}', b"{}") == b'{"id":"x","steelyard":{}}'
    assert json.loads(CHAT.error_body(InvalidRequest("no", param="x"), "d"))["error"]["param"] == "x"
