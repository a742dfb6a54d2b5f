"""The scorer's behaviour, on both twins: figures, curves, limits with their reasons, order."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from core import _scorer_cy, _scorer_np
from core.decision import STREAM_WRITING_SHARE, Reason
from core.dimensions import DIMENSIONS
from core.matrix import F32, CatalogMatrix, LiveFigures, PolicyVector, RequestFigures

ROOT = Path(__file__).parents[2]
COST, LATENCY, QUALITY, AVAILABILITY, CARBON = range(5)


@pytest.fixture(params=[_scorer_np, _scorer_cy], ids=["numpy", "cython"])
def scorer(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


def row(*values: float) -> F32:
    return np.array(values, np.float32)


def column(values: list[float], n: int) -> F32:
    return np.repeat(np.array(values, np.float32)[:, None], n, axis=1)


def matrix(n: int = 1) -> CatalogMatrix:
    """`n` equal targets: 1 USD per million input tokens, 0.1 cached, 4 output; 100,000 tokens of window."""
    return CatalogMatrix(
        price=column([1e-6, 1e-7, 4e-6, 0.002, 0.0], n),
        tier_from=np.full(n, np.inf, np.float32),
        tier_price=column([2e-6, 2e-7, 8e-6], n),
        write_surcharge=np.full(n, 0.25, np.float32),
        output_ratio=np.ones(n, np.float32),
        token_ratio=np.ones(n, np.float32),
        quality=column([0.8, 0.6], n),
        carbon=column([1e-5, 1e-6, 1e-4], n),
        window=np.full(n, 100_000, np.float32),
        input_limit=np.full(n, 90_000, np.float32),
        output_limit=np.full(n, 8_000, np.float32),
        abilities=np.full(n, 7, np.uint32),
        known=np.full(n, 31, np.uint8),
        priced=np.ones(n, np.uint8),
    )


def live(n: int = 1) -> LiveFigures:
    return LiveFigures(
        first_token_seconds=np.full(n, 0.5, np.float32),
        seconds_per_output_token=np.full(n, 0.01, np.float32),
        availability=np.full(n, 0.99, np.float32),
        out=np.zeros(n, np.uint8),
        load=np.zeros(n, np.float32),
        calls=np.zeros(n, np.float32),
    )


REQUEST = RequestFigures(
    input_tokens=1_000.0,
    warm=(),
    output_tokens=500.0,
    max_output_tokens=0.0,
    images=0.0,
    task=0,
    needs=0,
    stream=False,
)
POLICY = PolicyVector(
    weights=row(0.2, 0.2, 0.2, 0.2, 0.2),
    good=row(*(dimension.good for dimension in DIMENSIONS)),
    bad=row(*(dimension.bad for dimension in DIMENSIONS)),
    max_cost_usd=np.inf,
    max_latency_seconds=np.inf,
    max_first_token_seconds=np.inf,
    min_quality=0.0,
    max_carbon_g=np.inf,
    min_availability=0.5,
)
ALL = np.ones(1, np.uint8)


def figures_of(scorer: ModuleType, matrix: CatalogMatrix, request: RequestFigures = REQUEST) -> list[float]:
    figures: list[list[float]] = scorer.Scorer(matrix).table(live(), request, POLICY, ALL).figures.tolist()
    return [figure for (figure,) in figures]


def test_the_chosen_twin_is_the_one_that_is_asked_for() -> None:
    script = "from core import scorer; print(scorer.IMPLEMENTATION, scorer.rank.__module__)"
    for pure, expected in (("", "cython core._scorer_cy"), ("1", "numpy core._scorer_np")):
        environment = {**os.environ, "STEELYARD_PURE": pure}
        answer = subprocess.run(
            [sys.executable, "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True
        )
        assert answer.stdout.strip() == expected, answer.stderr


def test_a_missing_extension_is_an_error_that_names_the_way_out(tmp_path: Path) -> None:
    sources = tmp_path / "core"
    sources.mkdir()
    for source in (ROOT / "core").glob("*.py"):
        (sources / source.name).write_text(source.read_text())
    environment = {**os.environ, "STEELYARD_PURE": "", "PYTHONPATH": str(tmp_path)}
    answer = subprocess.run(
        [sys.executable, "-P", "-c", "import core.scorer"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 1
    assert "make build" in answer.stderr


# --- figures ----------------------------------------------------------------------------------------------------------


def test_cost_is_fresh_and_cached_input_and_output_and_images_and_the_request(scorer: ModuleType) -> None:
    request = REQUEST._replace(warm=((0, 400.0),), images=3.0)
    priced = matrix()._replace(price=column([1e-6, 1e-7, 4e-6, 0.002, 0.01], 1))
    expected = 600 * 1e-6 + 400 * 1e-7 + 500 * 4e-6 + 3 * 0.002 + 0.01
    assert figures_of(scorer, priced, request)[COST] == pytest.approx(expected, rel=1e-6)


def test_tier_prices_apply_to_the_whole_request_above_the_threshold_only(scorer: ModuleType) -> None:
    tiered = matrix()._replace(tier_from=row(1_000))
    at_threshold = figures_of(scorer, tiered)[COST]
    above = figures_of(scorer, tiered, REQUEST._replace(input_tokens=1_001.0))[COST]
    assert at_threshold == pytest.approx(0.001 + 0.002, rel=1e-6)
    assert above == pytest.approx(1_001 * 2e-6 + 500 * 8e-6, rel=1e-6)


def test_a_target_counts_tokens_its_own_way(scorer: ModuleType) -> None:
    verbose = matrix()._replace(token_ratio=row(1.5), output_ratio=row(3.0))
    assert figures_of(scorer, verbose)[COST] == pytest.approx(1_500 * 1e-6 + 1_500 * 4e-6, rel=1e-6)


@pytest.mark.parametrize(
    ("stated", "output_limit", "expected"), [(0.0, 8_000, 500), (200.0, 8_000, 200), (0.0, 100, 100)]
)
def test_expected_output_stays_under_both_limits(
    scorer: ModuleType, stated: float, output_limit: float, expected: float
) -> None:
    limited = matrix()._replace(output_limit=row(output_limit))
    figures = figures_of(scorer, limited, REQUEST._replace(max_output_tokens=stated))
    assert figures[LATENCY] == pytest.approx(0.5 + expected * 0.01, rel=1e-6)


def test_a_stream_feels_a_share_of_the_writing_time(scorer: ModuleType) -> None:
    assert figures_of(scorer, matrix())[LATENCY] == pytest.approx(0.5 + 5.0, rel=1e-6)
    streamed = figures_of(scorer, matrix(), REQUEST._replace(stream=True))
    assert streamed[LATENCY] == pytest.approx(0.5 + STREAM_WRITING_SHARE * 5.0, rel=1e-6)


def test_quality_is_that_of_the_task_and_availability_that_of_now(scorer: ModuleType) -> None:
    figures = figures_of(scorer, matrix(), REQUEST._replace(task=1))
    assert figures[QUALITY] == pytest.approx(0.6)
    assert figures[AVAILABILITY] == pytest.approx(0.99)


def test_carbon_counts_fresh_cached_and_output_tokens(scorer: ModuleType) -> None:
    figures = figures_of(scorer, matrix(), REQUEST._replace(warm=((0, 400.0),)))
    assert figures[CARBON] == pytest.approx(600 * 1e-5 + 400 * 1e-6 + 500 * 1e-4, rel=1e-6)


# --- curves -----------------------------------------------------------------------------------------------------------


def test_utility_is_one_at_good_and_beyond_and_zero_at_bad_and_beyond(scorer: ModuleType) -> None:
    ends = row(0.05, 0.1, 1.0, 10.0, 100.0)  # seconds; good is 0.1, bad is 10
    n = len(ends)
    policy = POLICY._replace(good=row(1e-5, 0.1, 0.95, 1.0, 0.001), bad=row(0.3, 10.0, 0.3, 0.5, 10.0))
    at_once = live(n)._replace(first_token_seconds=ends, seconds_per_output_token=np.zeros(n, np.float32))
    table = scorer.Scorer(matrix(n)).table(at_once, REQUEST, policy, np.ones(n, np.uint8))
    assert table.utility[LATENCY] == pytest.approx([1.0, 1.0, 0.5, 0.0, 0.0], abs=1e-6)


def test_what_costs_nothing_is_worth_one(scorer: ModuleType) -> None:
    free = matrix()._replace(price=column([0, 0, 0, 0, 0], 1))
    assert scorer.Scorer(free).table(live(), REQUEST, POLICY, ALL).utility[COST, 0] == 1.0


@pytest.mark.parametrize(("good", "bad"), [(1e-15, 1e15), (0.001, 60.0), (0.999, 1.001), (1.0, 1e4)])
def test_log_curves_stay_within_half_a_millionth_of_exact_arithmetic(good: float, bad: float) -> None:
    """Covers the compiled twin's own logarithm: all octaves between the anchors, and close to 1 where ln x is small."""
    n = 50_000
    rng = np.random.default_rng(11)
    seconds = np.exp(rng.uniform(np.log(good), np.log(bad), n)).astype(np.float32)
    policy = POLICY._replace(good=row(1e-5, good, 0.95, 1.0, 0.001), bad=row(0.3, bad, 0.3, 0.5, 10.0))
    at_once = live(n)._replace(first_token_seconds=seconds, seconds_per_output_token=np.zeros(n, np.float32))
    utility = _scorer_cy.Scorer(matrix(n)).table(at_once, REQUEST, policy, np.ones(n, np.uint8)).utility[LATENCY]
    good32, bad32 = (float(anchor[LATENCY]) for anchor in (policy.good, policy.bad))
    exact = np.log(seconds.astype(np.float64) / bad32) / np.log(good32 / bad32)
    # The quotient figure / bad is rounded to float32 before its logarithm: narrow anchors magnify that.
    rounding = 2.0**-24 / np.log(bad32 / good32)
    assert np.abs(utility - np.clip(exact, 0, 1)).max() < 5e-7 + rounding


