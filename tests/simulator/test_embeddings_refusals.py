"""What a simulated provider does not embed, it refuses in the words of its format."""

import json
from typing import Any

import httpx2
import pytest

from gateway.simulator.spawn import SimulatorProcess
from tests.simulator.wire import log_of

OPENAI = "/v1/embeddings"
GEMINI = "/v1beta/models/sim/embed-small:embedContent"
BATCH = "/v1beta/models/sim/embed-small:batchEmbedContents"
COHERE = "/v2/embed"
OLLAMA = "/api/embed"
CONTENT = {"parts": [{"text": "hello"}]}
ONE = {"model": "models/sim/embed-small", "content": CONTENT}
TOO_LONG = "word " * 9000

GOOD: dict[str, dict[str, Any]] = {
    OPENAI: {"model": "sim/embed-small", "input": "hello"},
    GEMINI: {"content": CONTENT},
    BATCH: {"requests": [ONE]},
    COHERE: {"model": "sim/embed-small", "texts": ["hello"], "input_type": "search_query"},
    OLLAMA: {"model": "sim/embed-small", "input": "hello"},
}


def message_of(path: str, document: dict[str, Any]) -> str:
    """The message of an error document, which has nothing that its vendor's has not."""
    if path.startswith("/v2"):
        assert set(document) == {"message"}
        return str(document["message"])
    if path.startswith("/api"):
        assert set(document) == {"error"}
        return str(document["error"])
    told = document["error"]
    expected = {"message", "type", "param", "code"} if path.startswith("/v1/") else {"message", "code", "status"}
    assert set(told) == expected
    return str(told["message"])


def refusal(simulator: SimulatorProcess, path: str, body: object) -> tuple[int, str]:
    answer = httpx2.post(f"http://127.0.0.1:{simulator.ports['sim-alpha']}{path}", content=json.dumps(body))
    return answer.status_code, message_of(path, answer.json())


@pytest.mark.parametrize(
    ("path", "wrong", "words"),
    [
        (OPENAI, {"input": ""}, "$.input"),
        (OPENAI, {"input": []}, "$.input"),
        (OPENAI, {"input": ["hello", ""]}, "$.input"),
        (OPENAI, {"input": [[1, 2], []]}, "$.input"),
        (OPENAI, {"input": ["hello", 1]}, "$.input"),
        (OPENAI, {"input": [[1], "hello"]}, "$.input"),
        (OPENAI, {"input": ["x"] * 2049}, "$.input"),
        (OPENAI, {"input": [-1]}, "input"),
        (OPENAI, {"input": {"text": "hello"}}, "input"),
        (OPENAI, {"input": TOO_LONG}, "maximum context length is 8192 tokens, however you requested 11250"),
        (OPENAI, {"input": [1] * 2000 + [-1]}, "input"),
        (OPENAI, {"input": [[1] * 8193]}, "8193"),
        (OPENAI, {"input": [TOO_LONG[:32768]] * 40}, "max 300000 tokens per request"),
        (OPENAI, {"dimensions": 385}, "Must be less than or equal to 384"),
        (OPENAI, {"dimensions": 0}, "dimensions"),
        (OPENAI, {"encoding_format": "int8"}, "encoding_format"),
        (OPENAI, {"input_type": "query"}, "input_type"),
        (GEMINI, {"content": {"parts": []}}, "empty Part"),
        (GEMINI, {"content": {"parts": [{"text": ""}]}}, "empty Part"),
        (GEMINI, {"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": ""}}]}}, "empty Part"),
        (GEMINI, {"contents": [CONTENT]}, "contents"),
        (GEMINI, {"model": "models/sim/embed-large"}, "sim/embed-large"),
        (GEMINI, {"taskType": "SEARCH"}, "taskType"),
        (GEMINI, {"outputDimensionality": 385}, "384"),
        (GEMINI, {"embedContentConfig": {"outputDimensionality": 385}}, "384"),
        (BATCH, {"requests": []}, "requests"),
        (BATCH, {"requests": [ONE] * 101}, "at most 100 requests can be in one batch"),
        (BATCH, {"requests": [{"content": CONTENT}]}, "model"),
        (BATCH, {"requests": [{**ONE, "model": "sim/embed-small"}]}, "model"),
        (BATCH, {"requests": [ONE, {**ONE, "outputDimensionality": 0}]}, "outputDimensionality"),
        (COHERE, {"texts": ["x"] * 97}, "at most 96 - received 97"),
        (COHERE, {"texts": []}, "at least one"),
        (COHERE, {"images": ["data:image/png;base64,"]}, "texts only"),
        (COHERE, {"input_type": "image"}, "texts only"),
        (COHERE, {"input_type": "query"}, "input_type"),
        (COHERE, {"embedding_types": ["double"]}, "embedding_types"),
        (COHERE, {"dimensions": 256}, "dimensions"),
        (COHERE, {"output_dimension": 300}, "300 is not a valid output_dimension value for this model, [256 384]"),
        (COHERE, {"output_dimension": 512}, "512 is not a valid output_dimension"),
        (COHERE, {"texts": [TOO_LONG], "truncate": "NONE"}, "11250"),
        (OLLAMA, {"input": [1]}, "input"),
        (OLLAMA, {"input": {"text": "hello"}}, "input"),
    ],
)
def test_a_request_that_makes_no_sense_is_a_400(
    simulator: SimulatorProcess, path: str, wrong: dict[str, object], words: str
) -> None:
    status, message = refusal(simulator, path, {**GOOD[path], **wrong})
    assert status == 400
    assert words in message


