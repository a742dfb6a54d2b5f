"""What the ledger's judgements become: outcomes of one answer, and differences of two to the same request."""

from pathlib import Path

import pytest

from gateway.accounting.feedback import OF_SHADOW, Feedback, FeedbackBook
from gateway.accounting.sqlite_ledger import SqliteLedger
from gateway.catalog.columns import merge
from gateway.learning.fit import Outcome
from gateway.learning.outcomes import outcomes_of
from gateway.settings.names import SHADOW
from gateway.simulator.cards import simulated_catalog
from tests.accounting.receipts import a_receipt
from tests.execution.spine import EMPTY

CATALOG = merge(EMPTY, *simulated_catalog())
FIRST, SECOND, THIRD = "sim/coder-mini", "sim/scholar-small", "sim/flagship"
JUDGE = "judge:sim/thinker"


def told(folder: Path, *said: tuple[str, str, str, float]) -> list[Outcome]:
    """decision, model, origin, score of each. Who asks in the background is nobody."""
    place = folder / "ledger.db"
    ledger, book = SqliteLedger(place), FeedbackBook(place)
    for decision, model, origin, score in said:
        key = SHADOW if decision.endswith(OF_SHADOW) else "team"
        ledger.write([a_receipt(decision, model=model, key=key, task="chat")])
        book.add(Feedback(decision, 1.0, score, origin))
    ledger.close()
    return outcomes_of(book, CATALOG, 0.0, implicit=True)


def test_two_answers_to_one_request_become_their_difference(tmp_path: Path) -> None:
    (one,) = (
        one
        for one in told(tmp_path, ("dec_1", FIRST, JUDGE, 0.9), (f"dec_1{OF_SHADOW}", SECOND, JUDGE, 0.4))
        if one.source == JUDGE
    )
    assert (one.model, one.rival, one.weight) == (FIRST, SECOND, 1.0)
    assert one.score == pytest.approx(0.75)
    assert 0 < one.rival_expected != one.expected < 1


def test_what_a_caller_says_of_one_of_them_stays_his_own_word(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        ("dec_1", FIRST, JUDGE, 0.5),
        (f"dec_1{OF_SHADOW}", SECOND, JUDGE, 0.5),
        ("dec_1", FIRST, "caller", 1.0),
    )
    by_source = {one.source: (one.model, one.rival, one.score) for one in found}
    assert by_source[JUDGE] == (FIRST, SECOND, 0.5)
    assert by_source["caller:team"] == (FIRST, "", 1.0)


def test_an_answer_whose_other_half_is_missing_counts_for_itself_and_an_unknown_model_never(
    tmp_path: Path,
) -> None:
    found = told(tmp_path, ("dec_1", FIRST, JUDGE, 0.9), ("dec_2", "acme/unknown", JUDGE, 0.1))
    assert [(one.model, one.rival, one.score) for one in found if one.source == JUDGE] == [(FIRST, "", 0.9)]


def test_calls_that_nobody_has_asked_for_say_nothing_by_how_they_ended(tmp_path: Path) -> None:
    found = told(tmp_path, ("dec_1", FIRST, JUDGE, 0.9), (f"dec_1{OF_SHADOW}", SECOND, JUDGE, 0.4))
    assert [one.model for one in found if one.source == "conversation"] == [FIRST]
