"""Google's own SDK reads what we write: strictly by its types, and as its client does."""

import json
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import errors, types

from gateway.dialects.gemini import GEMINI
from gateway.dialects.gemini.count import count_answer
from gateway.dialects.gemini.relay import StreamRelay
from gateway.dialects.gemini.write_stream import KEEP_ALIVE
from gateway.errors import Overloaded
from gateway.wire.conversation import Conversation
from gateway.wire.delta import Began, TextDelta, ThoughtDelta, ThoughtSealed
from gateway.wire.partial import Partial
from tests.dialects.cases import Case, load_cases

CASES = [case for case in load_cases() if case.format == "gemini"]
ANSWERS = [case for case in CASES if case.operation == "write_answer"]
STREAMS = [case for case in CASES if case.operation == "write_stream"]
REQUESTS = [case for case in CASES if case.operation == "write_request"]


def client(body: bytes, content_type: str = "application/json", status: int = 200) -> genai.Client:
    """One that gets this answer whatever it asks."""
    answer = httpx2.Response(status, headers={"content-type": content_type}, content=body)
    transport = httpx2.MockTransport(lambda request: answer)
    options = types.HttpOptions(
        base_url="http://127.0.0.1",
        httpx_client=httpx2.Client(transport=transport),
        retry_options=types.HttpRetryOptions(attempts=1),
    )
    return genai.Client(api_key="k", http_options=options)


def chunks(stream: bytes) -> list[types.GenerateContentResponse]:
    """As the SDK's client hands them out."""
    with client(stream, "text/event-stream") as sdk:
        return list(sdk.models.generate_content_stream(model="m", contents="hi"))


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line]


@pytest.mark.parametrize("case", ANSWERS, ids=str)
def test_a_whole_answer_fits_the_types(case: Case) -> None:
    types.GenerateContentResponse.model_validate(json.loads(case.expected))


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_every_chunk_fits_the_types(case: Case) -> None:
    for event in events(case.expected):
        if "error" not in event:
            types.GenerateContentResponse.model_validate(event)


@pytest.mark.parametrize("case", REQUESTS, ids=str)
def test_what_google_gets_fits_the_types(case: Case) -> None:
    body = json.loads(case.expected)["body"]
    for content in [*body["contents"], body.get("systemInstruction") or {}]:
        types.Content.model_validate(content)
    for tool in body.get("tools", ()):
        types.Tool.model_validate(tool)
    config = body.get("generationConfig", {})
    config.pop("speechConfig", None)
    types.GenerationConfig.model_validate(config)
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    types.FunctionCallingConfig.model_validate(calling)


@pytest.mark.parametrize("case", [case for case in STREAMS if "broke" not in case.name], ids=str)
def test_the_client_reads_a_stream_to_its_end(case: Case) -> None:
    read = chunks(case.expected.encode() + b"\n\n")
    assert len(read) == len(events(case.expected))
    assert all(candidate.finish_reason for candidate in read[-1].candidates or ())


def test_the_client_takes_our_object_in_an_answer_and_in_the_last_chunk() -> None:
    writer = GEMINI.stream_writer(Conversation("gemini", ()), wants_usage=True)
    stream = writer.write([Began("r", "m"), TextDelta("Hi")]) + writer.closing(b'{"a":{"b":[1]}}', None)
    assert [chunk.text for chunk in chunks(stream)] == ["Hi", ""]
    body = GEMINI.attach(ANSWERS[-1].expected.encode(), b'{"a":{"b":[1]}}')
    with client(body) as sdk:
        assert sdk.models.generate_content(model="m", contents="hi").text == "Hello"


def test_the_client_bears_empty_lines_but_no_comments_while_it_waits() -> None:
    writer = GEMINI.stream_writer(Conversation("gemini", ()), wants_usage=True)
    stream = [writer.write([TextDelta("Hi")]), writer.closing(None, None)]
    assert len(chunks(KEEP_ALIVE.join([b"", *stream, b""]))) == 2
    with pytest.raises(errors.UnknownApiResponseError):
        chunks(b": ping\n\n".join([b"", *stream]))


