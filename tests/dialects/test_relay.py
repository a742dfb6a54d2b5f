"""Provider streams of many shapes, relayed: what comes out, what is read, however the bytes arrive."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from core.scan import scan_frames
from gateway.dialects.relay import MAX_EVENT_BYTES, StreamRelay
from gateway.wire.delta import Usage
from tests.dialects.streams import NAMES, chunks, expected, facts, payloads, relayed, said, stream

WHOLE = [name for name in NAMES if expected(name)["complete"]]
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CHUNK = (
    b'data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"m",'
    b'"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n'
)
FINISH = CHUNK.replace(b'{"content":"Hi"}', b"{}").replace(b"null", b'"stop"')
DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_says_what_it_said(name: str) -> None:
    relay, out = relayed([stream(name)])
    wanted = expected(name)
    heard = said(out)
    assert {key: heard[key] for key in ("text", "reasoning", "tools", "finish")} == {
        key: wanted[key] for key in ("text", "reasoning", "tools", "finish")
    }
    read = facts(relay)
    assert {key: read[key] for key in wanted if key in read and key != "finish"} == {
        key: wanted[key] for key in wanted if key in read and key != "finish"
    }
    assert relay.finish == wanted["finish"].get("0", "")


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_means_the_same_wherever_it_is_cut(name: str) -> None:
    whole = stream(name)
    relay, out = relayed([whole])
    for cut in range(1, len(whole)):
        other, other_out = relayed([whole[:cut], whole[cut:]])
        assert other_out == out, whole[:cut]
        assert facts(other) == facts(relay), whole[:cut]


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_means_the_same_byte_by_byte(name: str) -> None:
    whole = stream(name)
    relay, out = relayed([whole])
    other, other_out = relayed(bytes([byte]) for byte in whole)
    assert other_out == out
    assert facts(other) == facts(relay)


def spellings(text: bytes) -> Iterator[bytes]:
    """Legal ways to write the same events."""
    yield text.replace(b"\n", b"\r\n")
    yield text.replace(b"\n", b"\r")
    yield BYTE_ORDER_MARK + text
    yield text.replace(b"data: ", b"data:")
    yield text.replace(b"data: ", b": a comment\nid: 5\nretry: 10\ndata: ")
    yield text.replace(b"data: {", b"data: {\ndata: ")


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("F69", "F70"))])
def test_every_legal_spelling_of_a_stream_comes_out_the_same(name: str) -> None:
    relay, out = relayed([stream(name)])
    for spelled in spellings(stream(name)):
        for size in (1, 7, len(spelled)):
            other, other_out = relayed(spelled[at : at + size] for at in range(0, len(spelled), size))
            assert [json.loads(data) for data in payloads(other_out) if data != "[DONE]"] == chunks(out)
            assert said(other_out) == said(out)
            if not name.startswith("F55"):  # half an event is half of something else in each spelling
                assert facts(other) == facts(relay)


@pytest.mark.parametrize("name", WHOLE)
def test_ordinary_frames_go_out_untouched_and_in_order(name: str) -> None:
    frames = [frame + b"\n\n" for frame in stream(name).partition(b"data: [DONE]")[0].split(b"\n\n")]
    ordinary = [frame for frame in frames if scan_frames(frame, 0, MAX_EVENT_BYTES)[0] == len(frame)]
    _, out = relayed([stream(name)])
    place = 0
    for frame in ordinary:
        place = out.index(frame, place) + len(frame)


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_ends_with_one_finish_one_usage_and_one_done(name: str) -> None:
    relay, out = relayed([stream(name)])
    data = payloads(out)
    assert data.count("[DONE]") == 1
    assert data[-1] == "[DONE]"
    told = [chunk for chunk in chunks(out) if chunk.get("usage")]
    assert len(told) == (relay.usage is not None)
    assert all(chunk["choices"] == [] for chunk in told)


@pytest.mark.parametrize("name", WHOLE)
def test_usage_stays_with_us_when_the_caller_did_not_ask(name: str) -> None:
    relay, out = relayed([stream(name)], wants_usage=False)
    assert not any(chunk.get("usage") for chunk in chunks(out))
    assert facts(relay)["usage"] == expected(name)["usage"]


@pytest.mark.parametrize("name", [name for name in WHOLE if name != "azure"])
def test_what_comes_out_fits_the_official_types(name: str) -> None:
    _, out = relayed([stream(name)])
    for chunk in chunks(out):
        ChatCompletionChunk.model_validate(chunk)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("wants_usage", [True, False])
def test_metadata_is_a_member_of_the_last_chunk_only(name: str, wants_usage: bool) -> None:
    relay = StreamRelay(wants_usage)
    out = relay.feed(stream(name))
    relay.end()
    out += relay.closing(b'{"target":"m@p"}')
    *others, last = chunks(out)
    assert last.pop("steelyard") == {"target": "m@p"}
    plain = StreamRelay(wants_usage)
    before = plain.feed(stream(name))
    plain.end()
    assert [*others, last] == chunks(before + plain.closing(None))


@pytest.mark.parametrize("name", [name for name in NAMES if not expected(name)["complete"]])
def test_a_broken_stream_ends_with_an_error_and_without_done(name: str) -> None:
    relay, out = relayed([stream(name)])
    last = relay.cut("it broke", 502, "upstream_error", b'{"a":1}')
    assert "[DONE]" not in payloads(out + last)
    chunk = chunks(last)[0]
    assert chunk["error"] == {"message": "it broke", "type": "upstream_error", "param": None, "code": 502}
    assert chunk["choices"] == [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]
    assert chunk["steelyard"] == {"a": 1}
    for other in chunks(out)[:1]:
        assert {key: chunk[key] for key in ("id", "object", "created", "model")} == {
            key: other[key] for key in ("id", "object", "created", "model")
        }


@pytest.mark.parametrize("field", ["id", "created", "model"])
def test_a_cut_before_anything_was_said_still_has_every_field(field: str) -> None:
    assert field in chunks(StreamRelay(False).cut("gone", "x", "y", None))[0]


def test_the_finish_is_held_back_until_the_end() -> None:
    relay = StreamRelay(False)
    assert relay.feed(CHUNK + FINISH) == CHUNK
    assert relay.complete
    assert relay.closing(None) == FINISH + DONE


def test_content_in_the_finishing_frame_goes_out_at_once() -> None:
    relay = StreamRelay(False)
    both = CHUNK.replace(b"null", b'"stop"')
    assert relay.feed(both) == CHUNK
    assert relay.started
    assert relay.closing(None) == FINISH + DONE


def test_half_a_frame_waits() -> None:
    relay = StreamRelay(False)
    assert relay.feed(CHUNK[:50]) == b""
    assert relay.feed(CHUNK[50:-1]) == b""
    assert relay.feed(CHUNK[-1:] + CHUNK[:9]) == CHUNK


def test_a_role_or_an_empty_delta_is_no_content() -> None:
    relay = StreamRelay(False)
    for delta in (b'{"role":"assistant"}', b'{"content":""}', b'{"content":null,"tool_calls":[]}', b"{}", b"null"):
        assert relay.feed(CHUNK.replace(b'{"content":"Hi"}', delta)) != b""
        assert not relay.started
    relay.feed(CHUNK)
    assert relay.started


@pytest.mark.parametrize(
    "delta",
    [
        b'{"reasoning_content":"Hm"}',
        b'{"refusal":"No"}',
        b'{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}',
        b'{"audio":{"id":"a","data":"UklG"}}',
        b'{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm"}]}]}',
    ],
)
def test_text_is_not_the_only_content(delta: bytes) -> None:
    relay = StreamRelay(False)
    relay.feed(CHUNK.replace(b'{"content":"Hi"}', delta))
    assert relay.started
    assert relay.output_tokens_estimate >= 1


def test_the_estimate_counts_a_token_per_frame_or_per_four_bytes() -> None:
    relay = StreamRelay(False)
    relay.feed(CHUNK * 10)
    assert relay.output_tokens_estimate == 10
    relay.feed(CHUNK.replace(b"Hi", b"x" * 400))
    assert relay.output_tokens_estimate == 105


def test_an_answer_with_several_choices_is_whole_when_all_have_finished() -> None:
    second = CHUNK.replace(b'"index":0', b'"index":1')
    relay = StreamRelay(False, choices=2)
    relay.feed(CHUNK + second + FINISH)
    assert not relay.complete
    relay.feed(FINISH.replace(b'"index":0', b'"index":1'))
    assert relay.complete


def test_an_index_of_a_wrong_type_is_not_fatal() -> None:
    relay = StreamRelay(False, choices=2)
    strange = CHUNK.replace(b'"index":0', b'"index":"x"')
    assert relay.feed(strange) == strange
    assert relay.feed(FINISH.replace(b'"index":0', b'"index":"x"')) == b""
    assert relay.malformed


@pytest.mark.parametrize("odd", [b'"x_groq":"x"', b'"note":"\\ud800"', b'"usage":null,"x_groq":[]'])
def test_what_else_a_chunk_of_several_choices_says_is_not_fatal(odd: bytes) -> None:
    relay = StreamRelay(False, choices=2)
    strange = CHUNK.replace(b'"created":7', odd)
    assert relay.feed(strange + CHUNK) == strange + CHUNK
    assert relay.started


@pytest.mark.parametrize("blank", [b"data: \n\n", b"data:\n\n", b"data\r\n\r\n", b"\n\n\n", b": ping\n\n"])
def test_blank_events_mean_nothing(blank: bytes) -> None:
    relay = StreamRelay(False)
    assert relay.feed(blank + CHUNK + blank) == CHUNK
    assert not relay.malformed


def test_nothing_is_read_behind_done() -> None:
    relay = StreamRelay(False)
    relay.feed(CHUNK + FINISH + DONE + CHUNK)
    assert relay.done
    assert relay.feed(CHUNK) == b""
    assert relay.closing(None) == FINISH + DONE


@pytest.mark.parametrize("head", [b"data: {", b"data:{", b"event: ", b"x", b": ", b"\xef", b"{"])
def test_an_endless_line_is_bounded(head: bytes) -> None:
    relay = StreamRelay(False, max_event_bytes=64_000)
    relay.feed(CHUNK + head)
    for _ in range(65):
        assert relay.feed(b"a" * 1000) == b""
    assert relay.oversized
    assert not relay.complete


def test_endless_lines_of_one_event_are_bounded() -> None:
    relay = StreamRelay(False, max_event_bytes=64_000)
    for _ in range(65):
        assert relay.feed(b"data:" + b"a" * 1000 + b"\r\n") == b""
    assert relay.oversized


def test_an_event_over_the_limit_ends_the_stream_in_one_piece_or_many() -> None:
    huge = CHUNK.replace(b"Hi", b"x" * 5000)
    for size in (1, 100, 10_000):
        relay = StreamRelay(False, max_event_bytes=4000)
        text = CHUNK + huge + CHUNK
        out = b"".join(relay.feed(text[at : at + size]) for at in range(0, len(text), size))
        assert (out, relay.oversized, relay.complete) == (CHUNK, True, False)


def test_our_own_count_is_told_when_the_provider_gave_none() -> None:
    relay = StreamRelay(True)
    relay.feed(CHUNK + FINISH)
    told = chunks(relay.closing(None, Usage(input_tokens=7, output_tokens=2, estimated=True)))[-1]
    assert told["choices"] == []
    assert told["usage"] == {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9, "estimated": True}
    assert told["id"] == "c1"


def test_the_providers_count_is_told_in_its_own_words_when_it_is_believed() -> None:
    relay = StreamRelay(True)
    usage = CHUNK.replace(b'[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]', b"[]")[:-3]
    usage += b',"usage":{"prompt_tokens":7,"completion_tokens":2,"cost":0.1}}\n\n'
    relay.feed(CHUNK + FINISH + usage)
    assert relay.closing(None, Usage(input_tokens=7, output_tokens=2)) == FINISH + usage + DONE


@pytest.mark.parametrize(
    ("usage", "output_tokens"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 2}, 2),
        ({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}, 2),
        ({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 107}, 102),
        ({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 0}, 2),
    ],
)
def test_thinking_that_only_the_total_counts_is_output(usage: dict[str, Any], output_tokens: int) -> None:
    relay = StreamRelay(False)
    relay.feed(b'data: {"choices":[],"usage":' + json.dumps(usage).encode() + b"}\n\n")
    assert relay.usage == Usage(input_tokens=5, output_tokens=output_tokens)


def test_ordinary_json_around_choices_does_not_hide_an_error() -> None:
    relay = StreamRelay(False)
    out = relay.feed(CHUNK + CHUNK.replace(b'{"id"', b'{"err\\u006fr":{"message":"hidden"},"id"') + CHUNK)
    assert out == CHUNK
    assert json.loads(relay.error or b"") == {"message": "hidden"}


def test_half_a_character_in_a_name_costs_neither_text_nor_finish() -> None:
    hostile = (CHUNK + FINISH).replace(b'"m"', b'"\\ud800\\\\ud801"')
    relay, out = relayed([hostile + DONE])
    assert relay.complete
    assert not relay.malformed
    assert (said(out)["text"], said(out)["finish"]) == ("Hi", {"0": "stop"})
    assert b"half" in relay.cut("half", 502, "x", None)
