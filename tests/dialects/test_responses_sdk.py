"""The official SDK reads what we write, strictly, and raises where an answer broke off."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import TypeAdapter

from gateway.dialects.gathering import Gathering
from gateway.dialects.responses import Responses
from gateway.dialects.responses.relay import StreamRelay
from gateway.wire.conversation import Conversation
from gateway.wire.partial import Partial
from tests.dialects.cases import Case, load_cases
from tests.dialects.test_cases import WriteStream
from tests.dialects.vocabulary import read

EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
PARAMS: TypeAdapter[Any] = TypeAdapter(ResponseCreateParamsNonStreaming)
CALLER = Conversation("openai_responses", ())
RESPONSES = Responses()


def cases(operation: str) -> list[Case]:
    return [case for case in load_cases() if (case.format, case.operation) == ("openai_responses", operation)]


WHOLE = [case for case in cases("write_stream") if '"cut"' not in case.given]


@contextmanager
def sdk(body: bytes, content_type: str) -> Iterator[openai.OpenAI]:
    """A client whose server, on this machine, says this."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", content_type)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is the base class's
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with openai.OpenAI(api_key="k", base_url=f"http://127.0.0.1:{server.server_port}/v1", max_retries=0) as client:
            yield client
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def final_response(body: bytes) -> Response:
    """What the SDK's own helper puts together from the events; it knows no other end than response.completed."""
    with sdk(body, "text/event-stream") as client:
        if b"event: response.completed" in body:
            with client.responses.stream(model="m", input="hi") as stream:
                return stream.get_final_response()
        *_, last = client.responses.create(model="m", input="hi", stream=True)
    assert last.type == "response.incomplete"
    return last.response


def events_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(event.partition("\ndata: ")[2]) for event in text.strip().split("\n\n")]


@pytest.mark.parametrize("case", cases("write_answer"), ids=str)
def test_answers_are_what_the_sdk_expects(case: Case) -> None:
    response = Response.model_validate_json(case.expected, strict=True)
    assert response.object == "response"
    assert response.status in ("completed", "incomplete")


@pytest.mark.parametrize("case", cases("write_stream"), ids=str)
def test_events_are_what_the_sdk_expects(case: Case) -> None:
    for event in case.expected.strip().split("\n\n"):
        name, _, data = event.partition("\ndata: ")
        assert name == f"event: {json.loads(data)['type']}"
        EVENTS.validate_json(data, strict=True)


@pytest.mark.parametrize("case", cases("write_stream"), ids=str)
def test_events_follow_the_grammar(case: Case) -> None:
    check_grammar(events_of(case.expected))


def check_grammar(events: list[dict[str, Any]]) -> None:
    """Numbered without a gap, one start, one end; items opened and closed once, in their places; all texts repeated."""
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = [event["type"].removeprefix("response.") for event in events]
    assert kinds[:2] == ["created", "in_progress"]
    assert kinds[-1] in ("completed", "incomplete", "failed")
    assert not {"created", "in_progress", "completed", "incomplete", "failed"} & set(kinds[2:-1])
    added = [event for event in events if event["type"] == "response.output_item.added"]
    done = [event for event in events if event["type"] == "response.output_item.done"]
    assert [event["output_index"] for event in added] == list(range(len(added)))
    ids = [event["item"]["id"] for event in added]
    assert len(set(ids)) == len(ids)
    if kinds[-1] != "failed":
        finished = sorted(done, key=lambda event: int(event["output_index"]))
        assert [event["item"]["id"] for event in finished] == ids
        assert [event["item"] for event in finished] == events[-1]["response"]["output"]
    heard: dict[tuple[Any, ...], str] = {}
    for event in events:
        if "item_id" in event:
            assert event["item_id"] == ids[event["output_index"]]
        if event["type"].endswith(".delta"):
            place = place_of(event, ".delta")
            heard[place] = heard.get(place, "") + event["delta"]
        elif event["type"].endswith((".done",)) and place_of(event, ".done") in heard:
            told = next(event[name] for name in ("text", "refusal", "arguments", "input") if name in event)
            assert told == heard[place_of(event, ".done")]


def place_of(event: dict[str, Any], ending: str) -> tuple[Any, ...]:
    kind = event["type"].removesuffix(ending)
    return kind, event.get("item_id"), event.get("content_index"), event.get("summary_index")


@pytest.mark.parametrize("case", [case for case in WHOLE if case.name != "everything_twice"], ids=str)
def test_a_stream_adds_up_to_the_answer(case: Case) -> None:
    """What the SDK makes of the stream is what it is told of the same Deltas as a whole."""
    given = read(case.given, WriteStream)
    gathering = Gathering()
    gathering.take(given.deltas)
    whole = RESPONSES.write_answer(gathering.answer(), gathering.usage, given.conversation)
    expected = Response.model_validate_json(whole)
    found = final_response(case.expected.encode() + b"\n\n")
    assert (found.status, found.usage) == (expected.status, expected.usage)
    assert found.output_text == expected.output_text
    assert [item.type for item in found.output] == [item.type for item in expected.output]


@pytest.mark.parametrize("case", [case for case in cases("write_stream") if '"cut"' in case.given], ids=str)
def test_the_sdk_raises_when_an_answer_broke_off(case: Case) -> None:
    with (
        sdk(case.expected.encode() + b"\n\n", "text/event-stream") as client,
        pytest.raises(openai.APIError, match="the provider went away"),
    ):
        list(client.responses.create(model="m", input="hi", stream=True))


def test_the_sdk_raises_when_a_relayed_answer_broke_off() -> None:
    relay = StreamRelay()
    text = next(case for case in cases("read_stream") if case.name == "text").given.encode()
    out = relay.feed(text[: len(text) // 2])
    relay.end()
    assert not relay.complete
    partial = Partial(9, True, None, "stream_cut", True, None, "other/model@host")
    out += relay.cut("the provider went away", 429, "upstream_error", b'{"a":1}', partial)
    last = events_of(out.decode())[-1]
    assert last["response"]["error"]["code"] == "rate_limit_exceeded"
    assert last["response"]["steelyard"] == {"a": 1}
    with sdk(out, "text/event-stream") as client, pytest.raises(openai.APIError, match="went away") as raised:
        list(client.responses.create(model="m", input="hi", stream=True))
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["partial"]["next_target"] == "other/model@host"


def test_the_sdk_reads_metadata_without_a_stumble() -> None:
    writer = RESPONSES.stream_writer(CALLER, True)
    found = final_response(writer.closing(b'{"decision":"d"}', None))
    assert (found.model_extra or {})["steelyard"] == {"decision": "d"}
    whole = RESPONSES.attach(RESPONSES.write_answer(Gathering().answer(), None, CALLER), b'{"decision":"d"}')
    with sdk(whole, "application/json") as client:
        response = client.responses.create(model="m", input="hi")
    assert (response.model_extra or {})["steelyard"] == {"decision": "d"}


@pytest.mark.parametrize("case", cases("write_request"), ids=str)
def test_requests_are_what_the_sdk_would_send(case: Case) -> None:
    body = json.loads(case.expected)["body"]
    body.pop("stream", None)
    for item in body["input"]:
        if item.get("role") == "assistant" and isinstance(item["content"], list):
            item |= {"id": "msg_1", "status": "completed"}  # the API can do without
        if item["type"] == "reasoning":
            item.setdefault("id", "rs_1")
    if case.name not in ("own_items_come_back", "media"):  # a part that the SDK does not know, and sound
        PARAMS.validate_python(body)
