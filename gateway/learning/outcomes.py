"""Outcomes from the ledger: what was said of answers, and what conversations say without a word."""

from core.predictor import TASKS
from gateway.accounting.feedback import CALLER, FeedbackBook, Judged
from gateway.catalog.card import Catalog
from gateway.catalog.quality import by_task
from gateway.learning.fit import Outcome
from gateway.learning.signals import scores

# A turn that is asked again says less than a judgement does, and there are thousands of them for each of those. Ours.
IMPLICIT_WEIGHT = 0.1
MOST_ANSWERS = 50_000  # the latest ones
CONVERSATION = "conversation"


def outcomes_of(book: FeedbackBook, catalog: Catalog, since: float, *, implicit: bool) -> list[Outcome]:
    """All since then (Unix seconds) of models and tasks that are known. Raises LedgerUnavailable."""
    found = [(one.time, one.model, one.task, source_of(one), one.score, 1.0) for one in book.judged(since)]
    if implicit:
        found += [
            (one.time, one.model, one.task, CONVERSATION, score, IMPLICIT_WEIGHT)
            for one, score in scores(book.answered(since, MOST_ANSWERS))
        ]
    models = sorted({model for _, model, *_ in found if model in catalog.models})
    shares = by_task(catalog, models, TASKS).shares
    row, column = ({name: place for place, name in enumerate(names)} for names in (TASKS, models))
    return [
        Outcome(time, model, task, source, score, float(shares[row[task], column[model]]), weight)
        for time, model, task, source, score, weight in found
        if model in column and task in row
    ]


def source_of(judged: Judged) -> str:
    """Who judges: a caller's key, or a judge, who is one and the same whoever had asked."""
    return f"{CALLER}:{judged.key}" if judged.origin == CALLER else judged.origin
