"""Locust itself, against the simulator: short, but the real thing."""

from pathlib import Path

import pytest

from loadtest.children import free_port, python, running
from loadtest.run import MODEL, SELLER, Plan, load

pytestmark = pytest.mark.long

PLAN = Plan(per_second=25.0, seconds=1.0, rounds=1, warm_up_seconds=0.4, users=40, seed=1)


def test_every_arrival_is_answered_and_measured(tmp_path: Path) -> None:
    port = free_port()
    command = python("gateway.simulator", "--provider", SELLER, "--port", str(port), "--pace", "0.2")
    with running("simulator", command, port, None, tmp_path) as simulator:
        samples = load(PLAN, 0, simulator, MODEL, tmp_path)
        unknown = load(PLAN, 0, simulator, "no-such-model", tmp_path)
    assert {sample.error for sample in samples} == {""}
    assert {sample.stream for sample in samples} == {sample.is_warm for sample in samples} == {True, False}
    assert [sample.number for sample in sorted(samples, key=lambda s: s.number)] == list(range(len(samples)))
    for sample in samples:
        assert (sample.first_token_ms is not None) == bool(sample.gaps_ms) == sample.stream
        assert sample.total_ms >= max(sample.first_token_ms or 0.0, sum(sample.gaps_ms) - 0.1)
    assert len(unknown) == len(samples)
    assert all(sample.error.startswith("status 404: ") for sample in unknown)
