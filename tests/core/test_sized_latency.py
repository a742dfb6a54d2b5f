"""Latency by size of prompt: each size by its own answers, and by those of its neighbours while it has few."""

import math

import numpy as np
import pytest

from core.latency import HALF_LIFE_SECONDS
from core.sized_latency import NEAREST, PRIOR_SAMPLES, SIZES, SizedLatencyBook, size_of

NOW = 100.0
PRIOR = np.array([4.0, 9.0], np.float32)
SHORT, MIDDLE, LONG, LONGEST = range(SIZES)


def book_of(**seconds: list[float]) -> SizedLatencyBook:
    """Answers of target 0, by the name of their size."""
    book = SizedLatencyBook(2)
    for name, values in seconds.items():
        for value in values:
            book.observe(0, {"short": SHORT, "middle": MIDDLE, "long": LONG, "longest": LONGEST}[name], value, NOW)
    return book


def known(book: SizedLatencyBook, now: float = NOW) -> list[float]:
    """Of target 0, in each size."""
    return [float(book.blend(PRIOR, size, now)[0]) for size in range(SIZES)]


@pytest.mark.parametrize(
    ("tokens", "size"),
    [(0.0, SHORT), (999.0, SHORT), (1_000.0, MIDDLE), (7_999.0, MIDDLE), (8_000.0, LONG), (32_000.0, LONGEST)],
)
def test_a_prompt_has_the_size_of_its_tokens(tokens: float, size: int) -> None:
    assert size_of(tokens) == size


def test_each_size_begins_with_the_nearest() -> None:
    for size, nearest in enumerate(NEAREST):
        assert list(nearest) == sorted(range(SIZES), key=lambda other: (abs(other - size), -other))


def test_without_answers_every_size_is_as_was_expected() -> None:
    assert known(book_of()) == [4.0] * SIZES


def test_long_prompts_do_not_make_a_target_slow_for_short_ones() -> None:
    found = known(book_of(short=[0.5] * 200, longest=[20.0] * 200))
    assert found[SHORT] == pytest.approx(0.5, rel=0.1)
    assert found[LONGEST] == pytest.approx(20.0, rel=0.1)


def test_a_size_without_answers_borrows_the_more_the_nearer() -> None:
    found = known(book_of(short=[1.0] * 20))
    assert found == sorted(found)
    assert found[SHORT] < found[MIDDLE] < found[LONG] < found[LONGEST] < 4.0
    assert found[MIDDLE] == pytest.approx(2.0)  # 20 answers next door count as five here, as does what was expected


def test_a_few_answers_of_a_size_weigh_more_than_many_of_others() -> None:
    found = known(book_of(short=[0.2] * 10_000, longest=[8.0] * 20))
    assert found[LONGEST] > 3.0


def test_what_was_borrowed_is_forgotten_too() -> None:
    assert known(book_of(short=[1.0] * 20), NOW + 40 * HALF_LIFE_SECONDS) == pytest.approx([4.0] * SIZES)


def test_a_target_that_never_answered_keeps_exactly_what_was_expected() -> None:
    book = book_of(short=[1.0] * 20, long=[3.0] * 20)
    assert [float(book.blend(PRIOR, size, NOW)[1]) for size in range(SIZES)] == [9.0] * SIZES


def test_a_quantile_is_of_the_nearest_size_with_enough_answers() -> None:
    book = book_of(short=[1.0] * 60, long=[5.0] * 20, longest=[30.0] * 19)
    medians = [book.quantile(0, size, 0.5, NOW) for size in range(SIZES)]
    assert medians == pytest.approx([1.0, 5.0, 5.0, 5.0], rel=0.06)
    assert book.quantile(0, LONGEST, 0.5, NOW, least_samples=50) == pytest.approx(1.0, rel=0.06)
    assert math.isnan(book.quantile(1, SHORT, 0.5, NOW))
    assert math.isnan(book.quantile(0, SHORT, 0.5, NOW + 20 * HALF_LIFE_SECONDS))


def test_every_size_can_be_adopted() -> None:
    old, new = book_of(short=[1.0] * 30, longest=[9.0] * 30), SizedLatencyBook(2)
    new.adopt(0, old, 0)
    assert known(new) == known(old)


def test_a_target_s_figure_moves_from_what_was_expected_to_what_it_shows() -> None:
    seen = []
    book = book_of()
    for _ in range(60):
        seen.append(known(book)[LONG])
        book.observe(0, LONG, 1.0, NOW)
    assert seen[0] == 4.0
    assert seen == sorted(seen, reverse=True)
    assert seen[int(PRIOR_SAMPLES)] == pytest.approx(2.0)  # half way, in the logarithm
    assert seen[-1] < 1.15


def test_it_drifts_back_when_nobody_asks() -> None:
    book = book_of(short=[1.0] * 20)
    drifting = [known(book, NOW + minutes * 60.0)[SHORT] for minutes in range(60)]
    assert drifting == sorted(drifting)
    assert drifting[-1] == pytest.approx(4.0, rel=1e-3)


def test_a_blend_is_new_and_leaves_a_prior_of_nothing_alone() -> None:
    prior = np.array([4.0, 0.0], np.float32)
    book = book_of(short=[1.0] * 20)
    book.observe(1, SHORT, 0.5, NOW)
    blended = book.blend(prior, SHORT, NOW)
    assert blended.dtype == np.float32
    assert blended is not prior
    assert prior.tolist() == [4.0, 0.0]
    assert blended[1] == 0.0


def test_an_answer_reported_late_does_not_inflate_the_past() -> None:
    book = book_of()
    for _ in range(20):
        book.observe(0, SHORT, 1.0, 1_000.0)
    book.observe(0, SHORT, 1.0, 10.0)
    assert known(book, 1_000.0)[SHORT] >= 4.0 ** (PRIOR_SAMPLES / (PRIOR_SAMPLES + 21.0)) * 0.999


def test_a_target_may_be_idle_for_years() -> None:
    book = book_of(short=[1.0] * 20)
    years_later = NOW + 1e9
    assert known(book, years_later) == [4.0] * SIZES
    book.observe(0, SHORT, 1.0, years_later)
    share = 1 / (1 + PRIOR_SAMPLES)
    assert known(book, years_later)[SHORT] == pytest.approx(4.0 ** (1 - share))
