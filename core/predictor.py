"""What a prompt asks for: task, difficulty, length of the answer. Structure decides where it can, then words do.

The rules are a table, made by hand and held to a few hundred labelled prompts. They are right for about half of what
people type and nearly always for what structure tells; `confidence` says which of the two it was.
"""

from typing import NamedTuple

from core.text import Cue, Features

TASKS = (
    "code_generation",
    "code_editing",
    "agent_step",
    "mathematics",
    "reasoning",
    "knowledge",
    "writing",
    "chat",
    "summarisation",
    "extraction",
    "translation",
    "vision",
    "long_context",
)
(
    CODE_GENERATION,
    CODE_EDITING,
    AGENT_STEP,
    MATHEMATICS,
    REASONING,
    KNOWLEDGE,
    WRITING,
    CHAT,
    SUMMARISATION,
    EXTRACTION,
    TRANSLATION,
    VISION,
    LONG_CONTEXT,
) = range(len(TASKS))

LONG_CONTEXT_TOKENS = 60_000
CUE_HITS_COUNTED = 3  # a word that comes up ten times says no more than one that comes up three times
CUE_EDIT = int(Cue.EDIT)  # looking up a member of an enum takes longer than what is done with it here
SHORT_ASK_WORDS = 12
TEXT_CONFIDENCE = 0.6  # of the clearest verdict from words alone: about how often such rules are right on real prompts


class Prediction(NamedTuple):
    """The task is an index into TASKS."""

    task: int
    confidence: float  # 0-1
    difficulty: float  # 0-1
    output_tokens: float  # of an answer without hidden reasoning


class TaskTraits(NamedTuple):
    """What is typical of a task.

    AlpacaEval's answers have a median of 205 tokens, those to MMLU-Pro questions 104, as models of 2023 and 2024 wrote
    them; models write about twice as much now. The other lengths are judged against these.
    """

    difficulty: float
    output_tokens: float


TRAITS: tuple[TaskTraits, ...] = (
    TaskTraits(0.50, 700),  # code generation
    TaskTraits(0.60, 800),  # code editing
    TaskTraits(0.60, 250),  # agent step: mostly a tool call
    TaskTraits(0.60, 500),  # mathematics
    TaskTraits(0.60, 600),  # reasoning
    TaskTraits(0.40, 300),  # knowledge
    TaskTraits(0.40, 700),  # writing
    TaskTraits(0.25, 300),  # chat
    TaskTraits(0.30, 250),  # summarisation
    TaskTraits(0.30, 200),  # extraction
    TaskTraits(0.30, 100),  # translation: as long as its source, at least this
    TaskTraits(0.45, 250),  # vision
    TaskTraits(0.60, 500),  # long context
)

# signal -> ((task, evidence per unit), ...). Signals: the cues in their order, then those of `_signals`.
CODE_SHARE, HAS_FENCE, EDITS_CODE, MATH_SHARE, DIGIT_SHARE, IS_SHORT, ASKS = range(len(Cue), len(Cue) + 7)
EVIDENCE: dict[int, tuple[tuple[int, float], ...]] = {
    Cue.CODE: ((CODE_GENERATION, 1.0), (CODE_EDITING, 0.3)),
    Cue.EDIT: ((CODE_EDITING, 0.5), (WRITING, 0.2)),
    Cue.MATHEMATICS: ((MATHEMATICS, 0.9),),
    Cue.REASONING: ((REASONING, 0.6),),
    Cue.WRITING: ((WRITING, 0.9),),
    Cue.SUMMARY: ((SUMMARISATION, 1.6),),
    Cue.EXTRACTION: ((EXTRACTION, 0.9),),
    Cue.TRANSLATION: ((TRANSLATION, 2.0),),
    Cue.KNOWLEDGE: ((KNOWLEDGE, 0.5),),
    CODE_SHARE: ((CODE_GENERATION, 1.5), (CODE_EDITING, 2.0)),
    HAS_FENCE: ((CODE_GENERATION, 0.5), (CODE_EDITING, 1.0)),
    EDITS_CODE: ((CODE_EDITING, 1.5),),
    MATH_SHARE: ((MATHEMATICS, 20.0),),
    DIGIT_SHARE: ((MATHEMATICS, 12.0),),
    IS_SHORT: ((CHAT, 0.3),),
    ASKS: ((KNOWLEDGE, 0.3), (REASONING, 0.1)),
}
EVIDENCE_OF_SIGNALS = [EVIDENCE[signal] for signal in range(len(EVIDENCE))]
NO_EVIDENCE = [0.0] * len(TASKS)
NO_EVIDENCE[CHAT] = 0.4