@pytest.mark.parametrize("path", GOOD)
def test_what_is_just_short_of_a_refusal_is_answered(simulator: SimulatorProcess, path: str) -> None:
    most: dict[str, dict[str, Any]] = {
        OPENAI: {"input": ["x"] * 2048, "dimensions": 2},
        GEMINI: {"outputDimensionality": 384},
        BATCH: {"requests": [{**ONE, "outputDimensionality": 2}] * 100},
        COHERE: {"texts": ["x"] * 96, "output_dimension": 384, "embedding_types": ["binary"]},
        OLLAMA: {"input": ["x"] * 3000, "dimensions": 2},
    }
    url = f"http://127.0.0.1:{simulator.ports['sim-alpha']}{path}"
    assert httpx2.post(url, json={**GOOD[path], **most[path]}).status_code == 200


@pytest.mark.parametrize("path", [OPENAI, COHERE, OLLAMA])
def test_a_request_without_a_model_is_a_400(simulator: SimulatorProcess, path: str) -> None:
    body = {name: value for name, value in GOOD[path].items() if name != "model"}
    status, message = refusal(simulator, path, body)
    assert (status, "model" in message) == (400, True)


MESSAGES = [{"role": "user", "content": "hello"}]
CHAT_CONTENTS = {"contents": [CONTENT]}
THINKER = {**ONE, "model": "models/sim/thinker"}


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        (OPENAI, {"model": "sim/thinker", "input": "hello"}, 403, "not allowed to generate embeddings"),
        ("/v1beta/models/sim/thinker:embedContent", GOOD[GEMINI], 404, "not supported for embedContent"),
        (
            "/v1beta/models/sim/thinker:batchEmbedContents",
            {"requests": [THINKER]},
            404,
            "models/sim/thinker is not found for API version v1beta, or is not supported for batchEmbedContents",
        ),
        (COHERE, {**GOOD[COHERE], "model": "sim/thinker"}, 400, "embed is not an available endpoint"),
        (OLLAMA, {"model": "sim/thinker", "input": "hello"}, 400, "does not support embeddings"),
        (
            "/v1/chat/completions",
            {"model": "sim/embed-small", "messages": MESSAGES},
            403,
            "not allowed to sample from this model",
        ),
        ("/v1/responses", {"model": "sim/embed-small", "input": "hello"}, 403, "not allowed to sample"),
        ("/v1/completions", {"model": "sim/embed-small", "prompt": "hello"}, 403, "not allowed to sample"),
        (
            "/v1beta/models/sim/embed-small:streamGenerateContent",
            CHAT_CONTENTS,
            404,
            "not supported for generateContent",
        ),
        ("/v2/chat", {"model": "sim/embed-small", "stream": False, "messages": MESSAGES}, 400, "chat is not an"),
        (
            "/api/chat",
            {"model": "sim/embed-small", "messages": MESSAGES},
            400,
            '"sim/embed-small" does not support chat',
        ),
        (OPENAI, {"model": "sim/nobody", "input": "hello"}, 404, "does not exist"),
        (OPENAI, {"model": "sim/embed-multi", "input": "hello"}, 404, "does not exist"),
    ],
)
def test_a_model_of_the_other_kind_is_refused_as_its_vendor_does(
    simulator: SimulatorProcess, path: str, body: object, status: int, words: str
) -> None:
    seen = refusal(simulator, path, body)
    assert seen[0] == status
    assert words in seen[1]
    (entry,) = log_of(simulator.control)
    assert (entry["status"], entry["prompt_tokens"], entry["cost_nano_usd"]) == (status, 0, 0)


def test_anthropic_has_no_embedding_models_at_all(simulator: SimulatorProcess) -> None:
    url = f"http://127.0.0.1:{simulator.ports['sim-alpha']}/v1/messages"
    body = {"model": "sim/embed-small", "max_tokens": 9, "messages": MESSAGES}
    answer = httpx2.post(url, json=body, headers={"anthropic-version": "2023-06-01"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")


def test_embeddings_are_posted(simulator: SimulatorProcess) -> None:
    url = f"http://127.0.0.1:{simulator.ports['sim-alpha']}"
    assert [httpx2.get(url + path).status_code for path in GOOD] == [405] * len(GOOD)
    assert httpx2.post(f"{url}/v1beta/models/sim/embed-small:countTokens", json={}).status_code == 404