def test_quality_is_the_mean_over_the_tasks_that_it_may_be(scorer: ModuleType) -> None:
    assert figures_of(scorer, matrix(), REQUEST._replace(blend=((0, 0.75), (1, 0.25))))[QUALITY] == pytest.approx(0.75)


def test_what_is_harder_than_usual_has_lower_odds_of_a_good_answer(scorer: ModuleType) -> None:
    """Odds of 0.8 are 4 to 1; half of that is 2 to 1."""
    assert figures_of(scorer, matrix(), REQUEST._replace(odds=0.5))[QUALITY] == pytest.approx(2 / 3)


@pytest.mark.parametrize("blend", [((2, 1.0),), ((-1, 1.0),), ((0, 0.05),) * 17])
def test_a_blend_of_tasks_that_are_not_there_is_refused(
    scorer: ModuleType, blend: tuple[tuple[int, float], ...]
) -> None:
    with pytest.raises(ValueError, match="blend"):
        figures_of(scorer, matrix(), REQUEST._replace(blend=blend))


def test_in_money_a_score_is_what_quality_is_worth_less_the_price_and_all_else(scorer: ModuleType) -> None:
    """At 1 cent a point of quality, 0.2 cents a second, 10 USD an attempt lost and 0.5 USD a kilogram."""
    worths = row(1.0, 0.002, 1.0, 10.0, 0.0005)
    table = scorer.Scorer(matrix()).table(live(), REQUEST, POLICY._replace(weights=worths, in_money=True), ALL)
    cost, seconds, quality, availability, grams = table.figures[:, 0].tolist()
    assert table.utility[:, 0].tolist() == pytest.approx([-cost, -seconds, quality, availability - 1, -grams])
    worth = quality - cost - 0.002 * seconds - 10.0 * (1 - availability) - 0.0005 * grams
    assert table.score[0] == pytest.approx(worth, rel=1e-5)


