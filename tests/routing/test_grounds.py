"""What each figure of a decision rests on is told, with sources and dates, and never made to look better."""

from functools import cache

import msgspec
import pytest

from core.predictor import TASKS
from gateway.bootstrap import first_snapshot
from gateway.catalog.quality import stated_share
from gateway.dialects.openai_chat import parse
from gateway.execution.hearsay import Heard
from gateway.live import Market
from gateway.routing.describe import Profile, describe
from gateway.routing.explain import CandidateRecord, record
from gateway.routing.plan import make_plan
from gateway.settings.schema import Settings

NOW = 1_000.0
EDITING = "Fix the function that adds two numbers, or tell me why it does what it does"
KEYS = {"GROQ_API_KEY": "g", "DEEPINFRA_API_KEY": "d", "OVH_AI_ENDPOINTS_ACCESS_TOKEN": "o", "NVIDIA_API_KEY": "n"}
MODEL = "openai/gpt-oss-120b@groq"
OWN = {
    "base_url": "http://127.0.0.1:1/v1",
    "models": [{"id": "own/unknown", "context_window": 8192}, {"id": "own/judged", "quality": 0.7}],
}


def market() -> Market:
    settings = msgspec.convert({"providers": {"own": OWN}}, Settings)
    return first_snapshot(settings, KEYS).chat


@cache
def fresh() -> Market:
    return market()


def described(text: str) -> Profile:
    body = msgspec.json.encode({"messages": [{"role": "user", "content": text}]})
    return describe(parse(body, default_model="auto"))


def told(market: Market, text: str = EDITING, now: float = NOW) -> dict[str, CandidateRecord]:
    """Each candidate of a decision on this text."""
    selection, live = market.selector.select("auto"), market.health.view(now)
    decision = make_plan(selection, described(text), market.targets, market.scorer, live, 0.0)
    return {one.target: one for one in record(decision).candidates}


def test_before_anything_was_asked_figures_rest_on_sources_or_are_assumed() -> None:
    one = told(fresh())[MODEL].grounds
    assert (one["cost"].basis, one["cost"].confidence) == ("stated", 1.0)
    assert one["cost"].sources
    assert all(source.split()[-1].startswith("20") for name in ("cost", "quality") for source in one[name].sources)
    assert (one["quality"].basis, one["quality"].confidence) == ("stated", 1.0)
    assert (one["availability"].basis, one["availability"].confidence) == ("assumed", 0.0)


def test_every_figure_of_every_candidate_has_its_grounds() -> None:
    for one in told(fresh()).values():
        assert one.grounds.keys() == one.dimensions.keys()
        for name, found in one.grounds.items():
            assert 0.0 <= found.confidence <= 1.0
            if found.basis in ("assumed", "borrowed"):
                assert found.confidence <= 0.5, (one.target, name)
            if one.dimensions[name].estimated:
                assert found.basis in ("assumed", "borrowed"), (one.target, name)


def test_what_is_measured_here_takes_over_call_by_call() -> None:
    used = market()
    column = used.targets.ids.index(MODEL)
    seen = [told(used)[MODEL].grounds]
    for later in (1.0, 2.0, 3.0):
        for _ in range(10):
            used.health.answered(column, NOW + later, 0.5, 0.01)
        seen.append(told(used, now=NOW + later)[MODEL].grounds)
    for name, calls_of_the_prior in (("latency", 5), ("availability", 20)):
        confidences = [one[name].confidence for one in seen]
        assert confidences == pytest.approx([n / (n + calls_of_the_prior) for n in (0, 10, 20, 30)], rel=0.01)
        assert seen[-1][name].basis == "measured"


def test_what_is_heard_is_told_apart_from_what_is_measured() -> None:
    hearing = market()
    hearing.health.hearsay.heard(hearing.targets.ids.index(MODEL), Heard(0.3, 0.002, 0.97), NOW)
    one = told(hearing)[MODEL].grounds
    assert {name: one[name].basis for name in ("latency", "availability")} == {
        "latency": "heard",
        "availability": "heard",
    }


def test_a_model_that_nobody_has_measured_borrows_and_its_price_too() -> None:
    found = told(fresh())
    unknown = found["own/unknown@own"].grounds
    assert {name: (one.basis, one.confidence) for name, one in unknown.items()} == {
        "cost": ("borrowed", 0.0),
        "latency": ("assumed", 0.0),
        "quality": ("borrowed", 0.0),
        "availability": ("assumed", 0.0),
        "carbon": ("borrowed", 0.0),
    }
    judged = found["own/judged@own"].grounds["quality"]
    assert (judged.basis, judged.confidence) == ("stated", 1.0)


def test_the_share_of_a_quality_is_that_of_the_tasks_that_the_request_may_be() -> None:
    targets, tasks = fresh().targets, described(EDITING).figures.blend
    assert len(tasks) > 1
    column = next(place for place, card in enumerate(targets.models) if 0 < stated_share(card, "code_editing") < 1)
    shares = [weight * stated_share(targets.models[column], TASKS[row]) for row, weight in tasks]
    found = told(fresh())[targets.ids[column]].grounds["quality"].confidence
    assert found == pytest.approx(sum(shares) / sum(weight for _, weight in tasks), rel=1e-4)
    assert 0 < found < 1
