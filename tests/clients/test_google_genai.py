"""Google's official SDK, whose requests are translated for whoever answers."""

from collections.abc import Iterator

import pytest
from google import genai
from google.genai import errors, types

from tests.running import Gateway

READ = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="read",
            description="Read a file",
            parameters_json_schema={"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
        )
    ]
)
FORCED = types.GenerateContentConfig(
    tools=[READ],
    tool_config=types.ToolConfig(
        function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
    ),
)
FREE = types.GenerateContentConfig(tools=[READ])
TURNS = 3


def simulated(fault: str) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(http_options=types.HttpOptions(headers={"x-steelyard-simulate": fault}))


def connected(gateway: Gateway) -> genai.Client:
    return genai.Client(api_key="unused", http_options=types.HttpOptions(base_url=gateway.url))


@pytest.fixture
def client(keyless: Gateway) -> Iterator[genai.Client]:
    with connected(keyless) as client:
        yield client


def test_a_whole_answer_with_its_explanation(client: genai.Client) -> None:
    answer = client.models.generate_content(model="auto", contents="hello")
    assert answer.text
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata is not None
    assert (answer.usage_metadata.candidates_token_count or 0) > 0
    assert answer.sdk_http_response is not None
    assert (answer.sdk_http_response.headers or {})["x-steelyard-provider"].startswith("sim-")


def test_a_stream_says_the_same(client: genai.Client) -> None:
    whole = client.models.generate_content(model="auto", contents="hello")
    pieces = list(client.models.generate_content_stream(model="auto", contents="hello"))
    assert "".join(piece.text or "" for piece in pieces) == whole.text
    assert pieces[-1].usage_metadata == whole.usage_metadata


def test_an_agents_loop_of_several_turns_ends_in_words(client: genai.Client) -> None:
    contents: list[types.Content] = [types.UserContent("Summarise the project")]
    for _ in range(TURNS):
        answer = client.models.generate_content(model="auto", contents=contents, config=FORCED)
        calls = answer.function_calls or []
        assert calls
        assert all(call.name == "read" and "path" in (call.args or {}) for call in calls)
        assert answer.candidates is not None
        assert answer.candidates[0].content is not None
        results = [
            types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": "x"}))
            for call in calls
        ]
        contents += [answer.candidates[0].content, types.UserContent(results)]
    assert client.models.generate_content(model="auto", contents=contents, config=FREE).text


def test_a_python_function_is_called_by_the_sdk_itself(client: genai.Client) -> None:
    asked: list[str] = []

    def read(path: str) -> str:
        """Read a file."""
        asked.append(path)
        return "text"

    config = types.GenerateContentConfig(
        tools=[read], http_options=types.HttpOptions(headers={"x-steelyard-simulate": "OK;calls=1"})
    )
    answer = client.models.generate_content(model="auto", contents="go", config=config)
    assert len(asked) == 1
    assert answer.text


def test_a_streamed_call_is_whole(client: genai.Client) -> None:
    pieces = list(client.models.generate_content_stream(model="auto", contents="go", config=FORCED))
    calls = [call for piece in pieces for call in piece.function_calls or []]
    assert calls
    assert all("path" in (call.args or {}) for call in calls)


def test_tokens_are_counted_without_asking_anybody(client: genai.Client) -> None:
    assert (client.models.count_tokens(model="auto", contents="hello there").total_tokens or 0) > 0


def test_models_are_listed_in_its_form(client: genai.Client) -> None:
    names = [model.name for model in client.models.list(config={"page_size": 1000})]
    assert names[0] == "models/auto"
    assert client.models.get(model="auto").display_name == "Steelyard auto"


def test_errors_are_of_the_sdks_right_class(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError, match="no-such-model") as unknown:
        client.models.generate_content(model="no-such-model", contents="hello")
    assert (unknown.value.code, unknown.value.status) == (404, "NOT_FOUND")
    with pytest.raises(errors.ClientError) as bad:
        client.models.generate_content(
            model="auto", contents="hello", config=types.GenerateContentConfig(max_output_tokens=-1)
        )
    assert (bad.value.code, bad.value.status) == (400, "INVALID_ARGUMENT")
    with pytest.raises(errors.ServerError) as down:
        client.models.generate_content(model="auto", contents="hello", config=simulated("F29"))
    assert down.value.code == 502


def test_a_rate_limit_says_when_to_come_back(fresh: Gateway) -> None:
    with connected(fresh) as client, pytest.raises(errors.ClientError) as limited:
        client.models.generate_content(model="auto", contents="hello", config=simulated("F11;ra=30"))
    assert (limited.value.code, limited.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert limited.value.response is not None
    assert "retryDelay" in str(limited.value.details)


def test_a_stream_cut_after_its_first_content_raises(client: genai.Client) -> None:
    received: list[str | None] = []

    def read() -> None:
        stream = client.models.generate_content_stream(model="auto", contents="go", config=simulated("F53;after=3"))
        received.extend(piece.text for piece in stream)

    with pytest.raises(errors.APIError, match="broke off"):
        read()
    assert received
