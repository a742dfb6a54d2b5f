"""The official OpenAI SDK over all that it can ask here; tests/server/test_openai_sdk.py has what most callers do."""

import json
from collections.abc import Callable, Iterator

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolUnionParam
from openai.types.responses import FunctionToolParam, ResponseInputParam
from pydantic import BaseModel

from tests.running import Gateway

ONE_TARGET = "sim/coder-mini@sim-alpha"  # what answers whole need not be what streams
PARAMETERS: dict[str, object] = {
    "type": "object",
    "properties": {"path": {"type": "string"}},
    "required": ["path"],
    "additionalProperties": False,
}
READ: ChatCompletionToolUnionParam = {"type": "function", "function": {"name": "read", "parameters": PARAMETERS}}
READ_IN_RESPONSES: FunctionToolParam = {"type": "function", "name": "read", "parameters": PARAMETERS, "strict": True}
TURNS = 3
ALL = "x-steelyard-simulate"


class City(BaseModel):
    name: str
    inhabitants: int


@pytest.fixture
def client(keyless: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=keyless.url + "/v1", api_key="unused", max_retries=0) as client:
        yield client


def test_an_agents_loop_of_several_turns_ends_in_words(client: openai.OpenAI) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Summarise the project"}]
    for turn in range(TURNS):
        answer = client.chat.completions.create(model="auto", messages=messages, tools=[READ], tool_choice="required")
        message = answer.choices[0].message
        assert message.tool_calls, turn
        messages.append(message.model_dump(exclude_none=True))  # type: ignore[arg-type]
        messages += [{"role": "tool", "tool_call_id": call.id, "content": "text"} for call in message.tool_calls]
    last = client.chat.completions.create(model="auto", messages=messages, tools=[READ])
    assert last.choices[0].finish_reason == "stop"
    assert last.choices[0].message.content


def test_the_sdks_own_stream_helper_gathers_a_call(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(
        model="auto", messages=[{"role": "user", "content": "go"}], tools=[READ], tool_choice="required"
    ) as stream:
        kinds = {event.type for event in stream}
        whole = stream.get_final_completion()
    assert "tool_calls.function.arguments.done" in kinds
    assert "path" in json.loads((whole.choices[0].message.tool_calls or [])[0].function.arguments)


def test_the_raw_answer_has_our_headers(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="auto", messages=[{"role": "user", "content": "hello"}]
    )
    assert raw.headers["x-steelyard-decision"] == raw.request_id
    assert raw.headers["x-steelyard-provider"].startswith("sim-")


def test_former_completions_whole_and_streamed(client: openai.OpenAI) -> None:
    whole = client.completions.create(model=ONE_TARGET, prompt="Once upon a time", max_tokens=20)
    assert whole.choices[0].text
    assert whole.usage is not None
    pieces = list(client.completions.create(model=ONE_TARGET, prompt="Once upon a time", max_tokens=20, stream=True))
    assert "".join(piece.choices[0].text for piece in pieces if piece.choices) == whole.choices[0].text
    assert (pieces[-1].model_extra or {})["steelyard"]["cost_usd"] > 0


def test_a_response_whole_and_streamed(client: openai.OpenAI) -> None:
    whole = client.responses.create(model=ONE_TARGET, input="hello")
    assert (whole.status, whole.error) == ("completed", None)
    assert whole.output_text
    assert whole.usage is not None
    assert (whole.model_extra or {})["steelyard"]["usage"]["output_tokens"] == whole.usage.output_tokens
    with client.responses.stream(model=ONE_TARGET, input="hello") as stream:
        said = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        last = stream.get_final_response()
    assert said == last.output_text == whole.output_text
    assert (last.model_extra or {})["steelyard"]["provider"].startswith("sim-")


def test_a_loop_of_responses_by_the_id_of_the_one_before(client: openai.OpenAI) -> None:
    first = client.responses.create(model="auto", input="go", tools=[READ_IN_RESPONSES], tool_choice="required")
    calls = [item for item in first.output if item.type == "function_call"]
    assert "path" in json.loads(calls[0].arguments)
    results: ResponseInputParam = [
        {"type": "function_call_output", "call_id": call.call_id, "output": "text"} for call in calls
    ]
    second = client.responses.create(
        model="auto", input=results, tools=[READ_IN_RESPONSES], previous_response_id=first.id
    )
    assert second.output_text
    assert client.responses.retrieve(second.id).output_text == second.output_text


def test_a_loop_of_responses_that_keeps_nothing_here(client: openai.OpenAI) -> None:
    items: ResponseInputParam = [{"role": "user", "content": "go"}]
    for _ in range(TURNS):
        answer = client.responses.create(
            model="auto",
            input=items,
            tools=[READ_IN_RESPONSES],
            tool_choice="required",
            store=False,
            include=["reasoning.encrypted_content"],
        )
        for item in answer.output:
            items.append(item.to_dict())  # type: ignore[arg-type]
            if item.type == "function_call":
                items.append({"type": "function_call_output", "call_id": item.call_id, "output": "text"})
    last = client.responses.create(model="auto", input=items, tools=[READ_IN_RESPONSES], store=False)
    assert last.output_text


def test_a_response_parses_into_the_callers_type(client: openai.OpenAI) -> None:
    assert isinstance(client.responses.parse(model="auto", input="a city", text_format=City).output_parsed, City)


Ask = Callable[[openai.OpenAI, str, str], object]  # model, what providers are to do


def ask_chat(client: openai.OpenAI, model: str, fault: str) -> object:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
    return client.chat.completions.create(model=model, messages=messages, extra_headers={ALL: fault})


def ask_completions(client: openai.OpenAI, model: str, fault: str) -> object:
    return client.completions.create(model=model, prompt="hello", extra_headers={ALL: fault})


def ask_responses(client: openai.OpenAI, model: str, fault: str) -> object:
    return client.responses.create(model=model, input="hello", extra_headers={ALL: fault})


FACES = pytest.mark.parametrize("ask", [ask_chat, ask_completions, ask_responses])


@FACES
def test_errors_are_of_the_sdks_right_class(client: openai.OpenAI, ask: Ask) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        ask(client, "no-such-model", "OK")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as too_long:
        ask(client, "sim/swift-mini@sim-alpha", "F27")
    assert too_long.value.code == "context_length_exceeded"
    with pytest.raises(openai.InternalServerError) as down:
        ask(client, "auto", "F29")
    assert (down.value.status_code, down.value.code) == (502, "upstream_exhausted")
    assert down.value.response.headers["x-should-retry"] == "false"


def test_a_rate_limit_says_when_to_come_back(fresh: Gateway) -> None:
    with (
        openai.OpenAI(base_url=fresh.url + "/v1", api_key="unused", max_retries=0) as client,
        pytest.raises(openai.RateLimitError) as limited,
    ):
        ask_chat(client, "auto", "F11;ra=30")
    assert limited.value.code == "rate_limit_exceeded"
    assert 25 <= int(limited.value.response.headers["retry-after"]) <= 30


def test_a_cut_response_raises(client: openai.OpenAI) -> None:
    def read() -> None:
        for event in client.responses.create(
            model="auto", input="a story", stream=True, extra_headers={ALL: "F53;after=3"}
        ):
            kinds.append(event.type)
            if event.type == "response.failed":
                assert event.response.error is not None
                raise RuntimeError(event.response.error.message)

    kinds: list[str] = []
    with pytest.raises((openai.APIError, RuntimeError), match="broke off"):
        read()
    assert "response.output_text.delta" in kinds