@pytest.mark.parametrize(
    ("good", "bad", "named"),
    [
        (row(0.3, 0.3, 0.95, 1.0, 0.001), POLICY.bad, "cost"),
        (row(0.0, 0.3, 0.95, 1.0, 0.001), POLICY.bad, "cost"),
        (row(1e-5, 99.0, 0.95, 1.0, 0.001), POLICY.bad, "latency"),
        (row(1e-5, 0.3, 0.1, 1.0, 0.001), POLICY.bad, "quality"),
    ],
)
def test_anchors_that_make_no_curve_are_refused_by_name(scorer: ModuleType, good: F32, bad: F32, named: str) -> None:
    with pytest.raises(ValueError, match=f"policy: {named} has anchors"):
        scorer.Scorer(matrix()).decide(live(), REQUEST, POLICY._replace(good=good, bad=bad), ALL, 1)


# --- limits -----------------------------------------------------------------------------------------------------------

Change = Callable[[CatalogMatrix, RequestFigures, PolicyVector], tuple[CatalogMatrix, RequestFigures, PolicyVector]]

BREACHES: list[tuple[Reason, Change]] = [
    (Reason.ABILITY, lambda m, r, p: (m, r._replace(needs=8), p)),
    (Reason.WINDOW, lambda m, r, p: (m, r._replace(input_tokens=90_001.0), p)),
    (Reason.WINDOW, lambda m, r, p: (m._replace(window=row(1_499)), r, p)),
    (Reason.WINDOW, lambda m, r, p: (m._replace(window=row(4_999)), r._replace(max_output_tokens=4_000.0), p)),
    (Reason.OUTPUT_LIMIT, lambda m, r, p: (m, r._replace(max_output_tokens=8_001.0), p)),
    (Reason.UNPRICED, lambda m, r, p: (m._replace(priced=np.zeros(1, np.uint8)), r, p._replace(max_cost_usd=9.0))),
    (Reason.COST, lambda m, r, p: (m, r, p._replace(max_cost_usd=0.0029))),
    (Reason.LATENCY, lambda m, r, p: (m, r._replace(stream=True), p._replace(max_latency_seconds=5.4))),
    (Reason.FIRST_TOKEN, lambda m, r, p: (m, r, p._replace(max_first_token_seconds=0.4))),
    (Reason.QUALITY, lambda m, r, p: (m, r, p._replace(min_quality=0.81))),
    (Reason.CARBON, lambda m, r, p: (m, r, p._replace(max_carbon_g=0.05))),
]


