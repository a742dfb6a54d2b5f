"""The official SDK reads what we write in Chat Completions and before, and raises where an answer broke off."""

import json
from typing import Any

import httpx2
import openai
import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter, ValidationError

from gateway.dialects.formats import INBOUND
from gateway.wire.conversation import Conversation
from gateway.wire.delta import Began, TextDelta
from tests.dialects.cases import Case, load_cases
from tests.dialects.streams import chunks

PARAMS: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsNonStreaming)
FORMATS = ("openai_chat", "openai_completions")
WHOLE: dict[str, TypeAdapter[Any]] = {
    "openai_chat": TypeAdapter(ChatCompletion),
    "openai_completions": TypeAdapter(Completion),
}
PIECE: dict[str, TypeAdapter[Any]] = {
    "openai_chat": TypeAdapter(ChatCompletionChunk),
    "openai_completions": TypeAdapter(Completion),
}


def cases(operation: str) -> list[Case]:
    return [case for case in load_cases() if case.format in FORMATS and case.operation == operation]


@pytest.mark.parametrize("case", cases("write_answer"), ids=str)
def test_answers_are_what_the_sdk_expects(case: Case) -> None:
    WHOLE[case.format].validate_json(case.expected, strict=True)


@pytest.mark.parametrize("case", cases("write_stream"), ids=str)
def test_chunks_are_what_the_sdk_expects(case: Case) -> None:
    for chunk in chunks(case.expected.encode() + b"\n\n"):
        if "error" in chunk or "custom" in json.dumps(chunk):
            continue  # the SDK has no type of a custom tool's delta, and none of finish_reason "error"
        if case.format == "openai_completions":
            for choice in chunk["choices"]:
                choice["finish_reason"] = choice["finish_reason"] or "stop"  # the SDK's type leaves out the null
        PIECE[case.format].validate_json(json.dumps(chunk), strict=True)


@pytest.mark.parametrize("case", cases("write_request"), ids=str)
def test_requests_are_what_the_sdk_would_send(case: Case) -> None:
    told = json.loads(case.expected)["body"]
    if told["model"] == "gpt-5" and "tools" not in told:
        known = {"min_p"}
        PARAMS.validate_json(json.dumps({name: told[name] for name in told if name not in known | {"stream"}}))


def sdk(body: bytes) -> openai.OpenAI:
    """A client whose server streams this."""
    answer = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)
    transport = httpx2.MockTransport(lambda request: answer)
    return openai.OpenAI(api_key="k", base_url="http://127.0.0.1", http_client=httpx2.Client(transport=transport))


def streamed(client: openai.OpenAI, name: str) -> list[object]:
    if name == "openai_completions":
        return list(client.completions.create(model="m", prompt="hi", stream=True))
    return list(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True))


@pytest.mark.parametrize("name", FORMATS)
def test_the_sdk_raises_when_an_answer_was_cut(name: str) -> None:
    writer = INBOUND[name].stream_writer(Conversation(name, ()), True)
    body = writer.write([Began("r", "m", 1), TextDelta("a")])
    body += writer.cut("the provider went away", 502, "upstream_error", b'{"a":1}')
    with sdk(body) as client, pytest.raises(openai.APIError, match="the provider went away"):
        streamed(client, name)


def test_the_types_are_strict_enough_to_find_a_mistake() -> None:
    with pytest.raises(ValidationError):
        WHOLE["openai_chat"].validate_json(
            '{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{}]}'
        )
