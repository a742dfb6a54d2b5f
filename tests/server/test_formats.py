"""Every format that callers speak gets the same service: routing, fallback, receipts, metadata, errors of its own."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from msgspec import Struct

from tests.running import Gateway


class Face(Struct, frozen=True):
    """How one format asks, and where it says what."""

    name: str
    path: Callable[[str, bool], str]  # model, stream
    body: Callable[[str, bool], dict[str, Any]]
    text: Callable[[dict[str, Any]], str]  # of a whole answer
    error: Callable[[dict[str, Any]], str]  # message of an error document
    terminator: str  # the last line of a stream begins so; "" of a format that never streams
    candidates: int = 4  # tried when everybody fails


def chat_body(model: str, stream: bool) -> dict[str, Any]:
    return {"model": model, "stream": stream, "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]}


def joined(parts: list[dict[str, Any]]) -> str:
    return "".join(part.get("text", "") for part in parts)


EMBEDDERS = {"nobody": "nobody", "fast": "sim/embed-large"}
FACES = [
    Face(
        "openai_chat",
        lambda model, stream: "/v1/chat/completions",
        chat_body,
        lambda answer: answer["choices"][0]["message"]["content"],
        lambda document: document["error"]["message"],
        "data: [DONE]",
    ),
    Face(
        "openai_completions",
        lambda model, stream: "/v1/completions",
        lambda model, stream: {"model": model, "stream": stream, "max_tokens": 20, "prompt": "hello"},
        lambda answer: answer["choices"][0]["text"],
        lambda document: document["error"]["message"],
        "data: [DONE]",
    ),
    Face(
        "openai_responses",
        lambda model, stream: "/v1/responses",
        lambda model, stream: {"model": model, "stream": stream, "max_output_tokens": 20, "input": "hello"},
        lambda answer: joined([part for item in answer["output"] for part in item.get("content") or ()]),
        lambda document: (document.get("error") or document["response"]["error"])["message"],
        'data: {"type":"response.incomplete"',
    ),
    Face(
        "anthropic_messages",
        lambda model, stream: "/v1/messages",
        chat_body,
        lambda answer: joined(answer["content"]),
        lambda document: document["error"]["message"],
        'data: {"type":"message_stop"',
    ),
    Face(
        "gemini",
        lambda model, stream: (
            f"/v1beta/models/{model}:" + ("streamGenerateContent?alt=sse" if stream else "generateContent")
        ),
        lambda model, stream: {
            "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
            "generationConfig": {"maxOutputTokens": 20},
        },
        lambda answer: joined(answer["candidates"][0]["content"]["parts"]),
        lambda document: document["error"]["message"],
        'data: {"candidates"',
    ),
    # A router is named by its base URL here: for embeddings its name alone could mean any of several models.
    Face(
        "openai_embeddings",
        lambda model, stream: f"/routers/{model}/v1/embeddings" if model in ("fast", "quality") else "/v1/embeddings",
        lambda model, stream: {"model": EMBEDDERS.get(model, "sim/embed-small"), "input": "hello"},
        lambda answer: str(answer["data"][0]["embedding"][0]),
        lambda document: document["error"]["message"],
        "",
        candidates=2,
    ),
]
WAYS = [(face, stream) for face in FACES for stream in (False, True) if face.terminator or not stream]


@pytest.fixture(params=FACES, ids=lambda face: face.name)
def face(request: pytest.FixtureRequest) -> Face:
    found: Face = request.param
    return found


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0].name}-{'stream' if way[1] else 'whole'}")
def way(request: pytest.FixtureRequest) -> tuple[Face, bool]:
    found: tuple[Face, bool] = request.param
    return found


def ask(gateway: Gateway, face: Face, model: str = "auto", stream: bool = False, simulate: str = "") -> httpx2.Response:
    headers = {"x-steelyard-simulate": simulate} if simulate else {}
    return gateway.http.post(face.path(model, stream), json=face.body(model, stream), headers=headers)


def story_of(answer: httpx2.Response) -> Any:
    """The `steelyard` object, wherever the format keeps it."""
    text = answer.text
    if text.startswith(("data: ", "event: ")):
        text = next(
            line[6:] for line in reversed(text.splitlines()) if line.startswith("data: ") and "steelyard" in line
        )
    document = json.loads(text)
    return document.get("steelyard") or document["response"]["steelyard"]


def test_an_answer_says_who_gave_it_and_what_it_cost(keyless: Gateway, way: tuple[Face, bool]) -> None:
    face, stream = way
    answer = ask(keyless, face, "quality", stream)
    assert answer.status_code == 200
    story = story_of(answer)
    assert (story["router"], story["fallback"], len(story["attempts"])) == ("quality", False, 1)
    assert story["cost_usd"] > 0
    assert story["usage"]["input_tokens"] > 0
    assert answer.headers["x-steelyard-provider"] == story["provider"]
    receipt = keyless.http.get(f"/v1/decisions/{answer.headers['x-steelyard-decision']}").json()["receipt"]
    assert (receipt["dialect"], receipt["outcome"]) == (face.name, "ok")
    if stream:
        assert [line for line in answer.text.splitlines() if line][-1].startswith(face.terminator)
    else:
        assert face.text(answer.json())


def test_a_fault_of_two_providers_is_not_seen(keyless: Gateway, way: tuple[Face, bool]) -> None:
    face, stream = way
    answer = ask(keyless, face, "fast", stream, "sim-alpha=F29,sim-bravo=F31")
    assert answer.status_code == 200
    assert story_of(answer)["provider"] in ("sim-charlie", "sim-delta")


def test_when_everybody_fails_the_error_is_in_the_callers_words(keyless: Gateway, way: tuple[Face, bool]) -> None:
    face, stream = way
    answer = ask(keyless, face, "auto", stream, "F29")
    assert answer.status_code == 502
    assert "server_error" in face.error(answer.json())
    assert answer.headers["x-steelyard-attempts"] == str(face.candidates)


def test_googles_other_kind_of_stream_is_an_array_and_says_so(keyless: Gateway) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
    for query, kind in (("", "application/json"), ("?alt=sse", "text/event-stream; charset=utf-8")):
        answer = keyless.http.post(f"/v1beta/models/auto:streamGenerateContent{query}", json=body)
        assert answer.headers["content-type"] == kind
        assert answer.headers["cache-control"] == "no-cache"
        assert query or answer.json()[0]["candidates"]


@pytest.mark.parametrize("face", [face for face in FACES if face.terminator], ids=lambda face: face.name)
def test_a_stream_that_breaks_after_its_first_words_ends_with_an_error(keyless: Gateway, face: Face) -> None:
    answer = ask(keyless, face, "auto", True, "F53;after=3")
    assert answer.status_code == 200
    last = json.loads([line[6:] for line in answer.text.splitlines() if line.startswith("data: ")][-1])
    assert "stream_cut" in face.error(last)


def test_an_unknown_model_is_a_404(keyless: Gateway, face: Face) -> None:
    answer = ask(keyless, face, "nobody")
    assert answer.status_code == 404
    assert "nobody" in face.error(answer.json())


def test_a_body_that_is_no_json_is_a_400(keyless: Gateway, face: Face) -> None:
    answer = keyless.http.post(face.path("auto", False), content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "JSON" in face.error(answer.json())


def test_a_wrong_method_is_a_405(keyless: Gateway, face: Face) -> None:
    answer = keyless.http.get(face.path("auto", False))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "use POST" in face.error(answer.json())


@pytest.mark.parametrize("prefix", ["/routers/green", "/api"])
def test_every_format_is_also_served_below_a_prefix(keyless: Gateway, face: Face, prefix: str) -> None:
    answer = keyless.http.post(prefix + face.path("auto", False), json=face.body("auto", False))
    assert answer.status_code == 200
    assert answer.headers["x-steelyard-router"] == ("green" if "green" in prefix else "auto")


def test_what_a_format_cannot_carry_is_named(keyless: Gateway) -> None:
    body = chat_body("auto", False) | {"top_k": 40}
    answer = keyless.http.post("/v1/messages", json=body)
    assert answer.status_code == 200
    assert "top_k" in answer.headers["x-steelyard-loss"]
    assert "top_k" in [loss["field"] for loss in answer.json()["steelyard"]["losses"]]


def test_tokens_can_be_counted(keyless: Gateway) -> None:
    messages = {"model": "auto", "max_tokens": 1, "messages": [{"role": "user", "content": "one two three four five"}]}
    counted = keyless.http.post("/v1/messages/count_tokens", json=messages).json()
    assert 4 <= counted["input_tokens"] <= 20
    contents = {"contents": [{"parts": [{"text": "one two three four five"}]}]}
    assert 4 <= keyless.http.post("/v1beta/models/auto:countTokens", json=contents).json()["totalTokens"] <= 20


def test_openclaws_plugin_reads_what_was_used(keyless: Gateway) -> None:
    keyless.chat()
    usage = keyless.http.get("/v1/usage").json()
    assert usage["budget"] == {"configured": False}
    assert usage["usage"]["summary"].keys() == {"requestCount", "totalTokens", "actualCostMicros"}


def test_providers_are_chosen_in_openrouters_words(keyless: Gateway) -> None:
    for wishes, expected in (({"only": ["sim-delta"]}, "sim-delta"), ({"order": ["sim-charlie"]}, "sim-charlie")):
        answer = keyless.http.post("/api/v1/chat/completions", json=chat_body("auto", False) | {"provider": wishes})
        assert answer.headers["x-steelyard-provider"] == expected
    wrong = keyless.http.post("/v1/chat/completions", json=chat_body("auto", False) | {"provider": {"only": 7}})
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "provider.only")
    assert keyless.chat(model="sim/flagship:floor").headers["x-steelyard-model"] == "sim/flagship"


def test_models_are_listed_in_each_shape(keyless: Gateway) -> None:
    anthropic = keyless.http.get("/v1/models", headers={"anthropic-version": "2023-06-01"}).json()
    assert anthropic["data"][0] == {
        "type": "model",
        "id": "auto",
        "display_name": "Steelyard auto",
        "created_at": "2026-01-01T00:00:00Z",
    }
    google = keyless.http.get("/v1beta/models").json()["models"]
    assert google[0]["name"] == "models/auto"
    catalog = keyless.http.get("/v1/catalog").json()["providers"][0]
    assert catalog["nativeBaseUrl"].startswith("/v1/native/")
    assert {"auto", "sim/flagship"} <= {model["id"] for model in catalog["models"]}


def test_a_response_can_be_gone_on_from_shown_and_deleted(keyless: Gateway) -> None:
    for stream in (False, True):
        body = {"model": "auto", "input": "my name is Ada", "max_output_tokens": 20, "stream": stream}
        first = keyless.http.post("/v1/responses", json=body)
        text = first.text if not stream else [line[6:] for line in first.text.splitlines() if "response." in line][-1]
        document = json.loads(text)
        response_id = (document if not stream else document["response"])["id"]
        shown = keyless.http.get(f"/v1/responses/{response_id}").json()
        assert (shown["id"], shown["object"]) == (response_id, "response")
        second = keyless.http.post("/v1/responses", json=body | {"previous_response_id": response_id, "stream": False})
        assert second.status_code == 200
        alone = keyless.http.post("/v1/responses", json=body | {"stream": False})
        assert second.json()["usage"]["input_tokens"] > alone.json()["usage"]["input_tokens"]
        assert keyless.http.delete(f"/v1/responses/{response_id}").json()["deleted"] is True
        assert keyless.http.get(f"/v1/responses/{response_id}").status_code == 404
        gone = keyless.http.post("/v1/responses", json=body | {"previous_response_id": response_id})
        assert (gone.status_code, gone.json()["error"]["code"]) == (400, "previous_response_not_found")


def test_what_nobody_here_can_do_is_refused_and_not_ignored(keyless: Gateway) -> None:
    answer = keyless.http.post("/v1/responses", json={"model": "auto", "input": "hi", "background": True})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported_parameter")


def test_a_response_that_is_not_to_be_stored_is_not(keyless: Gateway) -> None:
    answer = keyless.http.post("/v1/responses", json={"model": "auto", "input": "hi", "store": False}).json()
    assert keyless.http.get(f"/v1/responses/{answer['id']}").status_code == 404
