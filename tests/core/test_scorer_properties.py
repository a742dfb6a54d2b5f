"""What holds of every decision, over random catalogs of 1 to 300 targets, on both twins."""

from collections import Counter
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core import _scorer_cy, _scorer_np
from core.decision import TOLD, DecisionTable, Ranking, Reason, parts_of
from core.matrix import F32, CatalogMatrix, LiveFigures
from loadtest.random_catalog import Situation, random_situation, spread

COST, LATENCY, QUALITY, AVAILABILITY, CARBON = range(5)
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def situations(draw: st.DrawFn, most: int = 300) -> Situation:
    """The sizes and the switches are hypothesis's to shrink, the figures a seed's."""
    situation = random_situation(draw(st.integers(1, most)), draw(SEEDS), limited=draw(st.booleans()))
    policy = situation.policy
    anchors = draw(st.sampled_from(["default", "narrow", "none, in money"]))
    if anchors == "none, in money":
        situation = situation._replace(policy=policy._replace(in_money=True))
    if anchors == "narrow":
        middle = np.sqrt(policy.good * policy.bad)
        situation = situation._replace(policy=policy._replace(good=(middle + (policy.good - middle) * 0.01)))
    return situation


@pytest.fixture(params=[_scorer_np, _scorer_cy], ids=["numpy", "cython"], scope="module")
def scorer(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


def decide(scorer: ModuleType, situation: Situation, k: int) -> Ranking:
    ranking: Ranking = scorer.Scorer(situation.matrix).decide(*situation[1:], k)
    return ranking


def table(scorer: ModuleType, situation: Situation) -> DecisionTable:
    result: DecisionTable = scorer.Scorer(situation.matrix).table(*situation[1:])
    return result


def select(situation: Situation, columns: list[int]) -> Situation:
    """The same situation with these targets only."""

    def kept(array: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(array[..., columns])

    warm = tuple((columns.index(column), tokens) for column, tokens in situation.request.warm if column in columns)
    return situation._replace(
        matrix=CatalogMatrix._make(kept(array) for array in situation.matrix),
        live=LiveFigures._make(kept(array) for array in situation.live),
        request=situation.request._replace(warm=warm),
        allowed=kept(situation.allowed),
    )


def improve(situation: Situation, dimension: int, target: int, factor: float) -> Situation:
    """The same situation with `target` better in one figure: cheaper, faster, better, more available, greener."""
    matrix, live = situation.matrix, situation.live
    if dimension == COST:
        price, tier_price = matrix.price.copy(), matrix.tier_price.copy()
        price[:, target] *= factor
        tier_price[:, target] *= factor
        matrix = matrix._replace(price=price, tier_price=tier_price)
    elif dimension == LATENCY:
        first_token, per_token = live.first_token_seconds.copy(), live.seconds_per_output_token.copy()
        first_token[target] *= factor
        per_token[target] *= factor
        live = live._replace(first_token_seconds=first_token, seconds_per_output_token=per_token)
    elif dimension == QUALITY:
        quality = matrix.quality.copy()
        quality[:, target] = 1 - (1 - quality[:, target]) * factor
        matrix = matrix._replace(quality=quality)
    elif dimension == AVAILABILITY:
        availability = live.availability.copy()
        availability[target] = 1 - (1 - availability[target]) * factor
        live = live._replace(availability=availability)
    else:
        carbon = matrix.carbon.copy()
        carbon[:, target] *= factor
        matrix = matrix._replace(carbon=carbon)
    return situation._replace(matrix=matrix, live=live)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(situations(), st.integers(0, 4), st.integers(0, 299), st.floats(1 / 64, 1.0))
def test_a_target_that_gets_better_never_ranks_lower(
    scorer: ModuleType, situation: Situation, dimension: int, target: int, factor: float
) -> None:
    n = len(situation.allowed)
    target %= n
    before = decide(scorer, situation, n).columns
    after = decide(scorer, improve(situation, dimension, target, factor), n).columns
    if target in before:
        assert after.index(target) <= before.index(target)


@settings(max_examples=100)
@given(situations(most=120), st.data())
def test_leaving_targets_out_never_reorders_the_rest(
    scorer: ModuleType, situation: Situation, data: st.DataObject
) -> None:
    n = len(situation.allowed)
    kept = sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=1)))
    whole = decide(scorer, situation, n).columns
    part = [kept[column] for column in decide(scorer, select(situation, kept), n).columns]
    assert part == [column for column in whole if column in set(kept)]


