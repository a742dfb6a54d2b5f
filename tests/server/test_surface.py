"""What every answer of the server has in common, whatever it is about."""

import json

import pytest
from openai import OpenAI

from tests.running import Gateway


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models"),
        ("GET", "/v1/models/nobody"),
        ("GET", "/v1/usage"),
        ("GET", "/nothing"),
        ("DELETE", "/v1/models"),
        ("GET", "/v1/chat/completions"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
    ],
)
def test_every_answer_has_an_id(keyless: Gateway, method: str, path: str) -> None:
    ids = {keyless.http.request(method, path).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}], ids=["host", "page"]
)
def test_a_refusal_at_the_door_has_an_id(keyless: Gateway, headers: dict[str, str]) -> None:
    assert keyless.http.get("/v1/models", headers=headers).headers["x-request-id"]


@pytest.mark.parametrize(("path", "allowed"), [("/v1/chat/completions", "POST"), ("/v1/models", "GET, HEAD")])
def test_a_wrong_method_is_told_the_right_ones_where_http_says_so(keyless: Gateway, path: str, allowed: str) -> None:
    answer = keyless.http.delete(path)
    assert answer.status_code == 405
    assert sorted(answer.headers["allow"].split(", ")) == sorted(allowed.split(", "))
    assert answer.json()["error"]["param"] is None


def test_no_header_is_empty(keyless: Gateway) -> None:
    for answer in (keyless.chat(), keyless.chat(model="nobody"), keyless.chat(headers={"x-steelyard-simulate": "F29"})):
        ours = {name: value for name, value in answer.headers.items() if name.startswith("x-")}
        assert "x-steelyard-decision" in ours
        assert all(ours.values())


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/auto", "/v1/usage", "/v1/decisions/dec_0"])
def test_below_a_router_that_does_not_exist_there_is_nothing(keyless: Gateway, path: str) -> None:
    answer = keyless.http.get("/routers/nope" + path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert "there are auto" in answer.json()["error"]["message"]
    assert keyless.http.get("/routers/fast/v1/models").status_code == 200


def test_the_models_are_what_the_sdk_expects(keyless: Gateway) -> None:
    with OpenAI(base_url=f"{keyless.url}/v1", api_key="unused") as client:
        listed = list(client.models.list())
        singles = [client.models.retrieve(name) for name in ("auto", "sim/flagship")]
    assert {"auto", "sim/flagship"} <= {model.id for model in listed}
    for model in (*listed, *singles):
        assert model.object == "model"
        assert isinstance(model.created, int)
        assert model.owned_by


def test_money_is_exact_and_readable(keyless: Gateway) -> None:
    answer = keyless.chat()
    text = answer.text.partition('"cost_usd":')[2].partition(",")[0]
    assert text == answer.headers["x-steelyard-cost-usd"]
    assert "e" not in text
    assert len(text.partition(".")[2]) <= 9
    assert isinstance(keyless.http.get("/v1/usage").json()["by"], str)


def test_a_target_without_its_provider_is_no_target(keyless: Gateway) -> None:
    answer = keyless.chat(model="sim/flagship@")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert "sim/flagship@sim-" in answer.json()["error"]["message"]


def test_who_answers_after_a_fallback_is_who_the_score_is_of(keyless: Gateway) -> None:
    names = ["sim/flagship@sim-alpha", "sim/flagship-turbo@sim-bravo"]
    answer = keyless.chat(models=names, headers={"x-steelyard-simulate": "sim-alpha=F29"})
    story = answer.json()["steelyard"]
    assert story["target"] == story["candidates"][0]["target"] == names[1]
    assert story["score"] == story["candidates"][0]["score"]
    assert story["margin"] is None


def test_a_request_that_nobody_answered_has_no_score(keyless: Gateway) -> None:
    story = keyless.chat(headers={"x-steelyard-simulate": "F29"}).json()["steelyard"]
    assert (story["target"], story["score"], story["margin"]) == ("", None, None)
    assert story["candidates"]


def test_a_name_of_a_chain_that_nobody_knows_is_skipped_and_told(keyless: Gateway) -> None:
    answer = keyless.chat(models=["nobody/nothing", "sim/flagship"])
    assert answer.status_code == 200
    decision = keyless.http.get(f"/v1/decisions/{answer.headers['x-steelyard-decision']}").json()["decision"]
    assert "nobody/nothing" in json.dumps(decision["skipped"])
    none = keyless.chat(models=["nobody/nothing", "nobody/else"])
    assert none.status_code == 404
    assert "nobody/nothing" in none.json()["error"]["message"]
    assert "nobody/else" in none.json()["error"]["message"]
