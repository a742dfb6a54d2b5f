"""The prompts that the wording model is trained on: every task has some, and the same seed spells out the same."""

from collections import Counter

import pytest

from core.tasks import TEXT_TASKS
from core.training import corpus
from core.wording import MODEL


@pytest.fixture(scope="module")
def written() -> list[corpus.Example]:
    return corpus.written(1)


def test_every_task_has_hundreds_of_prompts(written: list[corpus.Example]) -> None:
    counts = Counter(example.task for example in written)
    assert sorted(counts) == list(range(len(TEXT_TASKS)))
    assert min(counts.values()) >= 100


def test_no_prompt_is_empty_or_has_an_unfilled_slot(written: list[corpus.Example]) -> None:
    assert all(example.focus.strip() for example in written)
    assert not [example.focus for example in written if corpus.SLOT.search(example.focus)]


def test_a_phrasing_is_of_one_task_and_its_spellings_share_one_weight(written: list[corpus.Example]) -> None:
    tasks: dict[str, set[int]] = {}
    for example in written:
        tasks.setdefault(example.line, set()).add(example.task)
    assert {len(found) for found in tasks.values()} == {1}
    assert all(0 < example.weight <= 1 for example in written)


def test_the_same_seed_spells_out_the_same_and_another_does_not(written: list[corpus.Example]) -> None:
    assert corpus.written(1) == written
    assert corpus.written(2) != written


def test_the_weights_in_the_repository_are_made_from_these_prompts() -> None:
    assert corpus.fingerprint() == MODEL.corpus


def test_real_prompts_are_told_from_written_ones_and_no_prompt_is_there_twice() -> None:
    real = corpus.real()
    assert len({example.line for example in real}) == len(real) == 500
    assert all(example.line.startswith("real ") for example in real)
