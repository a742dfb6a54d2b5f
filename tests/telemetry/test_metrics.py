"""What Prometheus is told: the outcomes of requests, and nothing that a caller wrote."""

from collections import Counter

import pytest

from gateway.telemetry.metrics import GAUGES, REQUESTS, Figures, Metrics, Tally, text_of, written
from tests.running import Gateway


def value(text: str, series: str) -> float:
    return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.rpartition(" ")[0] == series)


def test_samples_are_written_as_the_format_wants_it_with_the_worker_where_there_are_several() -> None:
    assert written("x_total", {"a": 'q"\\\n', "b": "2"}, 3) == 'x_total{a="q\\"\\\\\\n",b="2"} 3\n'
    one: Figures = {REQUESTS.name: [(("ok",), 4.0)]}
    other: Figures = {REQUESTS.name: [(("ok",), 5.0)]}
    assert 'steelyard_requests_total{outcome="ok"} 4.0\n' in text_of({0: one})
    both = text_of({1: other, 0: one})
    assert both.count("# TYPE steelyard_requests_total counter") == 1
    assert (
        'steelyard_requests_total{worker="0",outcome="ok"} 4.0\nsteelyard_requests_total{worker="1",outcome="ok"} 5.0\n'
    ) in both


def test_a_reading_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="process_open_fds"):
        Metrics(Tally(), {name: float for name in GAUGES if name != "process_open_fds"}, Counter())


def test_a_running_server_tells_what_it_did(keyless: Gateway) -> None:
    series = 'steelyard_requests_total{outcome="ok"}'
    keyless.chat()
    before = value(keyless.http.get("/metrics").text, series)
    assert keyless.chat().status_code == 200
    answer = keyless.http.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert value(answer.text, series) == before + 1
    assert value(answer.text, "steelyard_requests_in_flight") == 0
    assert value(answer.text, "steelyard_retries_left") > 1
    assert value(answer.text, "process_open_fds") > 3
    assert value(answer.text, "process_resident_memory_bytes") > 2**20


def test_no_words_of_callers_become_series(keyless: Gateway) -> None:
    keyless.chat()
    keyless.chat(model="made/up-0")
    known = keyless.http.get("/metrics").text.count("\n")
    for number in range(50):
        keyless.chat(model=f"made/up-{number}")
    text = keyless.http.get("/metrics").text
    assert "made" not in text
    assert text.count("\n") == known
