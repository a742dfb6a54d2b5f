"""Replays by the commands and over HTTP, of traffic that a real server has decided and written down."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from gateway.server.auth import new_key
from tests.cli.commands import steelyard
from tests.running import Gateway, stopped_after

FAST = {"STEELYARD_SIMULATOR_PACE": "0"}
ASKED = ("hello", "Translate to French: good morning", "Write a binary search in Python", "What is 17 * 23?")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a server has answered some requests of two callers."""
    place = tmp_path_factory.mktemp("replay")
    (one, first), (two, second) = new_key(), new_key()
    keys = f"keys: [{{name: one, sha256: '{first}'}}, {{name: two, sha256: '{second}'}}]\n"
    gateway = Gateway(place, keys + "catalog: {refresh: false}\n", FAST)
    with stopped_after(gateway):
        for number in range(20):
            key = (one, two)[number % 5 == 0]
            headers = {"authorization": f"Bearer {key}"}
            asked = gateway.chat(f"{ASKED[number % 4]} {number}", headers=headers, stream=bool(number % 2))
            assert asked.status_code == 200
    (place / "key").write_text(one)
    return place


def test_todays_rules_decide_as_it_was_decided(folder: Path) -> None:
    found = json.loads(steelyard(folder, "replay", "--json").stdout)
    assert (found["requests"], found["left_out"], found["changed"], found["as_decided"]) == (20, {}, 0, 1.0)
    assert found["billed"]["cost_usd"] > 0


def test_other_weights_change_the_mix_and_what_it_costs(folder: Path) -> None:
    told = steelyard(folder, "replay", "--weights", "cost=.9,quality=.1").stdout
    assert "20 requests of router auto; " in told
    assert "A replay cannot know:" in told
    found = json.loads(steelyard(folder, "replay", "--weights", "cost=.9,quality=.1", "--json").stdout)
    assert found["changed"] > 10
    assert found["figures"]["cost"]["high"] < 0


def test_another_settings_file_is_another_set_of_rules(folder: Path) -> None:
    (folder / "other.yaml").write_text("routers: {auto: {deny: ['sim/polyglot']}}\n")
    found = json.loads(steelyard(folder, "replay", "--settings", "other.yaml", "--json").stdout)
    before, after = found["mix"].get("sim/polyglot", (0, 0))
    assert before > after == 0


def test_a_tuning_shows_the_front_and_where_the_router_is(folder: Path) -> None:
    told = steelyard(folder, "tune").stdout
    assert "router auto, 20 of its past requests" in told
    assert " now" in told
    assert len(json.loads(steelyard(folder, "tune", "--json").stdout)["front"]) > 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("replay", "--router", "green"), "router green has decided nothing since 7d"),
        (("replay", "--weights", "price=1"), "'price=1' is no weight; cost=.5,quality=.5 is expected"),
        (("replay", "--since", "yesterday"), "since is 'yesterday'"),
        (("replay", "--catalog", "steelyard.yaml"), "--catalog: steelyard.yaml is not a catalog"),
        (("tune", "--router", "nobody"), "router nobody has decided nothing"),
    ],
)
def test_what_cannot_be_replayed_is_told_with_the_way_out(folder: Path, words: tuple[str, ...], told: str) -> None:
    done = steelyard(folder, *words)
    assert done.returncode
    assert told in done.stderr


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[httpx2.Client]:
    gateway = Gateway(folder, None, FAST)
    with stopped_after(gateway):
        gateway.http.headers["authorization"] = f"Bearer {(folder / 'key').read_text()}"
        yield gateway.http
    assert gateway.child.returncode in (0, -signal.SIGTERM)


def test_over_http_a_caller_sees_what_his_own_requests_would_have_done(server: httpx2.Client) -> None:
    found = server.post("/v1/replay", json={"weights": {"cost": 0.9, "quality": 0.1}}).json()
    assert (found["requests"], found["router"]) == (16, "auto")
    assert found["figures"]["cost"]["high"] < 0
    assert found["cannot_know"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"weights": {"price": 1}}, "weights.price is 1; a number of 0 or more is expected for each of cost, latency"),
        ({"weights": {"cost": -1}}, "weights.cost is -1"),
        ({"weights": {"cost": 0}}, "at least one is above 0"),
        ({"limit": 0}, "limit is 0; it is 1 to 100,000"),
        ({"router": "nobody"}, "There is no router 'nobody'"),
        ({"router": "green"}, "router green has decided nothing"),
        ({"since": "--config=/etc/passwd"}, "since is '--config=/etc/passwd'"),
        ({"key": "two"}, "unknown field `key`"),
    ],
)
def test_over_http_nonsense_is_refused_with_the_way_out(
    server: httpx2.Client, body: dict[str, object], told: str
) -> None:
    refused = server.post("/v1/replay", json=body)
    assert refused.status_code in (400, 404)
    assert told in refused.json()["error"]["message"]


def test_over_http_nobody_replays_without_a_key(server: httpx2.Client) -> None:
    assert server.post("/v1/replay", json={}, headers={"authorization": "Bearer sk-wrong"}).status_code == 401


def test_who_does_not_learn_takes_no_feedback_and_says_so(server: httpx2.Client) -> None:
    refused = server.post("/v1/feedback", json={"decision": "dec_1", "score": 1})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "feedback_disabled")
