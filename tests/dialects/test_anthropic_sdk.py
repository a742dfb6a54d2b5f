"""The official SDK reads what we write, strictly, and raises where an answer broke off."""

import json
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.beta_error_response import BetaErrorResponse
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from pydantic import TypeAdapter

from gateway.dialects.anthropic import MessagesInbound
from gateway.dialects.gathering import Gathering
from gateway.errors import NothingEligible, Overloaded
from gateway.wire.conversation import Conversation
from gateway.wire.delta import Usage
from tests.dialects.cases import Case, load_cases
from tests.dialects.test_cases import WriteStream
from tests.dialects.vocabulary import read

EVENTS: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
PARAMS: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsNonStreaming)
HELLO: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
CALLER = Conversation("anthropic_messages", ())


def cases(operation: str) -> list[Case]:
    return [case for case in load_cases() if (case.format, case.operation) == ("anthropic_messages", operation)]


def sdk(body: bytes, content_type: str, status: int = 200) -> anthropic.Anthropic:
    """A client whose server says this."""
    answer = httpx2.Response(status, headers={"content-type": content_type}, content=body)
    transport = httpx2.MockTransport(lambda request: answer)
    return anthropic.Anthropic(
        api_key="k", base_url="http://127.0.0.1", http_client=httpx2.Client(transport=transport), max_retries=0
    )


def final_message(body: bytes) -> Message:
    with sdk(body, "text/event-stream") as client, client.messages.stream(**HELLO) as stream:
        return stream.get_final_message()


@pytest.mark.parametrize("case", cases("write_answer"), ids=str)
def test_answers_are_what_the_sdk_expects(case: Case) -> None:
    message = Message.model_validate_json(case.expected, strict=True)
    assert message.role == "assistant"
    assert message.stop_reason is not None


@pytest.mark.parametrize("case", cases("write_stream"), ids=str)
def test_events_are_what_the_sdk_expects(case: Case) -> None:
    for event in case.expected.strip().split("\n\n"):
        name, _, data = event.partition("\ndata: ")
        assert name == f"event: {json.loads(data)['type']}"
        if name != "event: error":
            EVENTS.validate_json(data, strict=True)


@pytest.mark.parametrize("case", cases("write_stream"), ids=str)
def test_a_stream_adds_up_to_the_answer(case: Case) -> None:
    """What the SDK makes of the stream is what it is told of the same Deltas as a whole."""
    if '"cut"' in case.given:
        with pytest.raises(anthropic.APIStatusError, match="the provider went away"):
            final_message(case.expected.encode() + b"\n\n")
        return
    given = read(case.given, WriteStream)
    gathering = Gathering()
    gathering.take(given.deltas)
    whole = MessagesInbound().write_answer(gathering.answer(), gathering.usage, given.conversation)
    expected = Message.model_validate_json(whole)
    found = final_message(case.expected.encode() + b"\n\n")
    assert found.stop_reason == expected.stop_reason
    assert found.usage.output_tokens == expected.usage.output_tokens
    assert texts(found) == texts(expected)
    assert others(found) == others(expected)


def texts(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def others(message: Message) -> list[dict[str, Any]]:
    return [block.to_dict() for block in message.content if block.type != "text"]


@pytest.mark.parametrize("case", cases("write_request"), ids=str)
def test_requests_are_what_the_sdk_would_send(case: Case) -> None:
    body = json.loads(case.expected)["body"]
    sampling = ("temperature", "top_p", "top_k")  # the SDK's newest API version has none
    PARAMS.validate_python({name: value for name, value in body.items() if name not in sampling})


def test_the_sdk_reads_metadata_and_usage_without_a_stumble() -> None:
    writer = MessagesInbound().stream_writer(CALLER, True)
    usage = Usage(100, 60, 30, 9, cache_write_1h_tokens=10, reasoning_tokens=3)
    message = final_message(writer.closing(b'{"decision":"d"}', usage))
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (10, 60)
    assert message.usage.output_tokens_details is not None
    answer = Gathering().answer()
    whole = MessagesInbound().attach(MessagesInbound().write_answer(answer, usage, CALLER), b'{"decision":"d"}')
    with sdk(whole, "application/json") as client:
        found = client.messages.create(**HELLO)
    assert found.model_extra == {"steelyard": {"decision": "d"}}


def test_the_sdk_knows_our_errors() -> None:
    inbound = MessagesInbound()
    for error, kind in (
        (NothingEligible("none"), anthropic.BadRequestError),
        (Overloaded("x"), anthropic.APIStatusError),
    ):
        body = inbound.error_body(error, "d1")
        BetaErrorResponse.model_validate_json(body, strict=True)
        with sdk(body, "application/json", error.status) as client, pytest.raises(kind) as raised:
            client.messages.create(**HELLO)
        assert raised.value.body == json.loads(body)