@pytest.mark.parametrize(("reason", "change"), BREACHES, ids=[reason.name.lower() for reason, _ in BREACHES])
def test_each_limit_rules_out_with_its_own_reason(scorer: ModuleType, reason: Reason, change: Change) -> None:
    changed, request, policy = change(matrix(), REQUEST, POLICY)
    weighing = scorer.Scorer(changed)
    assert Reason(weighing.table(live(), request, policy, ALL).reason[0]) is reason
    assert weighing.decide(live(), request, policy, ALL, 1).columns == []


def test_limits_that_are_just_met_rule_nothing_out(scorer: ModuleType) -> None:
    policy = POLICY._replace(max_latency_seconds=5.5, max_first_token_seconds=0.5, min_quality=0.8)
    request = REQUEST._replace(max_output_tokens=8_000.0, needs=7)
    exact = matrix()._replace(window=row(9_000), input_limit=row(1_000))
    assert scorer.Scorer(exact).table(live(), request, policy, ALL).reason.tolist() == [Reason.ELIGIBLE]


def test_a_target_without_a_price_competes_where_cost_has_no_limit(scorer: ModuleType) -> None:
    unpriced = matrix()._replace(priced=np.zeros(1, np.uint8))
    assert scorer.Scorer(unpriced).decide(live(), REQUEST, POLICY, ALL, 1).columns == [0]


def test_the_first_reason_in_order_is_the_one_recorded(scorer: ModuleType) -> None:
    """Breaks every limit at once, then mends them one by one."""
    changed = matrix()._replace(priced=np.zeros(1, np.uint8), window=row(100))
    request = REQUEST._replace(needs=8, max_output_tokens=9_000.0)
    policy = POLICY._replace(
        max_cost_usd=1e-4, max_latency_seconds=1.0, max_first_token_seconds=0.1, min_quality=0.9, max_carbon_g=0.001
    )
    allowed = np.zeros(1, np.uint8)
    seen = []

    def record() -> None:
        seen.append(Reason(scorer.Scorer(changed).table(live(), request, policy, allowed).reason[0]))

    record()
    allowed = np.ones(1, np.uint8)
    record()
    request = request._replace(needs=0)
    record()
    changed = changed._replace(window=row(1e6))
    record()
    request = request._replace(max_output_tokens=0.0)
    record()
    changed = changed._replace(priced=np.ones(1, np.uint8))
    record()
    policy = policy._replace(max_cost_usd=np.inf)
    record()
    policy = policy._replace(max_latency_seconds=np.inf)
    record()
    policy = policy._replace(max_first_token_seconds=np.inf)
    record()
    policy = policy._replace(min_quality=0.0)
    record()
    policy = policy._replace(max_carbon_g=np.inf)
    record()
    assert seen == [*list(Reason)[1:], Reason.ELIGIBLE]


# --- order ------------------------------------------------------------------------------------------------------------


def test_equal_targets_keep_their_order(scorer: ModuleType) -> None:
    assert scorer.Scorer(matrix(6)).decide(live(6), REQUEST, POLICY, np.ones(6, np.uint8), 4).columns == [0, 1, 2, 3]


def test_last_resorts_come_after_all_others_however_good(scorer: ModuleType) -> None:
    n = 4
    health = live(n)._replace(
        availability=row(1.0, 0.49, 0.5, 0.6), out=np.array([1, 0, 0, 0], np.uint8), first_token_seconds=row(1, 1, 9, 9)
    )
    ranking = scorer.Scorer(matrix(n)).decide(health, REQUEST, POLICY, np.ones(n, np.uint8), 8)
    assert ranking.columns == [3, 2, 0, 1]
    assert ranking.normal == 2