def predict(
    features: Features,
    *,
    tool_count: int,
    last_role: str,
    message_count: int,
    image_count: int,
    structured_output: bool,
    max_output_tokens: int | None,
) -> Prediction:
    """The task of a prompt and what its answer will be like. `structured_output`: a JSON schema is asked for."""
    if last_role in ("tool", "function"):
        task, confidence = AGENT_STEP, 0.95
    elif image_count:
        task, confidence = VISION, 0.9
    elif structured_output:
        task, confidence = EXTRACTION, 0.7
    elif features.tokens > LONG_CONTEXT_TOKENS:
        task, confidence = LONG_CONTEXT, 0.8
    elif tool_count:
        task, confidence = AGENT_STEP, 0.8
    else:
        task, confidence = _task_of_text(features)
    difficulty = _difficulty(task, features, message_count)
    output_tokens = _output_tokens(task, features, difficulty)
    if max_output_tokens is not None:
        output_tokens = min(output_tokens, float(max_output_tokens))
    return Prediction(task, confidence, difficulty, output_tokens)


def _task_of_text(features: Features) -> tuple[int, float]:
    """The task with the most evidence, and how far it is ahead."""
    evidence = NO_EVIDENCE[:]
    for strength, shares in zip(_signals(features), EVIDENCE_OF_SIGNALS, strict=True):
        if strength:
            for task, weight in shares:
                evidence[task] += weight * strength
    *_, second, best = sorted(evidence)
    return evidence.index(best), TEXT_CONFIDENCE * best / (best + second)


def _signals(features: Features) -> tuple[float, ...]:
    cues, code_share, words = features.cues, features.code_share, features.focus_words
    if max(cues) > CUE_HITS_COUNTED:
        cues = tuple([min(hits, CUE_HITS_COUNTED) for hits in cues])
    has_prose = code_share < 0.3
    has_fence = features.code_fences > 1
    has_code = code_share > 0.15 or has_fence or features.context_code_share > 0.3
    return (
        *cues,
        code_share,
        has_fence,
        has_code and cues[CUE_EDIT] > 0,
        features.math_share if has_prose else 0.0,
        # A short question with a number in it asks about a year more often than for a sum.
        features.digit_share * (words / 20 if words < 20 else 1.0) if has_prose else 0.0,
        words <= SHORT_ASK_WORDS,
        features.question_marks > 0,
    )


def _difficulty(task: int, features: Features, message_count: int) -> float:
    """Longer asks carry more conditions, formulas need exactness, and long conversations much to keep in mind."""
    words, math_share = features.focus_words, features.math_share
    length = words / 400 if words < 400 else 1.0
    formulas = math_share * 4 if math_share < 0.25 else 1.0
    history = message_count / 40 if message_count < 40 else 1.0
    difficulty = TRAITS[task].difficulty + 0.2 * length + 0.1 * formulas + 0.1 * history
    return difficulty if difficulty < 1.0 else 1.0


def _output_tokens(task: int, features: Features, difficulty: float) -> float:
    """Typical of the task, up to twice as long for a hard one; what rewrites its source is about as long as that."""
    typical = TRAITS[task].output_tokens
    if task == TRANSLATION:
        return max(typical, 1.4 * features.focus_words)
    return typical * (0.5 + difficulty)