@settings(max_examples=150)
@given(situations(), st.integers(-20, 20))
def test_scaling_all_weights_changes_no_order(scorer: ModuleType, situation: Situation, power: int) -> None:
    """By powers of two: exact in float32, so the order must be the very same."""
    utility = table(scorer, situation).utility
    weights, eligible = situation.policy.weights, situation.allowed
    columns, scores = scorer.rank(utility, weights, eligible, 64)
    scaled_columns, scaled_scores = scorer.rank(utility, weights * np.float32(2.0**power), eligible, 64)
    assert scaled_columns == columns
    assert scaled_scores == [score * 2.0**power for score in scores]


@settings(max_examples=100)
@given(situations(), st.floats(0.001, 1000.0))
def test_scaling_weights_by_any_factor_swaps_near_ties_at_most(
    scorer: ModuleType, situation: Situation, factor: float
) -> None:
    utility = table(scorer, situation).utility
    weights, eligible = situation.policy.weights, situation.allowed
    columns, scores = scorer.rank(utility, weights, eligible, 64)
    scaled, _ = scorer.rank(utility, weights * np.float32(factor), eligible, 64)
    assert_same_up_to_near_ties(columns, scores, scaled, weights @ utility)


@settings(max_examples=150)
@given(situations(), st.integers(0, 4), SEEDS)
def test_a_dimension_without_weight_is_irrelevant(
    scorer: ModuleType, situation: Situation, dimension: int, seed: int
) -> None:
    utility = table(scorer, situation).utility
    weights = situation.policy.weights.copy()
    weights[dimension] = 0
    shuffled = utility.copy()
    np.random.default_rng(seed).shuffle(shuffled[dimension])
    assert scorer.rank(utility, weights, situation.allowed, 64) == scorer.rank(shuffled, weights, situation.allowed, 64)


@settings(max_examples=200)
@given(situations())
def test_what_is_ruled_out_never_appears_and_has_a_reason(scorer: ModuleType, situation: Situation) -> None:
    n = len(situation.allowed)
    ranking = decide(scorer, situation, n)
    reason = table(scorer, situation).reason
    assert sorted(ranking.columns) == np.flatnonzero(reason == Reason.ELIGIBLE).tolist()
    assert set(reason.tolist()) <= set(Reason)
    assert (reason[situation.allowed == 0] == Reason.NOT_ALLOWED).all()


@settings(max_examples=200)
@given(situations(), st.integers(1, 70))
def test_a_decision_is_the_head_of_its_sorted_table(scorer: ModuleType, situation: Situation, k: int) -> None:
    """Ordinary targets before last resorts, each part by score, ties by column; scores are exactly the table's."""
    ranking = decide(scorer, situation, k)
    seen = table(scorer, situation)
    eligible = np.flatnonzero(seen.reason == Reason.ELIGIBLE).tolist()
    ordered = sorted(eligible, key=lambda m: (seen.last_resort[m], -seen.score[m], m))
    assert ranking.columns == ordered[:k]
    assert ranking.scores == seen.score[ranking.columns].tolist()
    assert ranking.normal == min(k, sum(seen.last_resort[m] == 0 for m in eligible))


@settings(max_examples=150)
@given(situations(), st.integers(1, 5))
def test_a_ranking_tells_what_its_table_says(scorer: ModuleType, situation: Situation, k: int) -> None:
    ranking = decide(scorer, situation, k)
    seen = table(scorer, situation)
    weights = situation.policy.weights
    assert ranking.told == {column: parts_of(seen, weights, column) for column in ranking.columns[:TOLD]}
    assert ranking.reasons == Counter(seen.reason.tolist())
    for column, parts in ranking.told.items():
        assert parts.figures == pytest.approx(seen.figures[:, column].tolist(), rel=5e-6)
        assert parts.utilities == pytest.approx(seen.utility[:, column].tolist(), rel=5e-6)
        assert sum(parts.contributions) == pytest.approx(seen.score[column], rel=1e-4, abs=1e-5)


