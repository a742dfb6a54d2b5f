"""How long a target is waited for: as the router says, and less where it has shown that it needs less."""

from time import monotonic
from typing import Any

import msgspec
import pytest

from gateway.dialects.formats import CHAT
from gateway.execution.errand import Errand
from gateway.execution.patience import patience_seconds
from gateway.routing.describe import describe
from gateway.server.inference import Generation
from gateway.simulator.models import PROVIDERS
from tests.execution.spine import Reply, Spine, collect, snapshot_of

PLAIN, THINKING = "sim/swift-mini@sim-alpha", "sim/thinker@sim-alpha"
RULES = {"first_token_seconds": 15.0, "reasoning_first_token_seconds": 120.0, "total_seconds": 600.0}


def errand_for(target: str, text: str = "hello", answers: int = 0, seconds: float = 0.5, **more: Any) -> Errand:
    """A stream that is asked of this target, which has answered so often, each time after so many seconds."""
    spine = Spine(snapshot_of(dict.fromkeys(PROVIDERS, 1), {**RULES, **more}))
    column = spine.snapshot.chat.targets.ids.index(target)
    for _ in range(answers):
        spine.health.answered(column, monotonic(), seconds, None)
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "query_string": b"", "headers": []}
    exchange = Generation(spine.state, CHAT).exchange(scope, collect(Reply()))
    exchange.arrival = msgspec.structs.replace(exchange.arrival, received=monotonic())
    body = {"model": target, "stream": True, "messages": [{"role": "user", "content": text}]}
    prompt = CHAT.parse(msgspec.json.encode(body), "")
    return exchange.decide(prompt, describe(prompt), lambda router: None)


def patience(errand: Errand) -> float:
    column = errand.decision.plan.candidates[0].column
    return patience_seconds(errand, errand.lines[column])


def test_without_experience_the_settings_say_how_long() -> None:
    assert patience(errand_for(PLAIN)) == 15.0
    assert patience(errand_for(THINKING)) == 120.0
    assert patience(errand_for(PLAIN, answers=49)) == 15.0


def test_a_fast_target_that_stalls_is_given_up_sooner_but_never_at_once() -> None:
    assert patience(errand_for(PLAIN, answers=60)) == pytest.approx(5.0, abs=0.1)
    assert patience(errand_for(THINKING, answers=60)) == pytest.approx(60.0, abs=0.1)


def test_a_slow_target_keeps_its_time_and_never_gets_more_than_the_settings_say() -> None:
    assert patience(errand_for(PLAIN, answers=60, seconds=4.0)) == pytest.approx(8.0, rel=0.06)
    assert patience(errand_for(PLAIN, answers=60, seconds=14.0)) == 15.0


def test_a_long_prompt_takes_longer_to_read() -> None:
    assert 8.0 < patience(errand_for(PLAIN, text="word " * 20_000, answers=60)) < 12.0


def test_a_router_may_stick_to_its_figures() -> None:
    assert patience(errand_for(PLAIN, answers=60, learned=False)) == 15.0
