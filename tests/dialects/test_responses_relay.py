"""OpenAI Responses between equals: bodies are edited, events go out as they came in, and there is one end."""

import json
from typing import Any

import msgspec
import pytest

from gateway.dialects.codec import Asked, Identity
from gateway.dialects.codecs import codec_of
from gateway.dialects.contract import TargetManner
from gateway.dialects.formats import RESPONSES
from gateway.dialects.responses.read_stream import StreamReader
from gateway.dialects.responses.relay import StreamRelay
from gateway.dialects.responses.splice import ResponsesSplice, read_facts
from gateway.dialects.responses.whole import answer_as_events
from gateway.wire.delta import Delta, Usage, UsageReport
from tests.dialects.cases import Case, load_cases
from tests.dialects.test_responses import joined
from tests.dialects.test_responses_sdk import EVENTS, check_grammar, events_of

CASES = [case for case in load_cases() if case.format == "openai_responses"]
STREAMS = [case for case in CASES if case.operation == "read_stream"]
ANSWERS = [case for case in CASES if case.operation == "read_answer"]
WRITTEN = [case for case in CASES if case.operation == "write_stream" and '"cut"' not in case.given]
HELLO: dict[str, Any] = {"model": "auto", "input": "hi"}
SPLICE = ResponsesSplice()


def stream_of(name: str) -> bytes:
    return next(case.given for case in STREAMS if case.name == name).encode() + b"\n\n"


def relayed(*pieces: bytes) -> tuple[StreamRelay, bytes]:
    """The relay after the stream, and everything that the caller got."""
    relay = StreamRelay()
    out = b"".join([relay.feed(piece) for piece in pieces])
    relay.end()
    return relay, out + relay.closing(None) if relay.complete else out


def asked(**members: Any) -> Asked:
    body = json.dumps(HELLO | members).encode()
    return Asked(RESPONSES.parse(body, "auto"), RESPONSES, Identity("id", 0))


@pytest.mark.parametrize("case", WRITTEN, ids=str)
def test_a_well_formed_stream_goes_out_byte_for_byte(case: Case) -> None:
    text = case.expected.lstrip().encode() + b"\n"
    relay, out = relayed(text)
    assert out == text
    assert (relay.complete, relay.done, relay.malformed) == (True, True, False)


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_a_stream_goes_out_the_same_however_it_is_cut(case: Case) -> None:
    text = case.given.encode() + b"\n\n"
    relay, whole = relayed(text)
    variants = [text, text.replace(b"\n", b"\r\n")]
    if text.startswith(b"event"):
        variants.append(b"\xef\xbb\xbf" + text.replace(b"\n\n", b"\n\n: ping\n\n"))
    for variant in variants:
        bytewise, out = relayed(*(variant[place : place + 1] for place in range(len(variant))))
        assert out == whole
        assert (bytewise.usage, bytewise.finish, bytewise.error) == (relay.usage, relay.finish, relay.error)


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_what_goes_out_says_what_came_in(case: Case) -> None:
    text = case.given.encode() + b"\n\n"
    relay, out = relayed(text)
    if relay.complete:
        one, other = StreamReader(), StreamReader()
        assert said(other.feed(out)) == said(one.feed(text))
        kinds = [event["type"] for event in events_of(out.decode())]
        assert kinds.count("response.completed") + kinds.count("response.incomplete") == 1


def test_usage_and_finish_are_read_on_the_way() -> None:
    relay, _ = relayed(stream_of("calls_in_pieces"))
    assert relay.usage == Usage(10, 4, 2, 5, 3)
    assert (relay.finish, relay.provider_model, relay.started) == ("tool_calls", "gpt-x", True)
    assert relay.output_tokens_estimate > 0
    assert relayed(stream_of("incomplete"))[0].finish == "length"


@pytest.mark.parametrize("name", ["only_whole_items", "only_the_last_event", "raw_thoughts", "a_refusal"])
def test_an_answer_is_not_empty_however_it_is_told(name: str) -> None:
    relay, _ = relayed(stream_of(name))
    assert (relay.started, relay.empty, relay.complete) == (True, False, True)


def test_an_answer_without_a_word_is_empty() -> None:
    said = {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": ""}]}
    response = {"object": "response", "status": "completed", "output": [said], "usage": None}
    text = b"data: " + json.dumps({"type": "response.completed", "response": response}).encode() + b"\n\n"
    assert relayed(text)[0].empty
    facts = read_facts(json.dumps(response).encode())
    assert (facts.empty, facts.malformed, facts.finish) == (True, False, "stop")


def test_the_end_waits_for_metadata_and_our_own_count() -> None:
    relay = StreamRelay()
    out = relay.feed(stream_of("text"))
    assert b"response.completed" not in out
    last = events_of(relay.closing(b'{"decision":"d"}', Usage(7, output_tokens=3, estimated=True)).decode())[-1]
    assert last["response"]["steelyard"] == {"decision": "d"}
    assert (last["response"]["usage"]["input_tokens"], last["response"]["usage"]["estimated"]) == (7, True)
    assert json.loads(relay.response)["id"] == "resp_1"
    counted = relay.closing(None, Usage(7, output_tokens=3))
    assert events_of(counted.decode())[-1]["response"]["usage"]["input_tokens"] == 10


def test_nothing_goes_out_behind_an_error() -> None:
    relay, out = relayed(stream_of("failed"))
    assert json.loads(relay.error or b"")["code"] == "rate_limit_exceeded"
    assert (relay.complete, b"more" in out, b"response.failed" in out) == (False, False, False)
    assert relayed(stream_of("an_error_in_the_place_of_a_stream"))[0].error is not None


def test_an_end_that_never_came_is_made_up_of_what_did() -> None:
    item = {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]}
    created = {"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1", "output": []}}
    done = {"type": "response.output_item.done", "sequence_number": 1, "output_index": 0, "item": item}
    text = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in (created, done)) + b"data: [DONE]\n\n"
    relay, out = relayed(text)
    last = events_of(out.decode())[-1]
    assert relay.complete
    assert (last["type"], last["sequence_number"], last["response"]["output"]) == ("response.completed", 2, [item])
    assert last["response"]["status"] == "completed"


