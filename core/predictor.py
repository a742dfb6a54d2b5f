"""What a prompt asks for: task, difficulty, length of the answer. Structure decides where it can, then wording does."""

import math
from typing import NamedTuple

from core.tasks import (
    AGENT_STEP,
    EXTRACTION,
    LONG_CONTEXT,
    TRAITS,
    TRANSLATION,
    VISION,
)
from core.tasks import TASKS as TASKS
from core.text import Features
from core.wording import Wording, read

LONG_CONTEXT_TOKENS = 60_000
# Log odds of a good answer that a step of 1 in difficulty costs: from one of the five levels of the written prompts to
# the next, 0.8. Our judgement; docs/routing.md holds it against what models really scored.
ODDS_PER_DIFFICULTY = 4.0
HARDEST_HISTORY = 0.1  # difficulty that a conversation of HISTORY_MESSAGES adds: much to keep in mind
HISTORY_MESSAGES = 40


class Shape(NamedTuple):
    """The structure around a prompt's texts."""

    tool_count: int
    last_role: str
    message_count: int
    image_count: int
    structured_output: bool  # a JSON schema is asked for
    max_output_tokens: int | None


class Prediction(NamedTuple):
    """The task is an index into TASKS."""

    task: int
    confidence: float  # 0-1, that it is this task
    difficulty: float  # 0-1
    output_tokens: float  # of an answer without hidden reasoning
    shares: tuple[tuple[int, float], ...]  # every task that it may be, likeliest first, with its chance; add up to 1
    odds: float  # times those of an everyday request of its kind: below 1 for a hard one


def predict(features: Features, shape: Shape, opening: bytes, focus: bytes) -> Prediction:
    """The task of a prompt and what its answer will be like.

    opening, focus: raw JSON of the text that the conversation begins with, b"" for none, and of what was asked last.
    """
    certain = _told_by_structure(features, shape)
    if certain is None:
        wording = read(opening, focus)
        shares, harder = wording.shares, wording.harder
    else:
        task, confidence = certain
        shares, harder = ((task, 1.0),), 0.0
    task = shares[0][0]
    if certain is None:
        confidence = shares[0][1]
    usual = TRAITS[task].difficulty
    difficulty = min(max(usual + harder + _history(shape.message_count), 0.0), 1.0)
    return Prediction(
        task,
        confidence,
        difficulty,
        _output_tokens(shares, features, difficulty, shape.max_output_tokens),
        shares,
        math.exp(ODDS_PER_DIFFICULTY * (usual - difficulty)),
    )


def _told_by_structure(features: Features, shape: Shape) -> tuple[int, float] | None:
    """The task and how sure it is, where structure tells."""
    if shape.last_role in ("tool", "function"):
        return AGENT_STEP, 0.95
    if shape.image_count:
        return VISION, 0.9
    if shape.structured_output:
        return EXTRACTION, 0.7
    if features.tokens > LONG_CONTEXT_TOKENS:
        return LONG_CONTEXT, 0.8
    return (AGENT_STEP, 0.8) if shape.tool_count else None


def _history(message_count: int) -> float:
    return HARDEST_HISTORY * (message_count - 1) / HISTORY_MESSAGES if message_count <= HISTORY_MESSAGES else HARDEST_HISTORY


def _output_tokens(
    shares: tuple[tuple[int, float], ...], features: Features, difficulty: float, limit: int | None
) -> float:
    """Typical of what it may be, up to twice as long for a hard one; a translation is about as long as its source."""
    typical = 0.0
    for task, share in shares:
        tokens = TRAITS[task].output_tokens
        typical += share * (max(tokens, 1.4 * features.focus_words) if task == TRANSLATION else tokens)
    tokens = typical * (0.5 + difficulty)
    return tokens if limit is None else min(tokens, float(limit))
