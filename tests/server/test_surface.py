"""What every answer of the server has in common, whatever it is about."""

import contextlib
import hashlib
import json
import re
import sqlite3
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.running import Gateway, stopped_after


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
    assert answer.headers["allow"] == allowed
    assert answer.json()["error"]["param"] is None
    assert answer.json()["error"]["message"].endswith(f"use {allowed}")


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


def test_a_model_is_found_by_every_name_that_a_request_may_give_it(keyless: Gateway) -> None:
    wanted = keyless.http.get("/v1/models/sim/flagship").content
    for name in ("sim%2Fflagship", "flagship", "SIM/Flagship", "sim/flagship@sim-alpha", "sim/flagship/"):
        assert keyless.http.get(f"/v1/models/{name}").content == wanted
    assert keyless.http.get("/v1/models/steelyard/fast").json()["id"] == "fast"
    assert keyless.http.get("/routers/fast/v1/models/auto").json()["id"] == "fast"


@pytest.mark.parametrize("name", ["nobody", "x" * 3000, "sim/flagship@", "%ff%00", "openai/gpt-5"])
def test_a_model_that_cannot_be_asked_for_is_refused_as_in_a_request(keyless: Gateway, name: str) -> None:
    answer = keyless.http.get(f"/v1/models/{name}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert "GET /v1/models lists" in answer.json()["error"]["message"]
    assert len(answer.content) < 1000


def test_a_slash_at_the_end_of_a_path_changes_nothing(keyless: Gateway) -> None:
    body = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}
    for prefix in ("", "/routers/fast"):
        assert keyless.http.post(f"{prefix}/v1/chat/completions/", json=body).status_code == 200
        assert keyless.http.get(f"{prefix}/v1/models/").json() == keyless.http.get("/v1/models").json()
    assert keyless.http.get("/healthz/").status_code == 200
    assert keyless.http.get("/").status_code == 404


def text_of_cost(answer: httpx2.Response) -> str:
    return re.split("[,}]", answer.text.partition('"cost_usd":')[2])[0]


def test_money_is_a_number_exact_to_the_nano_dollar_wherever_it_is_told(keyless: Gateway) -> None:
    answer = keyless.chat(model="economy")
    told = text_of_cost(answer)
    assert told == answer.headers["x-steelyard-cost-usd"]
    assert re.fullmatch(r"0\.\d{2,9}", told)
    receipt = keyless.http.get(f"/v1/decisions/{answer.headers['x-steelyard-decision']}").json()["receipt"]
    assert Decimal(told) * 10**9 == receipt["cost_nano_usd"] > 0


def test_usage_tells_money_as_answers_do_and_counts_what_was_refused(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway):
        answer = gateway.chat(model="economy")
        gateway.chat(model="nobody")
    gateway = Gateway(tmp_path)  # the receipts are in the ledger once their process has ended
    with stopped_after(gateway):
        report = gateway.http.get("/v1/usage?by=router")
    told = {group["group"]: group for group in report.json()["groups"]}
    assert text_of_cost(report) == answer.headers["x-steelyard-cost-usd"]
    assert [told["economy"][name] for name in ("requests", "failures", "refused")] == [1, 0, 0]
    assert [told[""][name] for name in ("requests", "failures", "refused")] == [1, 0, 1]


def test_a_stranger_learns_nothing_of_the_environment_and_leaves_nothing_in_the_ledger(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"sk-steelyard-test").hexdigest()
    gateway = Gateway(tmp_path, f"keys: [{{name: bot, sha256: {digest}}}]\n", {"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway):
        for answer in (gateway.chat(), gateway.http.get("/v1/chat/completions"), gateway.http.get("/v1/models")):
            assert answer.status_code in (401, 405)
            assert answer.headers["x-request-id"]
        gateway.http.headers["authorization"] = "Bearer sk-steelyard-test"
        for refused in (gateway.chat(model="openai/gpt-5"), gateway.chat(models=["openai/gpt-5"])):
            assert refused.status_code == 404
            assert "openai: not set up here" in refused.text
            assert "_API_KEY" not in refused.text
    connection = sqlite3.connect(tmp_path / ".steelyard" / "ledger.db")
    with contextlib.closing(connection):
        assert set(connection.execute("SELECT key, status FROM receipt")) == {("bot", 404)}


def test_an_agent_with_a_model_wired_in_is_served_by_the_alias_of_every_other_name(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, "aliases: {'*': auto}\n", {"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway):
        for base, router in (("", "auto"), ("/routers/fast", "fast")):
            with OpenAI(base_url=f"{gateway.url}{base}/v1", api_key="unused") as client:
                said: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
                answer = client.chat.completions.create(model="gpt-4o", messages=said)
                assert answer.choices[0].message.content
                assert (answer.model_extra or {})["steelyard"]["router"] == router
                assert client.models.retrieve("gpt-4o").id == router


def test_a_target_without_its_provider_is_no_target(keyless: Gateway) -> None:
    answer = keyless.chat(model="sim/flagship@")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert "sim/flagship@sim-" in answer.json()["error"]["message"]


def test_who_answers_after_a_fallback_is_who_the_score_is_of(keyless: Gateway) -> None:
    names = ["sim/flagship@sim-alpha", "sim/flagship-turbo@sim-bravo"]
    answer = keyless.chat(models=names, headers={"x-steelyard-simulate": "sim-alpha=F29"})
    story = answer.json()["steelyard"]
    assert story["target"] == story["candidates"][0]["target"] == names[1], story["attempts"]
    assert story["score"] == story["candidates"][0]["score"]
    assert story["margin"] is None
    assert [one["rank"] for one in story["candidates"]] == [2, 1]


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