def test_the_client_raises_when_a_stream_breaks_off() -> None:
    writer = GEMINI.stream_writer(Conversation("gemini", ()), wants_usage=True)
    stream = writer.write([Began("r", "m"), TextDelta("Hi")]) + writer.cut("gone away", 502, "upstream_error", b"{}")
    with pytest.raises(errors.ServerError, match="gone away"):
        chunks(stream)
    with pytest.raises(errors.ServerError, match="gone away"):
        chunks(StreamRelay().cut("gone away", 502, "upstream_error", b"{}"))


def test_what_a_stream_has_come_to_is_in_the_clients_exception() -> None:
    partial = Partial(9, True, None, "stream_cut", True, None, "other/model@host")
    stream = GEMINI.stream_writer(Conversation("gemini", ()), wants_usage=True).cut("gone", 502, "x", None, partial)
    with pytest.raises(errors.ServerError) as raised:
        chunks(stream)
    assert raised.value.details["error"]["partial"]["next_target"] == "other/model@host"


def test_the_client_raises_on_our_errors() -> None:
    with (
        client(GEMINI.error_body(Overloaded("no room"), "d1"), status=503) as sdk,
        pytest.raises(errors.ServerError) as raised,
    ):
        sdk.models.generate_content(model="m", contents="hi")
    assert (raised.value.code, raised.value.status, raised.value.message) == (503, "UNAVAILABLE", "no room")


def test_the_client_reads_a_count() -> None:
    with client(count_answer(7)) as sdk:
        assert sdk.models.count_tokens(model="m", contents="hi").total_tokens == 7


def test_a_chat_brings_a_foreign_signature_back_in_one_thought() -> None:
    writer = GEMINI.stream_writer(Conversation("gemini", ()), wants_usage=True)
    stream = writer.write([Began("r", "m"), ThoughtDelta("H")]) + writer.write(
        [ThoughtDelta("m."), ThoughtSealed("ErUB", origin="anthropic")]
    )
    stream += writer.write([TextDelta("Hel")]) + writer.write([TextDelta("lo")]) + writer.closing(None, None)
    with client(stream, "text/event-stream") as sdk:
        chat = sdk.chats.create(model="m")
        list(chat.send_message_stream("hi"))
        history = [content.model_dump(mode="json", by_alias=True, exclude_none=True) for content in chat.get_history()]
    conversation = GEMINI.read_request(json.dumps({"contents": history}).encode())
    _, answer = conversation.turns
    assert json.loads(json.dumps([part_facts(part) for part in answer.parts])) == [
        ["Hm.", "ErUB", "anthropic"],
        ["Hello"],
    ]


@pytest.mark.parametrize("in_one", [True, False], ids=["one message", "a message per chunk"])
def test_a_foreign_signature_is_that_of_all_fragments_before_it(in_one: bool) -> None:
    writer = GEMINI.stream_writer(Conversation("gemini", ()), wants_usage=True)
    stream = writer.write([Began("r", "m"), *map(ThoughtDelta, ("H", "m", ", "))]) + writer.write(
        [ThoughtDelta("so"), ThoughtDelta("."), ThoughtSealed("ErUB", origin="anthropic")]
    )
    stream += writer.write([TextDelta("Hello")]) + writer.closing(None, None)
    with client(stream, "text/event-stream") as sdk:
        told = list(sdk.models.generate_content_stream(model="m", contents="hi"))
    answers = [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in told]
    contents = [chunk["candidates"][0]["content"] for chunk in answers if "content" in chunk["candidates"][0]]
    if in_one:
        contents = [{"role": "model", "parts": [part for content in contents for part in content.get("parts", ())]}]
    asked = {"role": "user", "parts": [{"text": "hi"}]}
    conversation = GEMINI.read_request(json.dumps({"contents": [asked, *contents]}).encode())
    assert [part_facts(part) for part in conversation.turns[1].parts] == [["Hm, so.", "ErUB", "anthropic"], ["Hello"]]


def part_facts(part: Any) -> list[str]:
    return [part.text, part.signature, part.origin] if hasattr(part, "signature") else [part.text]
