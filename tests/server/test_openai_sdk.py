"""The official SDK against a keyless gateway: what most callers will do first."""

import json
from collections.abc import Iterator

import openai
import pytest
from openai.types.chat import ChatCompletionToolParam
from pydantic import BaseModel

from tests.running import Gateway

WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather at a place",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    },
}


@pytest.fixture
def client(keyless: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=keyless.url + "/v1", api_key="unused", max_retries=0) as client:
        yield client


def test_a_whole_answer_with_its_explanation(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="auto", messages=[{"role": "user", "content": "hello"}])
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0
    story = answer.model_extra["steelyard"] if answer.model_extra else {}
    assert story["provider"].startswith("sim-")
    assert set(story["candidates"][0]["dimensions"]) == {"cost", "latency", "quality", "availability", "carbon"}
    assert story["usage"]["output_tokens"] == answer.usage.completion_tokens
    assert story["cost_usd"] > 0


def test_a_stream_has_one_role_one_finish_and_the_explanation_on_its_last_chunk(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="auto", messages=[{"role": "user", "content": "tell me a story"}], stream=True
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    finishes = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    assert finishes == ["stop"]
    assert not any(chunk.usage for chunk in chunks), "usage was not asked for"
    assert len({chunk.id for chunk in chunks}) == 1
    told = [chunk.model_extra for chunk in chunks if chunk.model_extra and "steelyard" in chunk.model_extra]
    assert told == [chunks[-1].model_extra]
    story = told[0]["steelyard"]
    assert story["usage"]["output_tokens"] > 0
    assert not story["cost_estimated"]
    assert story["latency"]["first_token_seconds"] > 0


def test_a_stream_that_asks_for_usage_gets_one_usage_chunk(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "tell me a story"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    usages = [chunk.usage for chunk in stream if chunk.usage]
    assert len(usages) == 1
    assert usages[0].completion_tokens > 0


def test_a_tool_call_and_its_result_make_a_loop(client: openai.OpenAI) -> None:
    messages: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "weather in Oslo?"}]
    first = client.chat.completions.create(model="auto", messages=messages, tools=[WEATHER], tool_choice="required")
    assert first.choices[0].finish_reason == "tool_calls"
    calls = first.choices[0].message.tool_calls or []
    assert calls[0].type == "function"
    assert "city" in json.loads(calls[0].function.arguments)
    messages.append(first.choices[0].message.model_dump(exclude_none=True))  # type: ignore[arg-type]
    messages += [{"role": "tool", "tool_call_id": call.id, "content": "rain"} for call in calls]
    second = client.chat.completions.create(model="auto", messages=messages, tools=[WEATHER])
    assert second.choices[0].message.content
    assert second.model_extra is not None
    assert second.model_extra["steelyard"]["task"] == "agent_step"


def test_a_streamed_tool_call_arrives_in_pieces_that_fit(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "weather in Oslo?"}],
        tools=[WEATHER],
        tool_choice="required",
        stream=True,
    )
    name, arguments, finishes = "", "", []
    for chunk in stream:
        for choice in chunk.choices:
            finishes += [choice.finish_reason] if choice.finish_reason else []
            for call in choice.delta.tool_calls or []:
                if call.index == 0 and call.function is not None:
                    name += call.function.name or ""
                    arguments += call.function.arguments or ""
    assert name == "get_weather"
    assert "city" in json.loads(arguments)
    assert finishes == ["tool_calls"]


def test_structured_output_parses_into_the_callers_type(client: openai.OpenAI) -> None:
    class City(BaseModel):
        name: str
        inhabitants: int

    answer = client.chat.completions.parse(
        model="auto", messages=[{"role": "user", "content": "a city"}], response_format=City
    )
    assert isinstance(answer.choices[0].message.parsed, City)


def test_models_list_routers_first_and_each_entry_can_be_asked_for(client: openai.OpenAI) -> None:
    models = client.models.list().data
    assert [model.id for model in models[:5]] == ["auto", "fast", "economy", "quality", "green"]
    for model in models:
        assert client.models.retrieve(model.id).id == model.id
        assert model.model_extra is not None
        assert model.model_extra["context_window"] > 0


def test_an_unknown_model_raises_not_found_with_a_hint(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="auto") as raised:
        client.chat.completions.create(model="autoo", messages=[{"role": "user", "content": "hello"}])
    assert raised.value.code == "model_not_found"


def test_a_stream_cut_after_its_first_content_raises_in_the_sdk(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "tell me a story"}],
        stream=True,
        extra_headers={"x-steelyard-simulate": "F53;after=3"},
    )
    received = ""

    def read() -> None:
        nonlocal received
        for chunk in stream:
            received += chunk.choices[0].delta.content or ""

    with pytest.raises(openai.APIError, match="broke off"):
        read()
    assert received
