"""POST /v1/embeddings for the official SDK and for plain HTTP."""

from collections.abc import Iterator

import openai
import pytest

from tests.running import Gateway

TEXTS = ["a balance", "a scale"]


@pytest.fixture
def client(keyless: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=keyless.url + "/v1", api_key="unused", max_retries=0) as client:
        yield client


def test_the_sdk_gets_the_same_vectors_packed_and_in_numbers(client: openai.OpenAI) -> None:
    packed = client.embeddings.create(model="sim/embed-small", input=TEXTS)  # the SDK asks for base64 by itself
    plain = client.embeddings.create(model="sim/embed-small", input=TEXTS, encoding_format="float")
    assert [row.embedding for row in packed.data] == [row.embedding for row in plain.data]
    assert [(row.index, row.object, len(row.embedding)) for row in plain.data] == [
        (0, "embedding", 384),
        (1, "embedding", 384),
    ]
    assert plain.usage.prompt_tokens == plain.usage.total_tokens > 0
    assert plain.model_extra is not None
    assert plain.model_extra["steelyard"]["model"] == "sim/embed-small"


def test_the_sdk_may_send_tokens_and_ask_for_shorter_vectors(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model="embed-large", input=[[1, 2, 3], [4, 5]], dimensions=16)
    assert [len(row.embedding) for row in answer.data] == [16, 16]
    assert answer.usage.prompt_tokens == 5


def test_the_sdk_raises_on_a_model_that_writes(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="makes no embeddings"):
        client.embeddings.create(model="sim/swift-mini", input="x")


@pytest.mark.parametrize("prefix", ["", "/routers/economy", "/api"])
def test_it_is_served_wherever_the_other_apis_are(keyless: Gateway, prefix: str) -> None:
    answer = keyless.http.post(f"{prefix}/v1/embeddings", json={"model": "sim/embed-small", "input": "x"})
    assert answer.status_code == 200
    assert answer.headers["x-steelyard-router"] == ("economy" if prefix.startswith("/routers") else "auto")
    assert float(answer.headers["x-steelyard-cost-usd"]) > 0


def test_the_decision_can_be_asked_for_before_and_after(keyless: Gateway) -> None:
    body = {"model": "sim/embed-small", "input": TEXTS}
    dry = keyless.http.post("/v1/route?api=embeddings", json=body).json()
    done = keyless.http.post("/v1/embeddings", json=body)
    record = keyless.http.get(f"/v1/decisions/{done.headers['x-steelyard-decision']}").json()
    assert dry["winner"] == record["decision"]["winner"] == done.json()["steelyard"]["target"]
    assert dry["request"]["task"] == record["receipt"]["task"] == "embedding"
    assert {one["reason"] for one in dry["excluded"]} == {"not_asked"}


def test_a_dry_run_reads_the_body_of_every_api(keyless: Gateway) -> None:
    bodies: dict[str, dict[str, object]] = {
        "chat": {"messages": [{"role": "user", "content": "x"}]},
        "completions": {"prompt": "x"},
        "responses": {"input": "x"},
        "messages": {"messages": [{"role": "user", "content": "x"}], "max_tokens": 5},
        "gemini": {"contents": [{"role": "user", "parts": [{"text": "x"}]}]},
    }
    for api, body in bodies.items():
        answer = keyless.http.post(f"/v1/route?api={api}", json={"model": "auto", **body})
        assert answer.status_code == 200, api
        assert answer.json()["winner"].startswith("sim/")
    wrong = keyless.http.post("/v1/route?api=fax", json={})
    assert wrong.status_code == 400
    assert "embeddings" in wrong.json()["error"]["message"]


def test_the_list_of_models_tells_them_apart(keyless: Gateway) -> None:
    rows = {row["id"]: row for row in keyless.models()}
    assert rows["sim/embed-large"]["architecture"]["output_modalities"] == ["embeddings"]
    assert rows["sim/embed-large"]["dimensions"] == 1536
    assert rows["sim/embed-large"]["pricing"] == {"input": 0.12}
    assert "dimensions" not in rows["sim/swift-mini"]
    assert keyless.http.get("/v1/models/embed-large").json() == rows["sim/embed-large"]
    for others in (
        keyless.http.get("/v1beta/models").text,
        keyless.http.get("/v1/models", headers={"anthropic-version": "2023-06-01"}).text,
        keyless.http.get("/v1/catalog").text,
    ):
        assert "sim/swift-mini" in others
        assert "sim/embed" not in others


def test_what_is_no_request_for_embeddings_is_refused_in_openais_words(keyless: Gateway) -> None:
    answer = keyless.http.post("/v1/embeddings", json={"model": "sim/embed-small", "input": ["a", ""]})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "input[1]"
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert keyless.http.get("/v1/embeddings").status_code == 405
