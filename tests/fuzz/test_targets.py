"""A short run of every target; `make fuzz` has a long one."""

import signal
import time
from collections.abc import Iterator

import pytest

from tests.fuzz import running
from tests.fuzz.mutation import MOST_BYTES, Mutator
from tests.fuzz.running import Failure, run
from tests.fuzz.table import TARGETS
from tests.fuzz.target import Target

INPUTS = 120  # beside the seeds
SEEDS = (b'{"model":"m","n":1}', b"data: x\n\n")


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_seeds_and_some_mutants_of_them_keep_the_promises(target: Target) -> None:
    outcome = run(target, len(target.seeds) + INPUTS, number=0)
    assert [failure.message for failure in outcome.failures] == []
    assert outcome.inputs == len(target.seeds) + INPUTS


def test_every_format_has_its_targets() -> None:
    parts = [name.partition(".")[0] for name in TARGETS]
    assert {part: parts.count(part) for part in dict.fromkeys(parts)} == {
        "framing": 4,
        "request": 7,
        "whole": 5,
        "count": 2,
        "stream": 10,
        "answer": 14,
        "provider": 1,
        "header": 3,
        "settings": 1,
    }


def test_a_number_stands_for_the_same_inputs_always() -> None:
    first, again, other = (list(Mutator(SEEDS, number).inputs(500)) for number in (7, 7, 8))
    assert first == again
    assert first != other
    assert first[:2] == list(SEEDS)
    assert max(map(len, first)) <= MOST_BYTES
    assert len(set(first)) > 400


def picky(data: bytes) -> None:
    """Fails for two reasons, each in many inputs."""
    assert b"null" not in data, "it holds a null"
    if b"\x00" in data:
        raise KeyError(data)


def test_a_failure_is_told_once_of_each_kind_and_made_short() -> None:
    outcome = run(Target("picky", picky, SEEDS), 2_000, number=1)
    kinds = {failure.kind.split(":")[0]: failure for failure in outcome.failures}
    assert kinds.keys() == {"AssertionError at test_targets.py", "KeyError at test_targets.py"}
    assert kinds["AssertionError at test_targets.py"].data == b"null"
    assert kinds["KeyError at test_targets.py"].data == b"\x00"
    assert "it holds a null" in kinds["AssertionError at test_targets.py"].message


@pytest.fixture
def impatient() -> Iterator[None]:
    usual, running.LONGEST_CPU_SECONDS = running.LONGEST_CPU_SECONDS, 0.05
    yield
    running.LONGEST_CPU_SECONDS = usual


@pytest.mark.usefixtures("impatient")
def test_what_never_ends_is_stopped_and_is_a_failure() -> None:
    def endless(data: bytes) -> None:
        while data == b"y":
            time.monotonic()

    with running.watched():
        failure = running.tried(Target("endless", endless, SEEDS), b"y")
        assert running.tried(Target("endless", endless, SEEDS), b"n") is None
    assert isinstance(failure, Failure)
    assert failure.kind.startswith("Hung")
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
