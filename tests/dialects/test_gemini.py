"""Gemini over real bytes: streams cut anywhere, the relay between equals, the thin view, errors, recorded clients."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.dialects.codec import Asked, Identity
from gateway.dialects.contract import TargetManner
from gateway.dialects.gemini import GEMINI, GEMINI_ARRAY
from gateway.dialects.gemini.count import count_answer, counted_body
from gateway.dialects.gemini.frames import Frames
from gateway.dialects.gemini.relay import StreamRelay, read_facts
from gateway.dialects.gemini.signatures import Seal, unwrapped, wrapped
from gateway.dialects.gemini.splice import GeminiSplice
from gateway.errors import Forbidden, InvalidRequest, Overloaded, ProviderRefused
from gateway.wire.ability import Ability
from gateway.wire.conversation import Conversation
from gateway.wire.delta import Began, Delta, Failure, Finish, TextDelta, Usage
from tests.dialects.cases import load_cases

CLIENTS = Path(__file__).parent.parent / "fixtures" / "clients"
RECORDED = sorted([*CLIENTS.glob("gemini-cli.json"), *CLIENTS.glob("google-genai-*.json")])
STREAMS = {
    case.name: case.given.encode()
    for case in load_cases()
    if case.format == "gemini" and case.operation == "read_stream"
}
EVENTS = [name for name, stream in STREAMS.items() if stream.startswith(b"data:")]
WHOLE = ["text", "thoughts_then_a_signed_call", "a_finish_in_every_chunk", "two_choices", "usage_in_pieces"]
CALLER = Conversation(origin="gemini", turns=())
TEXT = b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"index":0}],"modelVersion":"m"}\n\n'
LAST = TEXT.replace(b'"index":0', b'"finishReason":"STOP","index":0')


def read(pieces: Iterable[bytes]) -> list[Delta]:
    reader = GEMINI.stream_reader()
    deltas = [delta for piece in pieces for delta in reader.feed(piece)]
    return deltas + reader.end()


def relayed(pieces: Iterable[bytes], choices: int = 2) -> tuple[StreamRelay, bytes]:
    relay = StreamRelay(choices=choices)
    out = b"".join([relay.feed(piece) for piece in pieces])
    relay.end()
    return relay, out + relay.closing(None) if relay.complete else out


def facts(relay: StreamRelay) -> tuple[object, ...]:
    return (
        relay.started,
        relay.finish,
        relay.usage,
        relay.error,
        relay.malformed,
        relay.complete,
        relay.empty,
        relay.output_tokens_estimate,
        relay.provider_model,
    )


def payloads(out: bytes) -> list[dict[str, Any]]:
    """The data of every event."""
    return [json.loads(event.removeprefix(b"data: ")) for event in out.split(b"\n\n") if event]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_means_the_same_wherever_it_is_cut(name: str) -> None:
    stream = STREAMS[name] + b"\n\n"
    whole, (relay, out) = read([stream]), relayed([stream])
    for cut in range(1, len(stream)):
        assert read([stream[:cut], stream[cut:]]) == whole, stream[:cut]
        other, other_out = relayed([stream[:cut], stream[cut:]])
        assert (other_out, facts(other)) == (out, facts(relay)), stream[:cut]


def spellings(stream: bytes) -> Iterator[bytes]:
    """Legal ways to write the same events."""
    yield stream.replace(b"\n", b"\r\n")
    yield stream.replace(b"\n", b"\r")
    yield b"\xef\xbb\xbf" + stream
    yield stream.replace(b"data: ", b": a comment\nid: 5\nretry: 10\ndata: ")
    yield stream.replace(b"data: {", b"data: {\ndata: ")


@pytest.mark.parametrize("name", [name for name in EVENTS if name not in ("nonsense_between_chunks", "an_error_event")])
def test_every_legal_spelling_of_a_stream_means_the_same(name: str) -> None:
    stream = STREAMS[name] + b"\n\n"
    for spelled in spellings(stream):
        for size in (1, 7, len(spelled)):
            assert plain(read(spelled[at : at + size] for at in range(0, len(spelled), size))) == plain(read([stream]))


def plain(deltas: list[Delta]) -> list[Delta]:
    """Without the white space of an error object that came on several lines."""
    return [
        Failure(msgspec.json.format(delta.error, indent=-1)) if isinstance(delta, Failure) else delta
        for delta in deltas
    ]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_has_one_start_and_one_finish_of_each_choice(name: str) -> None:
    deltas = read([STREAMS[name]])
    starts = [number for number, delta in enumerate(deltas) if isinstance(delta, Began)]
    assert starts in ([], [0])
    finished = [delta.choice for delta in deltas if isinstance(delta, Finish)]
    assert len(finished) == len(set(finished))


def test_half_an_event_at_the_end_counts_when_its_json_is_whole() -> None:
    assert read([LAST.rstrip()])[-1] == Finish("stop")
    reader = GEMINI.stream_reader()
    reader.feed(LAST + TEXT[:40])
    assert reader.end() == [Finish("stop")]
    assert not reader.malformed


@pytest.mark.parametrize("head", [b"data: ", b"x", b"[{", b'{"a":"'])
def test_an_endless_chunk_is_bounded(head: bytes) -> None:
    frames = Frames(max_event_bytes=64_000)
    frames.feed(head)
    for _ in range(66):
        assert frames.feed(b"a" * 1000) == []
    assert frames.oversized


def test_an_error_in_the_place_of_an_event_is_a_failure() -> None:
    stray = b'{\n "error": {\n  "code": 503,\n  "message": "overloaded"\n }\n}\n'
    reader = GEMINI.stream_reader()
    deltas = reader.feed(TEXT) + reader.feed(stray) + reader.end()
    assert isinstance(deltas[-1], Failure)
    assert json.loads(deltas[-1].error) == {"code": 503, "message": "overloaded"}


@pytest.mark.parametrize("name", WHOLE)
def test_the_relay_lets_every_chunk_through_as_it_came(name: str) -> None:
    relay, out = relayed([STREAMS[name]])
    assert relay.complete
    assert payloads(out) == payloads(STREAMS[name])


@pytest.mark.parametrize("name", WHOLE)
def test_the_relay_and_the_reader_agree(name: str) -> None:
    relay, _ = relayed([STREAMS[name]])
    deltas = read([STREAMS[name]])
    assert relay.finish == next(delta.reason for delta in deltas if isinstance(delta, Finish))
    assert relay.usage == next((delta.usage for delta in reversed(deltas) if hasattr(delta, "usage")), None)


def test_the_last_chunk_is_held_back_for_our_own_object() -> None:
    relay = StreamRelay()
    assert relay.feed(TEXT + LAST) == TEXT
    assert relay.started
    relay.end()
    last = payloads(relay.closing(b'{"target":"m@p"}'))
    assert last == [payloads(LAST)[0] | {"steelyard": {"target": "m@p"}}]


def test_a_chunk_that_was_not_the_last_is_let_go() -> None:
    relay = StreamRelay()
    assert relay.feed(LAST) == b""
    assert relay.feed(LAST) == LAST
    assert relay.feed(TEXT) == LAST


def test_our_own_count_is_told_in_the_last_chunk() -> None:
    relay = StreamRelay()
    relay.feed(LAST)
    told = payloads(relay.closing(None, Usage(input_tokens=7, output_tokens=2, estimated=True)))[0]["usageMetadata"]
    assert told == {"promptTokenCount": 7, "candidatesTokenCount": 2, "totalTokenCount": 9}


def test_a_relayed_stream_may_become_an_array() -> None:
    relay = StreamRelay(sse=False)
    out = relay.feed(TEXT + LAST) + relay.closing(b"{}")
    assert [list(chunk) for chunk in json.loads(out)] == [
        ["candidates", "modelVersion"],
        ["candidates", "modelVersion", "steelyard"],
    ]
    assert json.loads(StreamRelay(sse=False).cut("gone", 502, "x", None))[0]["error"]["message"] == "gone"


def test_a_relayed_failure_of_the_model_is_an_error_before_anything_was_said() -> None:
    failed = LAST.replace(b"STOP", b"MALFORMED_FUNCTION_CALL").replace(b"Hi", b"")
    relay = StreamRelay()
    assert relay.feed(failed) == b""
    assert json.loads(relay.error or b"")["status"] == "MALFORMED_FUNCTION_CALL"
    relay = StreamRelay()
    relay.feed(TEXT + failed)
    assert relay.error is None
    assert relay.complete


def test_a_relayed_whole_answer_has_ended() -> None:
    relay = StreamRelay()
    assert relay.feed_answer(payload_of(TEXT)) == TEXT
    assert relay.complete
    assert relay.finish == "stop"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            b'{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"MAX_TOKENS"}]}',
            ("length", None, False, False),
        ),
        (b'{"candidates":[{"finishReason":"STOP"}]}', ("stop", None, True, False)),
        (b'{"promptFeedback":{"blockReason":"SAFETY"}}', ("content_filter", None, False, False)),
        (b'{"error":{"code":500}}', ("", b'{"code":500}', False, False)),
        (b'{"choices":[]}', ("", None, False, True)),
        (b"no", ("", None, False, True)),
    ],
)
def test_a_whole_answer_says_what_it_is(body: bytes, found: tuple[object, ...]) -> None:
    told = read_facts(body)
    assert (told.finish, told.error, told.empty, told.malformed) == found


def payload_of(event: bytes) -> bytes:
    return event.removeprefix(b"data: ").rstrip()


def asked(body: dict[str, Any]) -> Asked:
    return Asked(GEMINI.parse(json.dumps(body).encode(), "m"), GEMINI, Identity("i", 1))


HI = {"role": "user", "parts": [{"text": "hi"}]}
GEMINI_3, GEMINI_2 = TargetManner("gemini-3-flash", family="google"), TargetManner("gemini-2.5-flash", family="google")


def test_a_request_between_equals_stays_as_it_is_without_what_is_ours() -> None:
    request = asked({"contents": [HI], "models": ["x"], "model": "y", "steelyard": {}, "labels": {}})
    assert (
        GeminiSplice().request(request, GEMINI_3).body
        == b'{"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "labels": {}}'
    )


def test_calls_that_no_gemini_made_get_the_placeholder_between_equals_too() -> None:
    request = asked({"contents": [HI, {"role": "model", "parts": [{"functionCall": {"name": "f"}}]}]})
    assert b"skip_thought_signature_validator" in GeminiSplice().request(request, GEMINI_3).body
    assert GeminiSplice().request(request, GEMINI_2).body == request.prompt.body


def test_signatures_of_other_makers_do_not_reach_google_between_equals() -> None:
    foreign = wrapped(Seal("ErUB", maker="anthropic"))
    model = {
        "role": "model",
        "parts": [{"text": "Hm.", "thought": True, "thoughtSignature": foreign}, {"text": "Hello"}],
    }
    outgoing = GeminiSplice().request(asked({"contents": [HI, model, HI]}), GEMINI_3)
    assert foreign.encode() not in outgoing.body
    assert [loss.field for loss in outgoing.losses] == ["contents[1].reasoning"]


def test_what_a_provider_refuses_is_dropped_between_equals() -> None:
    outgoing = GeminiSplice().request(
        asked({"contents": [HI], "labels": {"a": "b"}}), TargetManner("gemini-3-flash", drop_fields=("labels",))
    )
    assert (json.loads(outgoing.body), [loss.field for loss in outgoing.losses]) == ({"contents": [HI]}, ["labels"])


@pytest.mark.parametrize(
    "seal",
    [Seal("a+/b==", maker="anthropic"), Seal("", "hidden", "rs_1", "openai"), Seal("EiYK", maker="google"), Seal()],
)
def test_a_seal_comes_back_as_it_went_in_either_alphabet(seal: Seal) -> None:
    text = wrapped(seal)
    assert unwrapped(text) == seal
    assert seal.maker == "google" or unwrapped(text.replace("+", "-").replace("/", "_").rstrip("=")) == seal


@pytest.mark.parametrize("text", ["c3RlZWx5YXJk", "c3RlZWx5YXJkOmE6eyJ", "c3RlZWx5YXJkOmE6W10=", "c3RlZWx5YXJk!!!!"])
def test_a_seal_that_makes_no_sense_is_googles(text: str) -> None:
    assert unwrapped(text) == Seal(text, maker="google")


def test_the_view_of_a_request() -> None:
    body = {
        "system_instruction": {"parts": [{"text": "s"}]},
        "contents": [
            HI,
            {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
            {"parts": [{"functionResponse": {"name": "f"}}, {"inline_data": {"mime_type": "image/png"}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}],
        "generationConfig": {
            "maxOutputTokens": 9,
            "candidateCount": 2,
            "responseMimeType": "application/json",
            "responseLogprobs": True,
        },
        "models": ["a", "b"],
    }
    prompt = GEMINI.parse(json.dumps(body).encode(), "gemini-3-flash", stream=True)
    assert (prompt.model, prompt.chain, prompt.stream, prompt.last_role) == ("gemini-3-flash", ("a", "b"), True, "tool")
    assert prompt.needs == Ability.TOOLS | Ability.IMAGES | Ability.JSON_MODE | Ability.LOGPROBS
    assert (prompt.message_count, prompt.tool_count, prompt.image_count) == (4, 2, 1)
    assert (prompt.max_output_tokens, prompt.choices) == (9, 2)
    assert prompt.texts == (b'"s"', b'"hi"', b'{"name": "f"}', b'{"name": "f"}', b'{"name": "f"}')


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"contents":[]}', "contents"),
        (b'{"contents":[{"parts":[{"fileData":{"fileUri":"file:///etc/passwd"}}]}]}', "fileUri"),
        (b'{"contents":"hi","generationConfig":{"candidateCount":0}}', "generationConfig.candidateCount"),
        (b'{"contents":"hi","tools":[{"functionDeclarations":5}]}', "tools.functionDeclarations"),
        (b'{"contents":"hi","generationConfig":{"maxOutputTokens":"9"}}', "generationConfig.maxOutputTokens"),
        (b"[1]", None),
        (b'{"contents":"\xff"}', None),
        (b'{"contents":' + b"[" * 1000, None),
        (b'{"contents":"\\ud800"}', None),
    ],
)
def test_a_wrong_request_is_refused_in_words(body: bytes, param: str | None) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        GEMINI.parse(body, "m")
    assert refusal.value.param == param


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_what_real_clients_sent_is_read_and_written_again(path: Path) -> None:
    body = counted_body(json.dumps(json.loads(path.read_text())["body"]).encode())
    conversation = GEMINI.read_request(body)
    outgoing = GEMINI.write_request(conversation, TargetManner("gemini-3-flash", family="google", is_reasoning=True))
    assert outgoing.losses == ()
    assert GEMINI.read_request(outgoing.body) == conversation
    assert GEMINI.parse(body, "m").message_count >= 1


def test_errors_have_googles_shape() -> None:
    body = GEMINI.error_body(Overloaded("no room", retry_after_seconds=1.2), "d1")
    assert json.loads(body) == {
        "error": {
            "code": 503,
            "message": "no room",
            "status": "UNAVAILABLE",
            "details": [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "OVERLOADED", "domain": "steelyard"},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"},
            ],
        },
        "steelyard": {"decision": "d1"},
    }
    assert json.loads(GEMINI.error_body(Forbidden("no"), None))["error"]["status"] == "PERMISSION_DENIED"
    assert json.loads(GEMINI.error_body(InvalidRequest("no", param="contents"), None))["error"]["details"][0][
        "metadata"
    ] == {"field": "contents"}


@pytest.mark.parametrize(
    ("body", "is_passed_on"),
    [(b'{"error":{"code":400,"status":"INVALID_ARGUMENT"}}', True), (b'{"error":{"type":"x"}}', False), (b"", False)],
)
def test_googles_own_error_is_passed_on(body: bytes, is_passed_on: bool) -> None:
    error = ProviderRefused("refused", status=400, code=None, body=body)
    assert (GEMINI.error_body(error, None) == body) is is_passed_on


def test_counting_takes_the_request_itself_or_one_inside() -> None:
    inner = b'{"contents":[{"parts":[{"text":"hi"}]}]}'
    assert counted_body(inner) == inner
    assert counted_body(b'{"generate_content_request":' + inner + b"}") == inner
    assert counted_body(b"no") == b"no"
    assert json.loads(count_answer(7))["totalTokens"] == 7


def test_the_paths() -> None:
    assert GEMINI.path("gemini-3-flash", False) == "/models/gemini-3-flash:generateContent"
    assert GEMINI.path("tunedModels/x", True) == "/tunedModels/x:streamGenerateContent?alt=sse"
    assert GEMINI.path("google/gemma", False) == "/models/google/gemma:generateContent"


def test_a_caller_without_sse_gets_one_array() -> None:
    writer = GEMINI_ARRAY.stream_writer(CALLER, True)
    out = writer.write([Began("r", "m"), TextDelta("a")]) + writer.write([TextDelta("b")]) + writer.closing(b"{}", None)
    assert [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in json.loads(out)] == ["a", "b", ""]
    assert json.loads(GEMINI_ARRAY.stream_writer(CALLER, True).closing(None, None))[0]["candidates"]
    writer = GEMINI_ARRAY.stream_writer(CALLER, True)
    assert list(json.loads(writer.write([TextDelta("a")]) + writer.cut("gone", "x", "y", b"{}"))[1]) == [
        "error",
        "steelyard",
    ]


def test_nothing_comes_behind_the_end() -> None:
    writer = GEMINI.stream_writer(CALLER, True)
    assert writer.closing(None, None) != b""
    assert writer.write([TextDelta("late")]) + writer.closing(None, None) + writer.cut("a", 1, "b", None) == b""
