"""How busy targets are, as decisions see it."""

import pytest

from gateway.catalog.columns import Targets
from gateway.execution.concurrency import FORGOTTEN
from gateway.execution.health import VIEW_SECONDS, Health
from gateway.providers.faults import FaultKind
from tests.execution.test_health import NOW, fault, health_of, targets_of


def load(health: Health, now: float) -> list[float]:
    return [float(share) for share in health.view(now).load]


def test_nobody_is_busy_at_first() -> None:
    assert load(health_of(), NOW) == [0.0, 0.0, 0.0]


def test_requests_under_way_load_all_targets_of_their_provider() -> None:
    health = health_of()  # a/one@cloud, a/one@other, a/two@cloud
    for _ in range(10):
        health.take_key(0, NOW)
    assert load(health, NOW) == pytest.approx([10 / FORGOTTEN, 0.0, 10 / FORGOTTEN])
    for _ in range(10):
        health.answered(0, NOW, None, None)
    assert load(health, NOW + VIEW_SECONDS) == [0.0, 0.0, 0.0]


def test_load_is_relative_to_what_a_provider_is_seen_to_take() -> None:
    health = health_of()
    for _ in range(10):
        health.take_key(0, NOW)
    health.failed(0, NOW, fault(FaultKind.OVERLOADED))
    assert load(health, NOW)[0] == pytest.approx(9 / 8)


def test_keys_are_counted_together() -> None:
    targets: Targets = targets_of("a/one@cloud")
    health = Health(targets, {"cloud": 2})
    for _ in range(6):
        health.take_key(0, NOW)
    assert load(health, NOW) == pytest.approx([6 / (2 * FORGOTTEN)])


def test_recent_calls_are_counted_and_forgotten() -> None:
    health = health_of()
    for _ in range(4):
        health.answered(0, NOW, 0.5, 0.01)
    health.failed(0, NOW, fault(FaultKind.SERVER_ERROR))
    assert health.view(NOW).calls.tolist() == [5.0, 0.0, 0.0]
    assert health.view(NOW + 300.0).calls[0] == pytest.approx(2.5)
