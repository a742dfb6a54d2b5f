"""`steelyard explain` says so when a winner was asked to learn of it."""

import pytest

from gateway.cli.explain import show
from gateway.routing.explain import record
from tests.routing.test_near_ties import ACME, decided, live


@pytest.mark.parametrize(("explore", "is_told"), [(1.0, True), (0.0, False)])
def test_an_explored_winner_is_told_as_one(explore: float, is_told: bool, capsys: pytest.CaptureFixture[str]) -> None:
    show(record(decided(live(calls={ACME: 0.0}), 0.0, explore=explore)), 5, as_json=False)
    assert ("explored: nobody has asked the winner of late" in capsys.readouterr().out) == is_told
