"""Live estimates of latency: means, quantiles, decay."""

import math
import sys
from array import array

import numpy as np
import pytest

from core.latency import HALF_LIFE_SECONDS, LatencyBook


def book_of(seconds: list[float], now: float = 100.0) -> LatencyBook:
    book = LatencyBook(2)
    for value in seconds:
        book.observe(0, value, now)
    return book


def test_nothing_is_known_of_a_target_without_answers() -> None:
    book = book_of([1.0])
    assert book.samples(1) == 0
    assert math.isnan(book.mean(1))
    assert math.isnan(book.quantile(1, 0.5, 100.0))


def test_a_quantile_waits_for_twenty_samples() -> None:
    assert math.isnan(book_of([1.0] * 19).quantile(0, 0.5, 100.0))
    assert not math.isnan(book_of([1.0] * 20).quantile(0, 0.5, 100.0))


@pytest.mark.parametrize("scale", [0.0005, 0.02, 1.0, 30.0])
@pytest.mark.parametrize("q", [0.05, 0.5, 0.9, 0.99])
def test_a_quantile_is_within_half_a_bin(scale: float, q: float) -> None:
    seconds = scale * np.random.default_rng(3).lognormal(0.0, 0.6, 4_001)
    estimate = book_of(seconds.tolist()).quantile(0, q, 100.0)
    assert estimate == pytest.approx(float(np.quantile(seconds, q, method="inverted_cdf")), rel=0.05)


def test_quantiles_rise_with_q() -> None:
    book = book_of(np.random.default_rng(4).lognormal(0.0, 1.0, 500).tolist())
    quantiles = [book.quantile(0, q, 100.0) for q in np.linspace(0.01, 0.99, 50)]
    assert quantiles == sorted(quantiles)


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf, -math.inf])
def test_what_is_no_duration_is_not_recorded(seconds: float) -> None:
    book = book_of([2.0] * 20)
    before = (book.samples(0), book.mean(0), book.quantile(0, 0.5, 100.0))
    book.observe(0, seconds, 101.0)
    assert (book.samples(0), book.mean(0), book.quantile(0, 0.5, 100.0)) == before


@pytest.mark.parametrize(("seconds", "expected"), [(1e-9, 1e-4), (1e9, 600.0)])
def test_durations_beyond_the_bins_count_as_the_outermost(seconds: float, expected: float) -> None:
    assert book_of([seconds] * 20).quantile(0, 0.5, 100.0) == pytest.approx(expected, rel=0.1)


def test_the_last_minutes_outweigh_the_hour_before() -> None:
    book = book_of([1.0] * 1_000)
    later = 100.0 + 10 * HALF_LIFE_SECONDS  # what was there counts for 1,000 / 1,024
    for _ in range(20):
        book.observe(0, 8.0, later)
    assert book.quantile(0, 0.5, later) == pytest.approx(8.0, rel=0.05)


def test_old_answers_say_nothing_of_now() -> None:
    book = book_of([1.0] * 20)
    assert not math.isnan(book.quantile(0, 0.5, 100.0 + 4 * HALF_LIFE_SECONDS))
    assert math.isnan(book.quantile(0, 0.5, 100.0 + 5 * HALF_LIFE_SECONDS))


def test_the_mean_follows_a_change_within_some_answers_but_no_single_one() -> None:
    book = book_of([1.0] * 50 + [60.0])
    assert book.mean(0) < 1.6
    for _ in range(30):
        book.observe(0, 4.0, 100.0)
    assert book.mean(0) == pytest.approx(4.0, rel=0.1)


def test_another_book_s_knowledge_can_be_adopted() -> None:
    old, new = book_of([2.0] * 30), LatencyBook(5)
    new.adopt(3, old, 0)
    new.adopt(4, old, 1)
    assert new.samples(3) == 30
    assert new.mean(3) == old.mean(0)
    assert new.quantile(3, 0.5, 100.0) == old.quantile(0, 0.5, 100.0)
    assert new.samples(4) == 0
    new.observe(3, 2.0, 100.0)
    assert old.samples(0) == 30
    assert old.quantile(0, 0.5, 100.0) == pytest.approx(2.0, rel=0.05)


def test_what_counts_is_the_same_over_days_of_answers() -> None:
    book = LatencyBook(1)
    for hour in range(72):
        for _ in range(20):
            book.observe(0, 2.0 if hour % 2 else 0.5, hour * 3_600.0)
        assert book.quantile(0, 0.5, hour * 3_600.0) == pytest.approx(2.0 if hour % 2 else 0.5, rel=0.05)
        assert math.isnan(book.quantile(0, 0.5, hour * 3_600.0 + 5 * HALF_LIFE_SECONDS))
    assert book.samples(0) == 72 * 20


def test_two_thousand_targets_fit_in_two_megabytes() -> None:
    book = LatencyBook(2_000)
    for target in range(2_000):
        book.observe(target, 1.0, 0.0)
    arrays = [value for value in vars(book).values() if isinstance(value, array)]
    assert len(arrays) == 5
    total = sum(sys.getsizeof(held) for held in (*arrays, *book._bins.values()))
    assert total + sys.getsizeof(book._bins) < 2e6