def test_a_cut_before_anything_came_is_still_a_response() -> None:
    relay = StreamRelay()
    relay.end()
    assert not relay.complete
    EVENTS.validate_python(events_of(relay.cut("gone", 502, "stream_cut", None).decode())[-1])


@pytest.mark.parametrize("case", ANSWERS, ids=str)
def test_a_whole_answer_serves_as_a_stream(case: Case) -> None:
    relay = StreamRelay()
    out = relay.feed_answer(case.given.encode())
    if not relay.complete:
        assert (relay.error is not None, relay.malformed).count(True) == 1
        return
    out += relay.closing(None)
    check_grammar(events_of(out.decode()))
    assert said(StreamReader().feed(out)) == said(RESPONSES.read_answer(case.given.encode()))


def said(deltas: list[Delta]) -> Any:
    """As JSON, where raw members compare by what they say; usage may come earlier, `{}` may go unsaid."""
    kept = [delta for delta in joined(deltas) if not isinstance(delta, UsageReport)]
    return json.loads(msgspec.json.encode([delta for delta in kept if getattr(delta, "text", "") != "{}"]))


@pytest.mark.parametrize("case", [case for case in CASES if case.operation == "write_answer"], ids=str)
def test_the_events_of_a_whole_answer_are_what_the_sdk_expects(case: Case) -> None:
    for event in events_of(answer_as_events(case.expected.encode()).decode()):
        EVENTS.validate_json(json.dumps(event), strict=True)


def test_the_callers_own_bytes_go_to_the_provider() -> None:
    outgoing = SPLICE.request(asked(stream=True, models=["a"], steelyard={"x": 1}, store=True), TargetManner("gpt-x"))
    assert outgoing.body == b'{"model": "gpt-x", "input": "hi", "stream": true, "store": true}'
    assert outgoing.losses == ()
    dropped = SPLICE.request(asked(temperature=1), TargetManner("gpt-x", drop_fields=("temperature",)))
    assert dropped.body == b'{"model": "gpt-x", "input": "hi"}'
    assert [loss.field for loss in dropped.losses] == ["temperature"]
    nameless = Asked(RESPONSES.parse(b'{"input":"hi"}', "auto"), RESPONSES, Identity("id", 0))
    assert SPLICE.request(nameless, TargetManner("gpt-x")).body == b'{"model":"gpt-x","input":"hi"}'


def test_thoughts_of_other_makers_stay_behind() -> None:
    def thought(encrypted: str) -> dict[str, Any]:
        return {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": encrypted}

    sealed = ["gAAA", "steelyard:anthropic/signature:s", "steelyard::", "steelyard:xai:own", "steelyard:google/call:s"]
    said = {"role": "user", "content": "steelyard: what is it?"}
    request = asked(input=[*map(thought, sealed), said])
    outgoing = SPLICE.request(request, TargetManner("gpt-x", family="openai"))
    assert json.loads(outgoing.body)["input"] == [thought("gAAA"), said]
    assert [loss.field for loss in outgoing.losses] == ["input[1]", "input[2]", "input[3]", "input[4]"]
    there = SPLICE.request(request, TargetManner("grok", family="xai"))
    assert json.loads(there.body)["input"] == [thought("gAAA"), thought("own"), said]


def test_facts_of_whole_answers() -> None:
    answer = next(case for case in ANSWERS if case.name == "thought_text_and_calls").given.encode()
    facts, body = SPLICE.answer(answer, asked(), "m")
    assert (facts.finish, facts.model, facts.empty, facts.usage) == (
        "tool_calls",
        "gpt-x",
        False,
        Usage(10, 4, 2, 5, 3),
    )
    assert body is answer
    assert read_facts(b'{"error":{"message":"no","type":"x"}}').error is not None
    assert read_facts(next(case for case in ANSWERS if case.name == "failed").given.encode()).error is not None
    assert read_facts(b"<html>").malformed
    assert read_facts(b'{"choices":[]}').malformed


def test_an_endless_event_ends_the_relay() -> None:
    relay = StreamRelay(max_event_bytes=100)
    assert relay.feed(b"data: " + b"x" * 101) == b""
    assert (relay.oversized, relay.complete) == (True, False)


def test_equals_are_spliced() -> None:
    assert isinstance(codec_of(RESPONSES, "openai_responses"), ResponsesSplice)
