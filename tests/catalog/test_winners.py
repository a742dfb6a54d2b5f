"""What the presets choose from the bundled catalog when every provider is live: known models, and not all the same."""

import numpy as np
import pytest

from core.dimensions import INDEX
from core.matrix import F32
from core.predictor import TASKS
from core.scorer import Scorer
from gateway.catalog import snapshot
from gateway.catalog.columns import build_targets
from gateway.routing.describe import Profile, describe
from gateway.routing.policy import PRESETS, compile_policy
from gateway.wire.ability import Ability
from tests.routing.market import prompt

CATALOG = snapshot.bundled()
TARGETS = build_targets(CATALOG, {offer.provider for offer in CATALOG.offers}, TASKS)
SCORER = Scorer(TARGETS.matrix)
KNOWN = (TARGETS.matrix.known >> INDEX["quality"] & 1).astype(bool)

PROFILES = {
    "chat": describe(prompt(b'"hello"')),
    "code_generation": describe(prompt(b'"Write a Python function that parses ISO 8601 dates. Include unit tests."')),
    "mathematics": describe(
        prompt(b'"Prove that the sum of the first n odd numbers is n^2, then solve x^2 - 5x + 6 = 0."')
    ),
    "summarisation": describe(
        prompt(b'"Summarise this document in five points: ' + b"The committee met about the harbour. " * 2_500 + b'"')
    ),
    "agent_step": describe(
        prompt(b'"3 files changed"', needs=Ability.TOOLS, tool_count=5, last_role="tool", message_count=12)
    ),
}


def winner(preset: str, profile: Profile) -> int:
    policy = compile_policy(preset, PRESETS[preset], TARGETS)
    return SCORER.decide(TARGETS.prior, profile.figures, policy.vector, policy.allowed, 1).columns[0]


def quality(profile: Profile) -> F32:
    row: F32 = TARGETS.matrix.quality[profile.figures.task]
    return row


def known_by_model(profile: Profile) -> list[float]:
    """Each known model's quality for the task, once."""
    columns = {offer.model: column for column, offer in enumerate(TARGETS.offers) if KNOWN[column]}
    return [float(quality(profile)[column]) for column in columns.values()]


@pytest.mark.parametrize("task", PROFILES)
def test_the_prompts_are_taken_for_what_they_are(task: str) -> None:
    assert PROFILES[task].task == task


@pytest.mark.parametrize("task", PROFILES)
@pytest.mark.parametrize("preset", PRESETS)
def test_the_winner_is_known_to_be_good(preset: str, task: str) -> None:
    column = winner(preset, PROFILES[task])
    assert KNOWN[column], TARGETS.ids[column]


@pytest.mark.parametrize("task", PROFILES)
def test_quality_picks_one_of_the_best_tenth(task: str) -> None:
    column = winner("quality", PROFILES[task])
    assert quality(PROFILES[task])[column] >= np.quantile(known_by_model(PROFILES[task]), 0.9), TARGETS.ids[column]


@pytest.mark.parametrize("task", PROFILES)
def test_auto_does_not_pick_a_weak_model_because_it_is_free(task: str) -> None:
    column = winner("auto", PROFILES[task])
    assert quality(PROFILES[task])[column] >= np.median(known_by_model(PROFILES[task])), TARGETS.ids[column]


@pytest.mark.parametrize("task", PROFILES)
def test_economy_picks_a_cheap_target(task: str) -> None:
    profile = PROFILES[task]
    policy = compile_policy("economy", PRESETS["economy"], TARGETS)
    cost = SCORER.table(TARGETS.prior, profile.figures, policy.vector, policy.allowed).figures[INDEX["cost"]]
    column = winner("economy", profile)
    assert cost[column] <= np.quantile(cost, 0.25), TARGETS.ids[column]


@pytest.mark.parametrize("task", PROFILES)
def test_the_presets_do_not_all_agree(task: str) -> None:
    assert len({winner(preset, PROFILES[task]) for preset in PRESETS}) >= 3
