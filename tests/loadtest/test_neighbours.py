"""Whose CPU time is whose."""

import os

from loadtest.neighbours import Watch, busy_seconds
from loadtest.procstat import TICKS_PER_SECOND, usage_of


def test_the_machine_has_been_at_least_as_busy_as_this_process() -> None:
    assert busy_seconds() >= usage_of(os.getpid()).cpu_seconds - 1 / TICKS_PER_SECOND


def test_the_share_of_others_is_a_share() -> None:
    assert 0.0 <= Watch().others_share() <= 1.0
