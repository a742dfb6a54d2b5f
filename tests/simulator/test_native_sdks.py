"""The official SDKs of Anthropic, OpenAI and Google, straight against a simulated provider's native formats."""

from collections.abc import Iterator

import anthropic
import httpx2
import openai
import pytest
from google import genai
from google.genai import types
from google.genai.errors import APIError

from gateway.simulator.spawn import SimulatorProcess

SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"query": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 5}},
    "required": ["query", "limit"],
}
HELLO: list[anthropic.types.MessageParam] = [{"role": "user", "content": "hello"}]
LOOKUP: anthropic.types.ToolParam = {"name": "lookup", "input_schema": SCHEMA}
FUNCTION = types.FunctionDeclaration(name="lookup", description="looks it up", parameters_json_schema=SCHEMA)
FORCED = types.GenerateContentConfig(
    tools=[types.Tool(function_declarations=[FUNCTION])],
    tool_config=types.ToolConfig(
        function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
    ),
)


@pytest.fixture
def url(simulator: SimulatorProcess) -> str:
    return simulator.base_url("sim-alpha").removesuffix("/v1")


@pytest.fixture
def claude(url: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=url, api_key="unused", max_retries=0) as client:
        yield client


@pytest.fixture
def gpt(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0) as client:
        yield client


@pytest.fixture
def gemini(url: str) -> Iterator[genai.Client]:
    client = genai.Client(api_key="unused", http_options=types.HttpOptions(base_url=url))
    yield client
    client.close()


def parts_of(answer: types.GenerateContentResponse) -> list[types.Part]:
    assert answer.candidates
    content = answer.candidates[0].content
    return list(content.parts or ()) if content is not None else []


# Anthropic's Messages


def test_a_streamed_message_adds_up_to_the_whole_one(claude: anthropic.Anthropic) -> None:
    whole = claude.messages.create(
        model="sim/thinker",
        max_tokens=4000,
        messages=HELLO,
        thinking={"type": "enabled", "budget_tokens": 1024},
    )
    with claude.messages.stream(
        model="sim/thinker", max_tokens=4000, messages=HELLO, thinking={"type": "enabled", "budget_tokens": 1024}
    ) as stream:
        told = stream.get_final_message()
    assert [block.type for block in whole.content] == ["thinking", "text"]
    assert [block.to_dict() for block in told.content] == [block.to_dict() for block in whole.content]
    assert (told.stop_reason, told.usage.output_tokens) == (whole.stop_reason, whole.usage.output_tokens)


def test_messages_begin_with_message_start_and_end_with_message_stop(claude: anthropic.Anthropic) -> None:
    stream = claude.messages.create(model="sim/swift-mini", max_tokens=5, messages=HELLO, stream=True)
    kinds = [event.type for event in stream]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert kinds.count("content_block_delta") == 5


def test_a_forced_tool_is_used_and_its_result_answered(claude: anthropic.Anthropic) -> None:
    first = claude.messages.create(
        model="sim/coder-pro", max_tokens=400, messages=HELLO, tools=[LOOKUP], tool_choice={"type": "any"}
    )
    assert first.stop_reason == "tool_use"
    uses = [block for block in first.content if block.type == "tool_use"]
    assert all(use.input["limit"] in range(1, 6) for use in uses)
    results: list[anthropic.types.ToolResultBlockParam] = [
        {"type": "tool_result", "tool_use_id": use.id, "content": "found"} for use in uses
    ]
    talk: list[anthropic.types.MessageParam] = [
        *HELLO,
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": u.id, "name": u.name, "input": u.input} for u in uses],
        },
        {"role": "user", "content": results},
    ]
    second = claude.messages.create(model="sim/coder-pro", max_tokens=400, messages=talk, tools=[LOOKUP])
    assert second.stop_reason == "end_turn"
    with pytest.raises(anthropic.BadRequestError, match="has no result"):
        claude.messages.create(model="sim/coder-pro", max_tokens=400, messages=talk[:2], tools=[LOOKUP])


def test_a_stop_sequence_is_named(claude: anthropic.Anthropic) -> None:
    answer = claude.messages.create(
        model="sim/swift-mini", max_tokens=400, messages=HELLO, stop_sequences=["never", "simulator"]
    )
    assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", "simulator")


def test_what_was_read_from_the_cache_is_counted_apart(claude: anthropic.Anthropic) -> None:
    usages = [
        claude.messages.create(
            model="sim/swift-mini",
            max_tokens=5,
            messages=[{"role": "user", "content": "rule " * 2000}, {"role": "user", "content": question}],
        ).usage
        for question in ("one", "two")
    ]
    assert usages[0].cache_read_input_tokens == 0
    assert usages[1].cache_read_input_tokens
    assert usages[1].input_tokens + usages[1].cache_read_input_tokens == usages[0].input_tokens


