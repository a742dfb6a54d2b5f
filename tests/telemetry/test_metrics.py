"""What Prometheus is told: the outcomes of requests, and nothing that a caller wrote."""

import pytest

from gateway.telemetry.metrics import GAUGES, Family, Metrics, Tally, written
from tests.running import Gateway


def value(text: str, series: str) -> float:
    return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.rpartition(" ")[0] == series)


def test_a_family_is_written_as_the_format_wants_it() -> None:
    family = Family("x_total", "counter", ("a", "b"), "Of it.")
    assert written(family, {('q"\\\n', "2"): 3, ("0", "1"): 4}) == (
        '# HELP x_total Of it.\n# TYPE x_total counter\nx_total{a="0",b="1"} 4\nx_total{a="q\\"\\\\\\n",b="2"} 3\n'
    )


def test_a_reading_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="process_open_fds"):
        Metrics(Tally(), {name: float for name in GAUGES if name != "process_open_fds"})


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
