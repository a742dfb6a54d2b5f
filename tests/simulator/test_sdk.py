"""The official openai SDK, straight against a simulated provider."""

import json
from collections.abc import Iterator
from math import exp
from typing import Any

import openai
import pytest
from openai.types.chat import (
    ChatCompletionAssistantMessageParam,
    ChatCompletionMessageParam,
    ChatCompletionToolChoiceOptionParam,
    ChatCompletionToolMessageParam,
    ChatCompletionToolParam,
    ChatCompletionUserMessageParam,
)
from pydantic import BaseModel

from gateway.simulator.spawn import SimulatorProcess

LOOKUP: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "lookup",
        "parameters": {
            "type": "object",
            "properties": {"query": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 5}},
            "required": ["query", "limit"],
        },
    },
}


class Place(BaseModel):
    name: str
    inhabitants: int
    twins: list[str]


@pytest.fixture
def client(simulator: SimulatorProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=simulator.base_url("sim-alpha"), api_key="unused", max_retries=0) as client:
        yield client


def test_a_stream_says_the_same_as_the_whole_answer(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="sim/swift-mini", messages=[{"role": "user", "content": "hello"}])
    stream = client.chat.completions.create(
        model="sim/swift-mini",
        messages=[{"role": "user", "content": "hello"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert not chunks[-1].choices
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason == "stop"


def test_usage_is_in_a_stream_only_when_asked_for(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="sim/swift-mini", messages=[{"role": "user", "content": "hello"}], stream=True
    )
    assert not any("usage" in chunk.model_dump(exclude_unset=True) for chunk in stream)


QUESTION: ChatCompletionUserMessageParam = {"role": "user", "content": "look it up"}
A_CALL: ChatCompletionAssistantMessageParam = {
    "role": "assistant",
    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "lookup", "arguments": "{}"}}],
}
ITS_RESULT: ChatCompletionToolMessageParam = {"role": "tool", "tool_call_id": "call_1", "content": "found"}


def test_an_offered_tool_is_not_called_and_the_answer_says_why(client: openai.OpenAI) -> None:
    for seed in range(20):
        answer = client.chat.completions.create(
            model="sim/coder-pro", messages=[QUESTION], tools=[LOOKUP], seed=seed
        ).choices[0]
        assert (answer.finish_reason, answer.message.tool_calls) == ("stop", None)
        for told in ("simulator, not a model", '"look it up"', "1 tool (lookup)", "tool_choice"):
            assert told in (answer.message.content or "")


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "lookup"}}], ids=str)
@pytest.mark.parametrize("messages", [[QUESTION], [QUESTION, A_CALL, ITS_RESULT]], ids=["asked", "given a result"])
def test_a_forced_call_is_made_with_arguments_that_fit(
    client: openai.OpenAI,
    messages: list[ChatCompletionMessageParam],
    choice: ChatCompletionToolChoiceOptionParam,
) -> None:
    other: ChatCompletionToolParam = {"type": "function", "function": {"name": "other"}}
    answer = client.chat.completions.create(
        model="sim/coder-pro",
        messages=messages,
        tools=[LOOKUP] if choice == "required" else [other, LOOKUP, other],
        tool_choice=choice,
    )
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content is None
    for call in answer.choices[0].message.tool_calls or []:
        assert call.type == "function"
        assert call.function.name == "lookup"
        assert 1 <= json.loads(call.function.arguments)["limit"] <= 5


@pytest.mark.parametrize(
    ("messages", "called"),
    [
        ([QUESTION], True),
        ([QUESTION, A_CALL, ITS_RESULT], False),
        ([QUESTION, A_CALL, ITS_RESULT, {"role": "user", "content": "a word of the agent's own"}], False),
        ([QUESTION, A_CALL, ITS_RESULT, {"role": "assistant", "content": "found it"}, QUESTION], True),
    ],
    ids=["asked", "given a result", "given a result and a word", "asked again"],
)
def test_a_wished_call_is_made_once_and_its_result_answered_in_words(
    client: openai.OpenAI, messages: list[ChatCompletionMessageParam], called: bool
) -> None:
    answer = client.chat.completions.create(
        model="sim/coder-pro",
        messages=messages,
        tools=[LOOKUP],
        extra_headers={"x-steelyard-simulate": "OK;calls=2"},
    )
    message = answer.choices[0].message
    assert len(message.tool_calls or []) == (2 if called else 0)
    assert ("It was given 1 tool result." in (message.content or "")) is not called


def test_streamed_tool_calls_add_up_to_the_whole_ones(client: openai.OpenAI) -> None:
    asked = {"x-steelyard-simulate": "OK;calls=3"}
    whole = client.chat.completions.create(
        model="sim/coder-pro", messages=[{"role": "user", "content": "three"}], tools=[LOOKUP], extra_headers=asked
    )
    wanted = [call.to_dict() for call in whole.choices[0].message.tool_calls or []]
    assert len(wanted) == 3
    with client.chat.completions.stream(
        model="sim/coder-pro", messages=[{"role": "user", "content": "three"}], tools=[LOOKUP], extra_headers=asked
    ) as stream:
        message = stream.get_final_completion().choices[0].message
    told = [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or []]
    assert told == [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in wanted]  # type: ignore[index]


def test_parallel_calls_can_be_forbidden_and_tools_refused(client: openai.OpenAI) -> None:
    one = client.chat.completions.create(
        model="sim/coder-pro",
        messages=[{"role": "user", "content": "three"}],
        tools=[LOOKUP],
        parallel_tool_calls=False,
        extra_headers={"x-steelyard-simulate": "OK;calls=3"},
    )
    assert len(one.choices[0].message.tool_calls or []) == 1
    none = client.chat.completions.create(
        model="sim/coder-pro", messages=[{"role": "user", "content": "three"}], tools=[LOOKUP], tool_choice="none"
    )
    assert none.choices[0].message.content


