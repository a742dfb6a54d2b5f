"""What a prompt asks for: task, difficulty, length of the answer. Structure decides where it can, then wording does."""

from typing import NamedTuple

from core.steps import Step, step_of
from core.tasks import (
    AGENT_STEP,
    EXTRACTION,
    LONG_CONTEXT,
    SUMMARISATION,
    TRANSLATION,
    VISION,
)
from core.tasks import TASKS as TASKS
from core.tasks import TRAITS as TRAITS
from core.text import Features
from core.wording import Correction, Wording, read

LONG_CONTEXT_TOKENS = 60_000
# Odds of a good answer to what is easier than any work: as much as from one of five levels of difficulty to the next
# but one. Other difficulty moves no odds: what wording says of it tells nothing of real answers (docs/routing.md).
HEARTBEAT_ODDS = 5.0
HARDEST_HISTORY = 0.1  # difficulty that a conversation of HISTORY_MESSAGES adds: much to keep in mind
HISTORY_MESSAGES = 40
HARDEST_LENGTH = 0.1  # difficulty that an ask of LENGTH_WORDS adds: it carries more conditions
LENGTH_WORDS = 400
HARDEST_FORMULAS = 0.1  # difficulty that a text full of formulas adds: they need exactness
FORMULAS_SHARE = 0.25
HEARTBEAT_EASE = -0.4  # looking whether there is anything to do is easier than doing it


class Shape(NamedTuple):
    """The structure around a prompt's texts."""

    tool_count: int = 0
    last_role: str = "user"
    message_count: int = 1
    image_count: int = 0
    structured_output: bool = False  # a JSON schema is asked for
    max_output_tokens: int | None = None


class Prediction(NamedTuple):
    """The task is an index into TASKS."""

    task: int
    confidence: float  # 0-1, that it is this task
    difficulty: float  # 0-1
    output_tokens: float  # of an answer without hidden reasoning
    shares: tuple[tuple[int, float], ...]  # every task that it may be, likeliest first, with its chance; add up to 1
    odds: float  # of a good answer, times those of an everyday request of its kind
    step: Step
    wording: Wording | None = None  # where that told the task, and a correction was at hand


def predict(
    features: Features, shape: Shape, opening: bytes, focus: bytes, correction: Correction | None = None
) -> Prediction:
    """The task of a prompt and what its answer will be like.

    opening, focus: raw JSON of the text that the conversation begins with, b"" for none, and of what was asked last.
    correction: of the tasks that the wording tells, from own labels; then `wording.representation` is there as well.
    """
    step = step_of(shape.last_role, shape.tool_count, shape.message_count, opening, focus)
    task, confidence = _told_by_structure(features, shape, step)
    harder = HEARTBEAT_EASE if step is Step.HEARTBEAT else 0.0
    wording = None
    if task is None:
        wording = read(opening, focus, features, correction)
        shares, harder = wording.shares, wording.harder
        task, share = shares[0]
        confidence = share * wording.familiar
    else:
        shares = ((task, 1.0),)
    usual = TRAITS[task].difficulty
    harder += _added(features, shape.message_count)
    difficulty = min(max(usual + harder, 0.0), 1.0)
    return Prediction(
        task,
        confidence,
        difficulty,
        _output_tokens(shares, features, difficulty, shape.max_output_tokens),
        shares,
        HEARTBEAT_ODDS if step is Step.HEARTBEAT else 1.0,
        step,
        None if correction is None else wording,
    )


def _told_by_structure(features: Features, shape: Shape, step: Step) -> tuple[int | None, float]:
    """The task and how sure it is; None where structure does not tell."""
    if step is Step.TOOL_LOOP:
        return AGENT_STEP, 0.95
    if step is Step.COMPACTION:
        return SUMMARISATION, 0.9
    if shape.image_count:
        return VISION, 0.9
    if shape.structured_output:
        return EXTRACTION, 0.7
    if features.tokens > LONG_CONTEXT_TOKENS:
        return LONG_CONTEXT, 0.8
    if shape.tool_count or step is Step.HEARTBEAT:
        return AGENT_STEP, 0.8
    return None, 0.0


def _added(features: Features, message_count: int) -> float:
    """Difficulty beyond what the wording says."""
    words, formulas = features.focus_words, features.math_share
    length = words / LENGTH_WORDS if words < LENGTH_WORDS else 1.0
    exactness = formulas / FORMULAS_SHARE if formulas < FORMULAS_SHARE else 1.0
    history = (message_count - 1) / HISTORY_MESSAGES if message_count <= HISTORY_MESSAGES else 1.0
    return HARDEST_LENGTH * length + HARDEST_FORMULAS * exactness + HARDEST_HISTORY * max(history, 0.0)


def _output_tokens(
    shares: tuple[tuple[int, float], ...], features: Features, difficulty: float, limit: int | None
) -> float:
    """Typical of what it may be, up to twice as long for a hard one; a translation is about as long as its source."""
    expected = 0.0
    for task, share in shares:
        typical = TRAITS[task].output_tokens
        if task == TRANSLATION:
            expected += share * max(typical, 1.4 * features.focus_words)
        else:
            expected += share * typical * (0.5 + difficulty)
    return expected if limit is None else min(expected, float(limit))
