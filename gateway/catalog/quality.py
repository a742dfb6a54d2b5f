"""From benchmark scores to the probability that an answer is good, per task.

Three steps. A score from an older table is brought to the newest one's scale (`Catalog.equating`). Benchmarks consist
of problems chosen to be hard, so each family is shifted by a constant in log odds, such that the model at the 90th
percentile of the table of 2026-01-08 answers everyday work well 92 times in 100 (HARDNESS). A task is a weighted mix
of families (TASK_FAMILIES): our judgement of which public measurement speaks for it, as no public table measures
writing, summaries or translation as such, and none of these sources measures vision.

What no table has for a model is estimated, never for the better (`kin.py`), and marked so.
"""

from collections.abc import Sequence
from statistics import median

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from core.matrix import F32
from gateway.catalog.card import Catalog, Figure, ModelCard
from gateway.catalog.cards import logit
from gateway.catalog.kin import Kin, share_of

FAMILIES = (
    "reasoning",
    "coding",
    "agentic_coding",
    "mathematics",
    "data_analysis",
    "language",
    "instruction_following",
    "code_editing",
)
OVERALL = "overall"  # a family that stands for every task, as an operator states it in the settings

HARDNESS = {
    "reasoning": 0.75,
    "coding": 1.15,
    "agentic_coding": 2.1,
    "mathematics": 0.4,
    "data_analysis": 1.35,
    "language": 1.0,
    "instruction_following": 1.8,
    "code_editing": 1.1,
}
BENCHMARKS = frozenset({"livebench", "aider"})  # figures from elsewhere are probabilities already

TASK_FAMILIES: dict[str, dict[str, float]] = {
    "code_generation": {"coding": 0.6, "agentic_coding": 0.2, "code_editing": 0.2},
    "code_editing": {"code_editing": 0.4, "coding": 0.3, "agentic_coding": 0.3},
    "agent_step": {"agentic_coding": 0.6, "instruction_following": 0.2, "reasoning": 0.2},
    "mathematics": {"mathematics": 0.9, "reasoning": 0.1},
    "reasoning": {"reasoning": 0.8, "mathematics": 0.2},
    "knowledge": {"language": 0.4, "reasoning": 0.3, "data_analysis": 0.3},
    "writing": {"language": 0.5, "instruction_following": 0.5},
    "chat": {"instruction_following": 0.5, "language": 0.3, "reasoning": 0.2},
    "summarisation": {"instruction_following": 0.6, "language": 0.2, "data_analysis": 0.2},
    "extraction": {"data_analysis": 0.6, "instruction_following": 0.4},
    "translation": {"language": 0.8, "instruction_following": 0.2},
    "vision": {"reasoning": 0.5, "data_analysis": 0.3, "language": 0.2},
    "long_context": {"data_analysis": 0.4, "reasoning": 0.3, "instruction_following": 0.3},
}
ANY_TASK = {family: 1 / len(FAMILIES) for family in FAMILIES}

STATED_SHARE = 0.5  # of a task's weight that must rest on stated scores for the task to count as known


class TaskQuality(Struct, frozen=True):
    """Probability of a good answer by task, and whether it rests on stated scores."""

    shares: F32  # [tasks, models]
    known: NDArray[np.bool_]  # [models]: at least half of the tasks rest on stated scores


def by_task(catalog: Catalog, ids: Sequence[str], tasks: Sequence[str]) -> TaskQuality:
    """The models' quality for each task."""
    scores = _scores(catalog)
    kin = Kin(catalog.models, scores, _charged(catalog))
    shares = np.empty((len(tasks), len(ids)), np.float32)
    is_known = np.zeros(len(ids), np.bool_)
    mixes = [TASK_FAMILIES.get(task, ANY_TASK) for task in tasks]
    for column, model_id in enumerate(ids):
        card = catalog.models[model_id]
        if OVERALL in card.quality:
            shares[:, column], is_known[column] = card.quality[OVERALL].value, True
            continue
        stated = {family: known[model_id] for family, known in scores.items() if model_id in known}
        values = stated | {family: kin.estimate(card, family, stated) for family in FAMILIES if family not in stated}
        shares[:, column] = [sum(weight * values[family] for family, weight in mix.items()) for mix in mixes]
        rests = [stated_share(card, task) >= STATED_SHARE for task in tasks]
        is_known[column] = 2 * sum(rests) >= len(mixes) > 0
    return TaskQuality(shares, is_known)


def stated_share(card: ModelCard, task: str) -> float:
    """How much of a task's quality rests on the model's own scores, 0-1; the rest is estimated from its kin."""
    if OVERALL in card.quality:
        return 1.0
    return sum(weight for family, weight in TASK_FAMILIES.get(task, ANY_TASK).items() if family in card.quality)


def quality_figures(card: ModelCard, task: str) -> list[Figure]:
    """The model's own scores that speak for a task."""
    families = (OVERALL,) if OVERALL in card.quality else TASK_FAMILIES.get(task, ANY_TASK)
    return [card.quality[family] for family in families if family in card.quality]


def everyday(catalog: Catalog, family: str, figure: Figure) -> float:
    """Probability of a good answer to everyday work, from a benchmark's share of points."""
    if figure.source not in BENCHMARKS:
        return figure.value
    shift = catalog.equating.get(f"{family}@{figure.date}")
    return share_of(logit(figure.value) + HARDNESS[family] + (shift.value if shift is not None else 0.0))


def _scores(catalog: Catalog) -> dict[str, dict[str, float]]:
    """Family -> model -> probability of a good answer, where a table has the model."""
    return {
        family: {
            card.id: everyday(catalog, family, card.quality[family])
            for card in catalog.models.values()
            if family in card.quality
        }
        for family in FAMILIES
    }


def _charged(catalog: Catalog) -> dict[str, float]:
    """Model -> median USD per million output tokens. A free endpoint says nothing of a model's class."""
    prices: dict[str, list[float]] = {}
    for offer in catalog.offers:
        if offer.prices.output is not None and offer.prices.output.value > 0:
            prices.setdefault(offer.model, []).append(offer.prices.output.value)
    return {model_id: median(found) for model_id, found in prices.items()}
