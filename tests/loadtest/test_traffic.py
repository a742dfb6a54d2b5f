"""The load: real requests, at random times that are the same in every run."""

import json
from itertools import pairwise

from loadtest.traffic import arrivals, load_payloads

PAYLOADS = load_payloads()


def test_every_payload_is_a_chat_request_and_names_the_model_and_seed_asked_for() -> None:
    for payload in PAYLOADS:
        body = json.loads(payload.body("sim/x", 7))
        assert (body["model"], body["seed"], bool(body.get("stream"))) == ("sim/x", 7, payload.stream)
        assert body["messages"]


def test_nothing_redacted_is_sent() -> None:
    assert not [payload.name for payload in PAYLOADS if "redacted" in str(payload.headers).lower()]


def test_streams_and_whole_answers_large_and_small_requests_are_mixed() -> None:
    drawn = [arrival.payload for arrival in arrivals(PAYLOADS, per_second=100, seconds=10, seed=1)]
    streams = sum(payload.stream for payload in drawn) / len(drawn)
    large = sum(len(payload.body("m", 0)) > 20_000 for payload in drawn) / len(drawn)
    assert 0.5 < streams < 0.9
    assert 0.2 < large < 0.7


def test_the_same_seed_gives_the_same_load() -> None:
    first, again, other = (list(arrivals(PAYLOADS, 50, 5, seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_arrivals_are_ordered_and_as_many_as_the_rate_says() -> None:
    load = list(arrivals(PAYLOADS, per_second=200, seconds=20, seed=3))
    assert 3_700 < len(load) < 4_300
    assert [arrival.number for arrival in load] == list(range(len(load)))
    assert all(earlier.due_seconds < later.due_seconds for earlier, later in pairwise(load))
    assert load[-1].due_seconds < 20
