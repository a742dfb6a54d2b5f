import pytest

from gateway.execution.breaker import FIRST_OPEN_SECONDS, LONGEST_OPEN_SECONDS, TRANSITIONS, Breaker, Signal, State


def tripped(now: float = 100.0) -> Breaker:
    breaker = Breaker()
    for _ in range(5):
        breaker.failed(now)
    return breaker


def test_five_failures_in_a_row_open_it() -> None:
    breaker = Breaker()
    for failures in range(1, 5):
        breaker.failed(100.0)
        assert breaker.admits(100.0), f"open after {failures}"
    breaker.failed(100.0)
    assert not breaker.admits(100.0)


def test_half_of_ten_calls_failing_opens_it_though_never_five_in_a_row() -> None:
    breaker = Breaker()
    for _ in range(5):
        breaker.succeeded(100.0)
        breaker.failed(100.0)
    assert breaker.state is State.OPEN


def test_failures_that_lie_further_apart_than_the_window_do_not_add_up() -> None:
    breaker = Breaker()
    for step in range(20):
        breaker.failed(100.0 + 11.0 * step)
        breaker.succeeded(100.0 + 11.0 * step)
    assert breaker.state is State.CLOSED


def test_after_cooling_one_probe_passes_and_the_next_waits() -> None:
    breaker = tripped(100.0)
    later = 100.0 + FIRST_OPEN_SECONDS
    assert [breaker.admits(later - 0.1), breaker.admits(later), breaker.admits(later)] == [False, True, False]


def test_asking_whether_it_is_out_never_takes_the_probe() -> None:
    breaker = tripped(100.0)
    later = 100.0 + FIRST_OPEN_SECONDS
    assert [breaker.is_out(later) for _ in range(3)] == [False, False, False]
    assert breaker.admits(later)


def test_a_good_probe_closes_it() -> None:
    breaker = tripped(100.0)
    assert breaker.admits(106.0)
    breaker.succeeded(106.0)
    assert [breaker.admits(106.0) for _ in range(3)] == [True, True, True]


def test_each_bad_probe_doubles_the_wait_up_to_the_longest() -> None:
    breaker, now = tripped(100.0), 100.0
    for wait in (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, *[LONGEST_OPEN_SECONDS] * 3):
        assert not breaker.admits(now + wait - 0.1)
        now += wait
        assert breaker.admits(now)
        breaker.failed(now)


def test_a_probe_that_never_reports_back_frees_its_place() -> None:
    breaker = tripped(100.0)
    assert breaker.admits(106.0)
    assert not breaker.admits(135.0)
    assert breaker.admits(137.0)


@pytest.mark.parametrize("state", State)
def test_illegal_moves_have_no_entry(state: State) -> None:
    legal = set(TRANSITIONS[state])
    assert legal == ({Signal.SUCCESS, Signal.TRIP} | ({Signal.COOLED} if state is State.OPEN else set()))
