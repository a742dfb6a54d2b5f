"""What has once broken a parser never does so again: every file of `corpus/<target>/`, by the target of its folder."""

from pathlib import Path

import pytest

from tests.fuzz.running import CORPUS, tried, watched
from tests.fuzz.table import TARGETS

FILES = sorted(CORPUS.glob("*/*"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_an_input_that_failed_once_keeps_the_promises(path: Path) -> None:
    with watched():
        assert tried(TARGETS[path.parent.name], path.read_bytes()) is None


def test_every_folder_of_the_corpus_belongs_to_a_target() -> None:
    assert {path.parent.name for path in FILES} <= TARGETS.keys()
    assert len(FILES) > 10