def test_a_thought_that_came_back_changed_is_refused(claude: anthropic.Anthropic) -> None:
    thinking: anthropic.types.ThinkingConfigParam = {"type": "enabled", "budget_tokens": 1024}
    said = claude.messages.create(model="sim/thinker", max_tokens=4000, messages=HELLO, thinking=thinking).content[0]
    assert said.type == "thinking"

    def again(thought: str) -> anthropic.types.Message:
        block: anthropic.types.ThinkingBlockParam = {
            "type": "thinking",
            "thinking": thought,
            "signature": said.signature,
        }
        talk: list[anthropic.types.MessageParam] = [*HELLO, {"role": "assistant", "content": [block]}, *HELLO]
        return claude.messages.create(model="sim/thinker", max_tokens=4000, messages=talk, thinking=thinking)

    assert again(said.thinking).content
    with pytest.raises(anthropic.BadRequestError, match="signature"):
        again(said.thinking + " and more")


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"n": 2}, "unknown field `n`"),
        ({"temperature": 1.5}, "temperature"),
        ({"thinking": {"type": "enabled", "budget_tokens": 100}}, "budget_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": 9000}}, "max_tokens"),
        ({"thinking": {"type": "adaptive"}, "temperature": 0.5}, "temperature"),
        ({"thinking": {"type": "adaptive"}, "tools": [LOOKUP], "tool_choice": {"type": "any"}}, "forces"),
        ({"tools": [{"name": "lookup", "input_schema": {}}]}, "input_schema"),
        ({"messages": [{"role": "user", "content": ""}]}, "non-empty"),
    ],
)
def test_anthropic_would_refuse_it_too(claude: anthropic.Anthropic, wrong: dict[str, object], complaint: str) -> None:
    with pytest.raises(anthropic.BadRequestError, match=complaint):
        claude.messages.create(model="sim/thinker", max_tokens=400, messages=HELLO, extra_body=wrong)


# OpenAI's Responses and Completions


def test_a_streamed_response_adds_up_to_the_whole_one(gpt: openai.OpenAI) -> None:
    whole = gpt.responses.create(model="sim/thinker", input="hello", reasoning={"effort": "low", "summary": "auto"})
    with gpt.responses.stream(
        model="sim/thinker", input="hello", reasoning={"effort": "low", "summary": "auto"}
    ) as stream:
        events = list(stream)
        told = stream.get_final_response()
    assert [item.type for item in told.output] == ["reasoning", "message"]
    assert told.output_text == whole.output_text
    assert told.usage == whole.usage
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == whole.output_text


def test_a_response_that_met_its_limit_is_incomplete(gpt: openai.OpenAI) -> None:
    answer = gpt.responses.create(model="sim/swift-mini", input="hello", max_output_tokens=5)
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert answer.usage is not None
    assert answer.usage.output_tokens == 5


def test_a_forced_function_is_called_and_its_output_answered(gpt: openai.OpenAI) -> None:
    tool: openai.types.responses.FunctionToolParam = {
        "type": "function",
        "name": "lookup",
        "parameters": SCHEMA,
        "strict": True,
    }
    stream = gpt.responses.create(
        model="sim/coder-pro", input="hello", tools=[tool], tool_choice="required", stream=True
    )
    events = list(stream)
    last = events[-1]
    assert last.type == "response.completed"
    calls = [item for item in last.response.output if item.type == "function_call"]
    assert calls
    arguments = "".join(event.delta for event in events if event.type == "response.function_call_arguments.delta")
    assert arguments == "".join(call.arguments for call in calls)
    given: openai.types.responses.ResponseInputParam = [{"role": "user", "content": "hello"}]
    for call in calls:
        given += [{"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}]
    with pytest.raises(openai.BadRequestError, match="has no result"):
        gpt.responses.create(model="sim/coder-pro", input=given, tools=[tool])
    for call in calls:
        given += [{"type": "function_call_output", "call_id": call.call_id, "output": "found"}]
    assert "tool result" in gpt.responses.create(model="sim/coder-pro", input=given, tools=[tool]).output_text


def test_sealed_reasoning_goes_back_to_who_sealed_it(gpt: openai.OpenAI) -> None:
    first = gpt.responses.create(model="sim/thinker", input="hello", include=["reasoning.encrypted_content"]).output[0]
    assert first.type == "reasoning"
    assert first.encrypted_content
    for sealed, is_taken in ((first.encrypted_content, True), ("foreign", False)):
        given: openai.types.responses.ResponseInputParam = [
            {"type": "reasoning", "id": first.id, "summary": [], "encrypted_content": sealed},
            {"role": "user", "content": "go on"},
        ]
        if is_taken:
            assert gpt.responses.create(model="sim/thinker", input=given).output_text
        else:
            with pytest.raises(openai.BadRequestError, match="encrypted"):
                gpt.responses.create(model="sim/thinker", input=given)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"messages": []}, "unknown field `messages`"),
        ({"previous_response_id": "resp_1"}, "not found"),
        ({"tools": [{"type": "function"}]}, "name"),
        ({"input": []}, "length"),
    ],
)
def test_openai_would_refuse_it_too(gpt: openai.OpenAI, wrong: dict[str, object], complaint: str) -> None:
    with pytest.raises(openai.BadRequestError, match=complaint):
        gpt.responses.create(model="sim/swift-mini", input="hello", extra_body=wrong)


