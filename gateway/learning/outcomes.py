"""Outcomes from the ledger: what was said of answers, and what conversations say without a word."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from core.predictor import TASKS
from gateway.accounting.feedback import CALLER, OF_SHADOW, FeedbackBook, Judged
from gateway.catalog.card import Catalog
from gateway.catalog.quality import by_task
from gateway.learning.fit import Outcome
from gateway.learning.signals import scores

# A turn that is asked again says less than a judgement does, and there are thousands of them for each of those. Ours.
IMPLICIT_WEIGHT = 0.1
MOST_ANSWERS = 50_000  # the latest ones
CONVERSATION = "conversation"
UNKNOWN = 0.5  # until the catalog was asked


def outcomes_of(book: FeedbackBook, catalog: Catalog, since: float, *, implicit: bool) -> list[Outcome]:
    """All since then (Unix seconds) of models and tasks that are known. Raises LedgerUnavailable."""
    found = list(judgements(book.judged(since)))
    if implicit:
        found += [
            Outcome(one.time, one.model, one.task, CONVERSATION, score, UNKNOWN, IMPLICIT_WEIGHT)
            for one, score in scores(book.answered(since, MOST_ANSWERS))
        ]
    return list(with_expected(found, catalog))


def judgements(judged: Iterable[Judged]) -> Iterator[Outcome]:
    """What was said of answers; of two answers to one request, by the same judge, the difference."""
    first: dict[tuple[str, str], Judged] = {}
    seconds: list[Judged] = []
    for one in judged:
        if one.decision.endswith(OF_SHADOW):
            seconds.append(one)
        else:
            first[one.origin, one.decision] = one
    for other in seconds:
        pair = (other.origin, other.decision.removesuffix(OF_SHADOW))
        if pair in first:
            one = first.pop(pair)
            better = (1 + one.score - other.score) / 2
            yield Outcome(one.time, one.model, one.task, one.origin, better, UNKNOWN, rival=other.model)
    for one in first.values():
        yield Outcome(one.time, one.model, one.task, source_of(one), one.score, UNKNOWN)


def source_of(judged: Judged) -> str:
    """Who judges: a caller's key, or a judge, who is one and the same whoever had asked."""
    return f"{CALLER}:{judged.key}" if judged.origin == CALLER else judged.origin


def with_expected(outcomes: Iterable[Outcome], catalog: Catalog) -> Iterator[Outcome]:
    """Those of models and tasks that the catalog knows, with what it expects of them."""
    outcomes = list(outcomes)
    named = {model for one in outcomes for model in (one.model, one.rival)}
    models = sorted(model for model in named if model in catalog.models)
    shares = by_task(catalog, models, TASKS).shares
    row, column = ({name: place for place, name in enumerate(names)} for names in (TASKS, models))
    for one in outcomes:
        if one.task not in row or one.model not in column or (one.rival and one.rival not in column):
            continue
        expected = shares[row[one.task]]
        yield replace(
            one,
            expected=float(expected[column[one.model]]),
            rival_expected=float(expected[column[one.rival]]) if one.rival else UNKNOWN,
        )