def test_structured_output_parses_into_the_callers_type(client: openai.OpenAI) -> None:
    answer = client.chat.completions.parse(
        model="sim/swift-pro", messages=[{"role": "user", "content": "a place"}], response_format=Place
    )
    assert isinstance(answer.choices[0].message.parsed, Place)


def test_json_mode_answers_with_an_object(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="sim/swift-pro",
        messages=[{"role": "user", "content": "json please"}],
        response_format={"type": "json_object"},
    )
    assert isinstance(json.loads(answer.choices[0].message.content or ""), dict)


def test_limits_and_stops_end_the_answer_where_they_say(client: openai.OpenAI) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
    full = client.chat.completions.create(model="sim/swift-mini", messages=messages).choices[0].message.content or ""
    short = client.chat.completions.create(model="sim/swift-mini", messages=messages, max_completion_tokens=5)
    assert short.choices[0].finish_reason == "length"
    assert short.usage is not None
    assert short.usage.completion_tokens == 5
    assert full.startswith(short.choices[0].message.content or "nothing")
    stopped = client.chat.completions.create(model="sim/swift-mini", messages=messages, stop=[":", "never"])
    assert stopped.choices[0].message.content == full.partition(":")[0]
    assert stopped.choices[0].finish_reason == "stop"


def test_several_choices_differ_and_arrive_interleaved(client: openai.OpenAI) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
    whole = client.chat.completions.create(model="sim/swift-mini", messages=messages, n=3)
    texts = [choice.message.content for choice in whole.choices]
    assert len(set(texts)) == 3
    told = ["", "", ""]
    for chunk in client.chat.completions.create(model="sim/swift-mini", messages=messages, n=3, stream=True):
        told[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert told == texts


def test_a_reasoning_model_shows_and_counts_its_thoughts(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="sim/thinker", messages=[{"role": "user", "content": "think"}])
    assert answer.usage is not None
    assert answer.usage.completion_tokens_details is not None
    thought = answer.usage.completion_tokens_details.reasoning_tokens or 0
    assert 0 < thought < answer.usage.completion_tokens
    assert (answer.choices[0].message.model_extra or {})["reasoning_content"]
    idle = client.chat.completions.create(
        model="sim/thinker", messages=[{"role": "user", "content": "think"}], reasoning_effort="none"
    )
    assert "reasoning_content" not in (idle.choices[0].message.model_extra or {})


@pytest.mark.parametrize("asked", [2, 20])
def test_logprobs_cover_every_token_when_asked_for(client: openai.OpenAI, asked: int) -> None:
    answer = client.chat.completions.create(
        model="sim/swift-mini",
        messages=[{"role": "user", "content": "hello"}],
        logprobs=True,
        top_logprobs=asked,
    )
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert "".join(entry.token for entry in logprobs.content or []) == answer.choices[0].message.content
    for entry in logprobs.content or []:
        shares = {top.token: exp(top.logprob) for top in entry.top_logprobs}
        assert len(shares) == asked
        assert max(shares, key=shares.__getitem__) == entry.token
        assert sum(shares.values()) <= 1 + 1e-5


def test_a_long_beginning_that_was_seen_before_is_cached(client: openai.OpenAI) -> None:
    start: ChatCompletionMessageParam = {"role": "system", "content": "rule " * 2000}
    cached = []
    for question in ("one", "two"):
        answer = client.chat.completions.create(
            model="sim/swift-mini", messages=[start, {"role": "user", "content": question}]
        )
        assert answer.usage is not None
        assert answer.usage.prompt_tokens_details is not None
        cached.append(answer.usage.prompt_tokens_details.cached_tokens or 0)
    assert cached[0] == 0
    assert 2000 < cached[1] < 2600
    assert cached[1] % 128 == 0


LONG = {"x-steelyard-simulate": "OK;tokens=24"}


def begun_with(client: openai.OpenAI, beginning: str, model: str = "sim/swift-mini", **mark: bool) -> str:
    """What the model says behind the beginning of its answer."""
    last: Any = {"role": "assistant", "content": beginning, **mark}
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}, last]
    answer = client.chat.completions.create(model=model, messages=messages, extra_headers=LONG)
    return answer.choices[0].message.content or ""


def test_a_begun_answer_is_gone_on_with_wherever_it_broke_off(client: openai.OpenAI) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
    answer = client.chat.completions.create(model="sim/swift-mini", messages=messages, extra_headers=LONG)
    whole = answer.choices[0].message.content or ""
    for cut in range(whole.index(":") + 1, len(whole), 7):
        assert whole[:cut] + begun_with(client, whole[:cut]) == whole


def test_a_begun_answer_that_is_marked_as_mistral_wants_it_is_said_again(client: openai.OpenAI) -> None:
    assert begun_with(client, "Well, then", prefix=True) == "Well, then" + begun_with(client, "Well, then")


def test_a_model_that_thinks_first_refuses_a_begun_answer(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="does not support assistant message prefill"):
        begun_with(client, "Well, then", model="sim/scholar-large")


def test_models_are_listed_under_the_providers_own_names(simulator: SimulatorProcess) -> None:
    names = {}
    for provider in ("sim-alpha", "sim-charlie", "sim-delta"):
        with openai.OpenAI(base_url=simulator.base_url(provider), api_key="unused") as client:
            names[provider] = {model.id for model in client.models.list()}
    assert "sim/coder-pro" in names["sim-alpha"]
    assert "accounts/sim/models/thinker" in names["sim-charlie"]
    assert "coder-pro" in names["sim-delta"]