@settings(max_examples=500)
@given(st.floats(1e-17, 1e17) | st.floats(-1.0, 1.0, width=32) | st.floats(width=32))
def test_six_digits_are_those_that_are_written(scorer: ModuleType, x: float) -> None:
    expected = float(f"{x:.6g}")
    found = scorer.significant(x)
    if 1e-17 < abs(x) < 1e17:
        assert found == expected
    else:
        assert found == pytest.approx(expected, rel=1e-14, nan_ok=True)


@settings(max_examples=200)
@given(situations())
def test_the_twins_agree(situation: Situation) -> None:
    plain, compiled = table(_scorer_np, situation), table(_scorer_cy, situation)
    np.testing.assert_allclose(compiled.figures, plain.figures, rtol=1e-6)
    relative = 1e-6 if situation.policy.in_money else 0.0
    np.testing.assert_allclose(compiled.utility, plain.utility, rtol=relative, atol=1e-6)
    np.testing.assert_allclose(compiled.score, plain.score, rtol=relative, atol=1e-6)
    assert compiled.reason.tolist() == plain.reason.tolist()
    assert compiled.last_resort.tolist() == plain.last_resort.tolist()
    n = len(situation.allowed)
    expected, got = decide(_scorer_np, situation, n), decide(_scorer_cy, situation, n)
    assert got.normal == expected.normal
    parts = (slice(0, expected.normal), slice(expected.normal, n))
    for part in parts:
        assert_same_up_to_near_ties(expected.columns[part], expected.scores[part], got.columns[part], plain.score)


@settings(max_examples=200)
@given(st.integers(1, 300), SEEDS, st.integers(1, 64), st.sampled_from([0.0, 0.05, 0.5, 1.0]), st.booleans())
def test_the_twins_rank_alike(n: int, seed: int, k: int, allowed_share: float, coarse: bool) -> None:
    """Coarse utilities make many exact ties; weights are dyadic then, so that both twins add without rounding."""
    rng = np.random.default_rng(seed)
    utility = rng.random((5, n)).astype(np.float32)
    weights = spread(rng, 0.01, 1.0, 5)
    if coarse:
        utility = np.round(utility * 4) / np.float32(4)
        weights = np.round(weights * 4) / np.float32(4)
    eligible = (rng.random(n) < allowed_share).astype(np.uint8)
    columns, scores = _scorer_np.rank(utility, weights, eligible, k)
    got, got_scores = _scorer_cy.rank(utility, weights, eligible, k)
    assert got_scores == pytest.approx(scores, abs=1e-6)
    if coarse:
        assert got == columns
    else:
        assert_same_up_to_near_ties(columns, scores, got, weights @ utility)


@settings(max_examples=50)
@given(st.lists(situations(most=40), min_size=2, max_size=6))
def test_a_scorer_remembers_nothing_of_earlier_requests(several: list[Situation]) -> None:
    n = min(len(situation.allowed) for situation in several)
    cut = [select(situation, list(range(n))) for situation in several]
    shared = _scorer_cy.Scorer(cut[0].matrix)
    for situation in cut:
        fresh = _scorer_cy.Scorer(cut[0].matrix)
        assert shared.decide(*situation[1:], n) == fresh.decide(*situation[1:], n)


def assert_same_up_to_near_ties(columns: list[int], scores: list[float], got: list[int], score: F32) -> None:
    """Place by place the same target, or one whose score is within 1e-6 of the place's, of dollars relatively."""
    assert len(got) == len(columns)
    for column, expected, other in zip(columns, scores, got, strict=True):
        assert column == other or abs(float(score[other]) - expected) < 1e-6 * max(1.0, abs(expected))
