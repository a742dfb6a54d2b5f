"""How long a gateway keeps away after one simulated refusal: docs/simulator.md, "What a gateway remembers"."""

import time

import pytest

from gateway.providers.faults import RULES, Scope, classify_answer
from tests.simulator.test_faults import PROMISES
from tests.simulator.wire import ask

SHORT_SECONDS = 15.0
LONG = {
    **dict.fromkeys(("F17", "F17;v=anthropic", "F19", "F20", "F21", "F21;v=quiet"), (Scope.KEY, 300.0)),
    **dict.fromkeys(("F22", "F22;v=region"), (Scope.KEY, 300.0)),
    "F15;v=day": (Scope.KEY, 3600.0),
    **dict.fromkeys(("F18;v=huge", "F18;v=many"), (Scope.ALLOWANCE, 3600.0)),
    "F23": (Scope.TARGET, 600.0),
    "F11;ra=90": (Scope.ALLOWANCE, 90.0),  # as it was asked to
}
REFUSALS = sorted({promise.spec for promise in PROMISES if promise.status >= 400})


@pytest.mark.parametrize("spec", REFUSALS)
def test_only_what_a_person_must_mend_or_a_hostile_wait_is_remembered_for_long(port: int, spec: str) -> None:
    seen = ask(port, spec)
    joined = {name: ",".join(value for other, value in seen.headers if other == name) for name, _ in seen.headers}
    fault = classify_answer("sim-alpha", seen.status, joined, seen.body, (), time.time())
    rule = RULES[fault.kind]
    seconds = rule.cooldown_seconds if fault.wait_seconds is None else fault.wait_seconds
    if spec in LONG:
        assert (rule.scope, seconds) == LONG[spec]
    else:
        assert seconds <= SHORT_SECONDS


def test_every_fault_that_is_remembered_for_long_was_looked_at() -> None:
    assert LONG.keys() <= set(REFUSALS)