def test_a_target_that_is_ruled_out_is_no_last_resort(scorer: ModuleType) -> None:
    health = live(2)._replace(out=np.ones(2, np.uint8))
    ranking = scorer.Scorer(matrix(2)).decide(health, REQUEST, POLICY, np.array([0, 1], np.uint8), 8)
    assert ranking.columns == [1]
    assert ranking.normal == 0


def test_a_catalog_without_targets_has_no_ranking(scorer: ModuleType) -> None:
    ranking = scorer.Scorer(matrix(0)).decide(live(0), REQUEST, POLICY, np.ones(0, np.uint8), 3)
    assert ranking == ([], [], 0, {}, {})


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (0.05880134925246239, 0.0588013),
        (float(np.float32(0.15)), 0.15),
        (-2 / 3, -0.666667),
        (1234567.0, 1234570.0),
        (123456.5, 123456.0),  # a tie goes to the even neighbour
        (999999.5, 1e6),
        (9.99999e-7, 9.99999e-7),
        (1e-45, 1e-45),
        (0.0, 0.0),
        (np.inf, np.inf),
    ],
)
def test_numbers_for_people_have_six_significant_digits(scorer: ModuleType, x: float, expected: float) -> None:
    assert scorer.significant(x) == pytest.approx(expected, rel=1e-15, abs=0)


def test_rank_returns_fewer_when_fewer_are_eligible(scorer: ModuleType) -> None:
    utility = np.tile(row(0.1, 0.3, 0.2), (5, 1))
    columns, scores = scorer.rank(utility, row(0.2, 0.2, 0.2, 0.2, 0.2), np.array([1, 0, 1], np.uint8), 3)
    assert columns == [2, 0]
    assert scores == pytest.approx([0.2, 0.1])


# --- wrong arguments --------------------------------------------------------------------------------------------------


def test_shapes_that_do_not_fit_are_refused(scorer: ModuleType) -> None:
    utility, weights, eligible = np.zeros((5, 3), np.float32), POLICY.weights, np.ones(3, np.uint8)
    for wrong in ((utility, weights[:4], eligible), (utility, weights, eligible[:2]), (utility[:4], weights, eligible)):
        with pytest.raises(ValueError, match="rank: utility must be"):
            scorer.rank(*wrong, 2)
    weighing = scorer.Scorer(matrix(3))
    with pytest.raises(ValueError, match="each of the 3 targets"):
        weighing.decide(live(2), REQUEST, POLICY, eligible, 1)
    with pytest.raises(ValueError, match="each of the 3 targets"):
        weighing.decide(live(3), REQUEST, POLICY, np.ones(2, np.uint8), 1)
    with pytest.raises(ValueError, match="weights, good and bad have shape"):
        weighing.decide(live(3), REQUEST, POLICY._replace(weights=row(1.0)), eligible, 1)


@pytest.mark.parametrize("k", [0, -1, 65])
def test_rank_names_the_range_of_k(scorer: ModuleType, k: int) -> None:
    with pytest.raises(ValueError, match=f"rank: k is {k}; it is 1 to 64"):
        scorer.rank(np.zeros((5, 1), np.float32), POLICY.weights, ALL, k)


@pytest.mark.parametrize("task", [-1, 2])
def test_a_task_outside_the_matrix_is_refused(scorer: ModuleType, task: int) -> None:
    with pytest.raises(ValueError, match=f"task is {task}; the matrix has 2 tasks"):
        scorer.Scorer(matrix()).decide(live(), REQUEST._replace(task=task), POLICY, ALL, 1)


def test_a_scorer_works_on_after_refusing_arguments(scorer: ModuleType) -> None:
    weighing = scorer.Scorer(matrix(2))
    two = np.ones(2, np.uint8)
    before = weighing.decide(live(2), REQUEST, POLICY, two, 2)
    with pytest.raises(ValueError, match="2 targets"):
        weighing.decide(live(1), REQUEST, POLICY, two, 2)
    with pytest.raises(ValueError, match="2 targets"):
        weighing.decide(live(2), REQUEST, POLICY, ALL, 2)
    with pytest.raises(ValueError, match="k is 0"):
        weighing.decide(live(2), REQUEST, POLICY, two, 0)
    assert weighing.decide(live(2), REQUEST, POLICY, two, 2) == before
