"""How `steelyard explain` puts what a decision holds."""

import pytest

from gateway.cli.explain import change, show
from gateway.routing.explain import record
from gateway.routing.flips import Tipping
from tests.routing.test_near_ties import ACME, decided, live


@pytest.mark.parametrize(("explore", "is_told"), [(1.0, True), (0.0, False)])
def test_an_explored_winner_is_told_as_one(explore: float, is_told: bool, capsys: pytest.CaptureFixture[str]) -> None:
    show(record(decided(live(calls={ACME: 0.0}), 0.0, explore=explore)), 5, as_json=False)
    assert ("explored: nobody has asked the winner of late" in capsys.readouterr().out) == is_told


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (Tipping(0.6773, 0.6766, "", "a@b"), "0.6773 to 0.6766"),
        (Tipping(0.0228, 0.0324, "USD", "a@b"), "$0.0228 to $0.0324"),
    ],
)
def test_where_a_figure_tips_is_told_in_as_many_digits_as_it_takes(one: Tipping, told: str) -> None:
    assert change(one) == told


def test_what_figures_rest_on_is_shown_when_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    shown = record(decided(live(calls={ACME: 15.0}), 0.0))
    show(shown, 5, as_json=False, with_grounds=True)
    out = capsys.readouterr().out
    assert "measured 0.83" in out
    assert "assumed 0.43" in out
    show(shown, 5, as_json=False)
    assert "measured 0.83" not in capsys.readouterr().out
