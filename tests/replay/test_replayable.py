"""Decisions are packed without loss, and made again equal; what is gone, damaged or foreign is told apart."""

import random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.matrix import LiveFigures
from core.predictor import TASKS
from gateway.accounting.past import Past, PastUsage
from gateway.replay.engine import EMBEDDINGS, GONE, NOBODY, NOT_KEPT, UNREADABLE, Decider, Rules, replay
from gateway.routing.plan import Decision, make_plan, preferring
from gateway.routing.replayable import Packer, Unpacker, mark_of
from gateway.settings.schema import Limits, RouterSettings
from tests.routing.market import COLUMN, SCORER, STALLS, TARGETS, make_targets, profile, selector

ROUTERS = {
    "spread": RouterSettings(preset="auto", spread=0.2),
    "curious": RouterSettings(preset="auto", explore=0.5, spread=0.1),
    "tight": RouterSettings(preset="quality", limits=Limits(max_cost_usd=0.05)),
    "nearest": RouterSettings(limits=Limits(max_cost_usd=1e-9), nothing_fits="nearest"),
}
NAMES = ("auto", "fast", "economy", "quality", "green", *ROUTERS, "acme/large", "gpt-4")


def live_figures(rng: np.random.Generator) -> LiveFigures:
    n, prior = len(TARGETS.ids), TARGETS.prior
    touched = rng.random(n) < 0.5
    out = (touched & (rng.random(n) < 0.3)).astype(np.uint8)
    availability = np.where(touched, rng.random(n), prior.availability).astype(np.float32)
    seconds = np.where(touched, prior.first_token_seconds * 2, prior.first_token_seconds).astype(np.float32)
    load, calls = (np.where(touched, rng.random(n) * most, 0.0).astype(np.float32) for most in (1.5, 20.0))
    return LiveFigures(seconds, prior.seconds_per_output_token, availability, out, load, calls)


def decided(seed: int, name: str, task: str = "chat") -> Decision:
    rng = np.random.default_rng(seed)
    tokens = float(rng.integers(1, 9_000))
    warm = ((int(rng.integers(len(TARGETS.ids))), tokens / 2),) if rng.random() < 0.5 else ()
    request = profile(
        input_tokens=tokens,
        output_tokens=float(rng.integers(1, 3_000)),
        max_output_tokens=float(rng.choice([0, 500])),
        task=TASKS.index(task),
        warm=warm,  # type: ignore[arg-type]
        stream=bool(rng.integers(2)),
        writes=bool(rng.integers(2)),
    )
    stay = int(rng.integers(len(TARGETS.ids))) if rng.random() < 0.5 else None
    choice = selector(**ROUTERS).select(name)
    decision = make_plan(
        choice, request, TARGETS, SCORER, live_figures(rng), float(rng.random()), stay, bool(rng.integers(2))
    )
    preferred = frozenset(np.flatnonzero(rng.random(len(TARGETS.ids)) < 0.3).tolist())
    return preferring(decision, preferred) if preferred and rng.random() < 0.5 else decision


def past(decision: Decision, name: str, task: str = "chat", **fields: Any) -> Past:
    first = decision.plan.candidates[0].target
    made = Past(
        id="dec_1",
        time=0.0,
        router=decision.policy.name,
        requested=name,
        target=first,
        outcome="ok",
        task=task,
        fallback=False,
        cost_nano_usd=1,
        carbon_g=None,
        seconds=1.0,
        session="",
        catalog_version="1",
        usage=PastUsage(),
        decided=Packer().pack(decision, ()),
    )
    return msgspec.structs.replace(made, **fields)


def rules() -> Rules:
    return Rules(TARGETS, selector(**ROUTERS))


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(NAMES), st.sampled_from(["chat", "reasoning"]))
def test_every_decision_is_made_again_equal(seed: int, name: str, task: str) -> None:
    decision = decided(seed, name, task)
    found = Decider(rules()).decide(past(decision, name, task))
    assert not isinstance(found, str)
    assert found[0] == decision.plan.candidates[0].column


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_unpacked_is_what_was_packed(seed: int) -> None:
    decision = decided(seed, "auto")
    inputs = Unpacker(TARGETS).unpack(Packer().pack(decision, ("a", "b")), decision.profile.figures.task)
    assert inputs.figures == decision.profile.figures
    assert (inputs.stay, inputs.pick, inputs.chain) == (decision.stay, decision.pick, ("a", "b"))
    assert inputs.may_explore == decision.may_explore
    assert inputs.preferred == decision.preferred
    for name in LiveFigures._fields:
        now, then = getattr(inputs.live, name), getattr(decision.live, name)
        assert now.dtype == then.dtype
        assert (now == then).all()


def test_a_decision_takes_a_few_hundred_bytes_and_names_nobody() -> None:
    packed = Packer().pack(decided(1, "auto"), ())
    assert len(packed) < 300
    assert b"acme" not in packed


def test_targets_that_are_gone_or_new_change_nothing_for_the_others() -> None:
    decision = decided(7, "auto")
    fewer = make_targets(STALLS[2:])
    live = Unpacker(fewer).unpack(Packer().pack(decision, ()), 0).live
    for target, column in COLUMN.items():
        if target in fewer.ids:
            assert live.availability[fewer.ids.index(target)] == decision.live.availability[column]


def test_marks_tell_the_targets_of_a_catalog_apart() -> None:
    names = [f"maker-{number % 40}/model-{number}@provider-{number % 60}" for number in range(3_000)]
    assert len({mark_of(name) for name in names}) == len(names)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 2**32 - 1))
def test_damaged_bytes_are_unreadable_or_some_decision_and_nothing_else(noise: bytes, seed: int) -> None:
    whole = Packer().pack(decided(seed % 50, "auto"), ())
    rng = random.Random(seed)
    place = rng.randrange(len(whole))
    for packed in (noise, whole[:place], whole[:place] + noise + whole[place:]):
        found = Decider(rules()).decide(past(decided(1, "auto"), "auto", decided=packed))
        assert isinstance(found, str) or found[0] >= NOBODY


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"decided": b""}, NOT_KEPT),
        ({"requested": "acme/large:floor"}, NOT_KEPT),
        ({"task": "embedding"}, EMBEDDINGS),
        ({"decided": b"\x00"}, UNREADABLE),
        ({"requested": "gone/model"}, GONE),
        ({"router": "gone"}, GONE),
    ],
)
def test_what_cannot_be_decided_again_is_counted_by_its_reason(fields: dict[str, Any], why: str) -> None:
    found = replay([past(decided(1, "auto"), "auto", **fields)], rules())
    assert (found.requests, found.left_out) == ([], {why: 1})


def test_a_request_that_nothing_can_serve_any_more_chooses_nobody() -> None:
    narrow = Rules(TARGETS, selector(auto=RouterSettings(limits=Limits(max_cost_usd=1e-12))))
    found = replay([past(decided(1, "auto"), "auto")], narrow)
    assert found.choices.columns.tolist() == [NOBODY]
    assert np.isnan(found.choices.figures).all()
