"""The official Anthropic SDK, whose requests are translated for whoever answers."""

from collections.abc import Iterator

import anthropic
import pytest
from anthropic.types import MessageParam, ToolParam, ToolResultBlockParam
from anthropic.types.beta import BetaMessageParam

from tests.running import Gateway

READ: ToolParam = {
    "name": "read",
    "description": "Read a file",
    "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
}
ONE_TARGET = "sim/coder-mini@sim-alpha"  # what answers whole need not be what streams
HELLO: list[MessageParam] = [{"role": "user", "content": "hello"}]
TURNS = 3


@pytest.fixture
def client(keyless: Gateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=keyless.url, api_key="unused", max_retries=0) as client:
        yield client


def test_a_whole_message_with_its_explanation(client: anthropic.Anthropic) -> None:
    answer = client.messages.create(model="auto", max_tokens=500, messages=HELLO)
    assert answer.stop_reason == "end_turn"
    assert any(block.type == "text" and block.text for block in answer.content)
    story = (answer.model_extra or {})["steelyard"]
    assert story["usage"]["output_tokens"] == answer.usage.output_tokens > 0
    assert story["decision"] == answer._request_id


def test_the_stream_helper_gathers_the_same_message(client: anthropic.Anthropic) -> None:
    whole = client.messages.create(model=ONE_TARGET, max_tokens=500, messages=HELLO)
    with client.messages.stream(model=ONE_TARGET, max_tokens=500, messages=HELLO) as stream:
        last = stream.get_final_message()
    assert [block.type for block in last.content] == [block.type for block in whole.content]
    assert last.usage.output_tokens == whole.usage.output_tokens
    assert last.stop_reason == "end_turn"


def test_a_stream_of_events_ends_with_the_explanation(client: anthropic.Anthropic) -> None:
    events = list(client.messages.create(model="auto", max_tokens=500, messages=HELLO, stream=True))
    assert [event.type for event in events].count("message_start") == 1
    last = events[-1]
    assert last.type == "message_stop"
    assert (last.model_extra or {})["steelyard"]["provider"].startswith("sim-")


def test_an_agents_loop_of_several_turns_ends_in_words(client: anthropic.Anthropic) -> None:
    messages: list[MessageParam] = [{"role": "user", "content": "Summarise the project"}]
    for _ in range(TURNS):
        answer = client.messages.create(
            model="auto", max_tokens=2000, messages=messages, tools=[READ], tool_choice={"type": "any"}
        )
        assert answer.stop_reason == "tool_use"
        calls = [block for block in answer.content if block.type == "tool_use"]
        assert all("path" in call.input for call in calls)
        results: list[ToolResultBlockParam] = [
            {"type": "tool_result", "tool_use_id": call.id, "content": "text"} for call in calls
        ]
        messages += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": results}]
    last = client.messages.create(model="auto", max_tokens=2000, messages=messages, tools=[READ])
    assert last.stop_reason == "end_turn"


def test_the_sdks_own_runner_sends_the_whole_conversation_where_no_thread_is_kept(client: anthropic.Anthropic) -> None:
    @anthropic.beta_tool
    def read(path: str) -> str:
        """Read a file."""
        return path

    hello: list[BetaMessageParam] = [{"role": "user", "content": "hello"}]
    runner = client.beta.messages.tool_runner(model="auto", max_tokens=500, messages=hello, tools=[read])
    assert runner.until_done().stop_reason == "end_turn"
    with pytest.raises(anthropic.BadRequestError, match="without `thread`") as refused:
        client.beta.messages.create(model="auto", max_tokens=500, messages=hello, thread={"type": "create"})
    assert refused.value.error_code == "thread_unsupported_request"


def test_a_streamed_call_arrives_in_pieces_that_fit(client: anthropic.Anthropic) -> None:
    with client.messages.stream(
        model="auto", max_tokens=2000, messages=HELLO, tools=[READ], tool_choice={"type": "tool", "name": "read"}
    ) as stream:
        last = stream.get_final_message()
    calls = [block for block in last.content if block.type == "tool_use"]
    assert calls
    assert all(call.name == "read" and "path" in call.input for call in calls)


def test_tokens_are_counted_without_asking_anybody(client: anthropic.Anthropic) -> None:
    short = client.messages.count_tokens(model="auto", messages=HELLO)
    longer = client.messages.count_tokens(model="auto", messages=HELLO, tools=[READ])
    assert 0 < short.input_tokens < longer.input_tokens


def test_models_are_listed_in_its_form(client: anthropic.Anthropic) -> None:
    models = list(client.models.list(limit=1000))
    assert models[0].id == "auto"
    assert all(model.type == "model" and model.display_name for model in models)
    green = client.models.retrieve("green")
    assert (green.type, green.display_name) == ("model", "Steelyard green")


def test_errors_are_of_the_sdks_right_class(client: anthropic.Anthropic) -> None:
    def ask(model: str, fault: str, max_tokens: int = 10) -> anthropic.types.Message:
        return client.messages.create(
            model=model, max_tokens=max_tokens, messages=HELLO, extra_headers={"x-steelyard-simulate": fault}
        )

    with pytest.raises(anthropic.NotFoundError, match="no-such-model") as unknown:
        ask("no-such-model", "OK")
    assert unknown.value.type == "not_found_error"
    with pytest.raises(anthropic.BadRequestError, match="max_tokens") as bad:
        ask("auto", "OK", max_tokens=-1)
    assert bad.value.type == "invalid_request_error"
    with pytest.raises(anthropic.InternalServerError) as down:
        ask("auto", "F29")
    assert (down.value.status_code, down.value.type) == (502, "api_error")


def test_a_rate_limit_says_when_to_come_back(fresh: Gateway) -> None:
    with (
        anthropic.Anthropic(base_url=fresh.url, api_key="unused", max_retries=0) as client,
        pytest.raises(anthropic.RateLimitError) as limited,
    ):
        client.messages.create(
            model="auto", max_tokens=10, messages=HELLO, extra_headers={"x-steelyard-simulate": "F11;ra=30"}
        )
    assert limited.value.type == "rate_limit_error"
    assert 25 <= int(limited.value.response.headers["retry-after"]) <= 30


def test_a_stream_cut_after_its_first_content_raises(client: anthropic.Anthropic) -> None:
    received: list[str] = []

    def read() -> None:
        with client.messages.stream(
            model="auto", max_tokens=500, messages=HELLO, extra_headers={"x-steelyard-simulate": "F53;after=3"}
        ) as stream:
            received.extend(stream.text_stream)

    with pytest.raises(anthropic.APIError, match="broke off"):
        read()
    assert received