def test_a_streamed_completion_adds_up_to_the_whole_one(gpt: openai.OpenAI) -> None:
    whole = gpt.completions.create(model="sim/swift-mini", prompt="hello", max_tokens=9, n=2, logprobs=2)
    assert [choice.finish_reason for choice in whole.choices] == ["length", "length"]
    probable = whole.choices[0].logprobs
    assert probable is not None
    assert "".join(probable.tokens or ()) == whole.choices[0].text
    told = ["", ""]
    chunks = list(
        gpt.completions.create(
            model="sim/swift-mini",
            prompt=["hello"],
            max_tokens=9,
            n=2,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    for chunk in chunks:
        for choice in chunk.choices:
            told[choice.index] += choice.text
    assert told == [choice.text for choice in whole.choices]
    assert chunks[-1].usage == whole.usage


# Google's generateContent


def test_a_streamed_answer_of_gemini_adds_up_to_the_whole_one(gemini: genai.Client) -> None:
    shown = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(include_thoughts=True))
    whole = gemini.models.generate_content(model="sim/thinker", contents="hello", config=shown)
    chunks = list(gemini.models.generate_content_stream(model="sim/thinker", contents="hello", config=shown))
    for is_thought in (True, False):
        said = "".join(p.text or "" for chunk in chunks for p in parts_of(chunk) if bool(p.thought) == is_thought)
        assert said == "".join(p.text or "" for p in parts_of(whole) if bool(p.thought) == is_thought) != ""
    assert chunks[-1].usage_metadata == whole.usage_metadata
    finishes = [c.finish_reason for chunk in chunks for c in chunk.candidates or () if c.finish_reason]
    assert finishes == [types.FinishReason.STOP]


def test_hidden_thoughts_are_counted_and_not_shown(gemini: genai.Client) -> None:
    answer = gemini.models.generate_content(model="sim/thinker", contents="hello")
    assert answer.usage_metadata is not None
    assert answer.usage_metadata.thoughts_token_count
    assert not any(part.thought for part in parts_of(answer))


def test_a_forced_function_of_gemini_is_called_and_its_response_answered(gemini: genai.Client) -> None:
    asked = types.Content(role="user", parts=[types.Part(text="hello")])
    first = gemini.models.generate_content(model="sim/thinker", contents=[asked], config=FORCED)
    calls = [part.function_call for part in parts_of(first) if part.function_call]
    assert calls
    assert all(1 <= (call.args or {})["limit"] <= 5 for call in calls)
    assert parts_of(first)[0].thought_signature
    spoken = types.Content(role="model", parts=parts_of(first))
    results = [types.Part.from_function_response(name=call.name or "", response={"found": 1}) for call in calls]
    free = types.GenerateContentConfig(tools=FORCED.tools)
    talk = [asked, spoken, types.Content(role="user", parts=results)]
    answer = gemini.models.generate_content(model="sim/thinker", contents=list(talk), config=free)
    assert "tool result" in (answer.text or "")
    with pytest.raises(APIError, match="function response"):
        gemini.models.generate_content(model="sim/thinker", contents=list(talk[:2]), config=free)


def test_geminis_own_schema_language_shapes_the_answer(gemini: genai.Client) -> None:
    config = types.GenerateContentConfig(
        response_mime_type="application/json",
        response_schema={"type": "OBJECT", "properties": {"age": {"type": "INTEGER"}}, "required": ["age"]},
    )
    answer = gemini.models.generate_content(model="sim/swift-pro", contents="hello", config=config)
    assert isinstance(answer.parsed, dict)
    assert isinstance(answer.parsed["age"], int)


def test_a_stream_without_sse_is_one_array(url: str) -> None:
    body = {"contents": [{"parts": [{"text": "hello"}]}]}
    answer = httpx2.post(f"{url}/v1beta/models/sim/swift-mini:streamGenerateContent", json=body)
    said = "".join(chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in answer.json())
    whole = httpx2.post(f"{url}/v1beta/models/sim/swift-mini:generateContent", json=body).json()
    assert said == whole["candidates"][0]["content"]["parts"][0]["text"]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"messages": []}, "messages"),
        ({"generationConfig": {"maxTokens": 5}}, "maxTokens"),
        ({"generationConfig": {"responseSchema": {"type": "OBJECT"}}}, "mime type"),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 5, "thinkingLevel": "low"}}}, "exclude"),
        ({"tools": [{"functionDeclarations": [{"name": "f", "parameters": {"$schema": "x"}}]}]}, "schema"),
        ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "role"),
    ],
)
def test_google_would_refuse_it_too(url: str, wrong: dict[str, object], complaint: str) -> None:
    body = {"contents": [{"parts": [{"text": "hello"}]}], **wrong}
    answer = httpx2.post(f"{url}/v1beta/models/sim/swift-mini:generateContent", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert complaint in error["message"]
