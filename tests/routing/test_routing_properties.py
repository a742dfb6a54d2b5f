"""Whatever the request and the router, a decision accounts for every target once and in a definite order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dimensions import DIMENSIONS
from gateway.errors import ContextTooLong, NothingEligible
from gateway.routing.explain import record
from gateway.routing.plan import make_plan
from gateway.settings.schema import Limits, RouterSettings
from tests.routing.market import COLUMN, SCORER, TARGETS, profile, selector
from tests.routing.test_explain import decided, with_weight

WEIGHTS = st.dictionaries(st.sampled_from([d.name for d in DIMENSIONS]), st.floats(0.01, 10), min_size=1)
PATTERNS = st.lists(st.sampled_from(["acme/*", "@cloud", "tiny/leaf", "rapid/fleet@rapid", "nobody/*"]), max_size=2)
LIMITS = st.builds(
    Limits,
    max_cost_usd=st.none() | st.floats(0.0001, 0.1),
    min_quality=st.none() | st.floats(0, 1),
    max_latency_seconds=st.none() | st.floats(1, 60),
)
ROUTERS = st.builds(
    RouterSettings,
    weights=WEIGHTS,
    deny=PATTERNS.map(tuple),
    limits=LIMITS,
    spread=st.sampled_from([0.0, 0.05, 1.0]),
    explore=st.sampled_from([0.0, 0.5]),
)
WANTED = st.sampled_from(
    [("mine", ()), ("acme/large", ()), ("mine", ("tiny/leaf", "mine")), ("", ("acme/large", "fast"))]
)


@settings(max_examples=150)
@given(ROUTERS, WANTED, st.floats(1, 200_000), st.sampled_from([0, 1, 3]), st.floats(0, 0.999))
def test_every_target_is_ranked_or_excluded_once(
    router: RouterSettings, wanted: tuple[str, tuple[str, ...]], tokens: float, needs: int, pick: float
) -> None:
    selection = selector(mine=router).select(*wanted)
    request = profile(input_tokens=tokens, needs=needs)
    try:
        decision = make_plan(selection, request, TARGETS, SCORER, TARGETS.prior, pick, may_explore=True)
    except (NothingEligible, ContextTooLong):
        return  # what is said then is tested in test_plan
    found = record(decision)
    told = [candidate.target for candidate in found.candidates] + [exclusion.target for exclusion in found.excluded]
    assert sorted(told) == sorted(COLUMN)
    planned = [candidate.target for candidate in decision.plan.candidates]
    assert told[: len(planned)] == planned
    assert sum(found.excluded_counts.values()) == len(found.excluded)
    for candidate in found.candidates:
        total = sum(share.contribution for share in candidate.dimensions.values())
        assert total == pytest.approx(candidate.score, abs=1e-4)
    again = make_plan(selection, request, TARGETS, SCORER, TARGETS.prior, pick, may_explore=True)
    assert again.plan == decision.plan


@settings(max_examples=100)
@given(WEIGHTS)
def test_a_weight_that_is_told_to_change_the_choice_changes_it(weights: dict[str, float]) -> None:
    decision = decided("mine", mine=RouterSettings(weights=weights))
    found = record(decision)
    for row, dimension in enumerate(DIMENSIONS):
        flip = found.flips[dimension.name]
        for weight, target in ((flip.above, flip.above_target), (flip.below, flip.below_target)):
            if weight is not None:
                assert 0 <= weight <= 1
                assert with_weight(decision, row, weight) == target != found.winner
