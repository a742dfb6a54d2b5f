"""The kinds of work that a prompt can ask for, and what is typical of each."""

from typing import NamedTuple

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

TOLD_BY_STRUCTURE = {AGENT_STEP, VISION, LONG_CONTEXT}
TEXT_TASKS = tuple(name for task, name in enumerate(TASKS) if task not in TOLD_BY_STRUCTURE)  # told by the wording


class TaskTraits(NamedTuple):
    """What is typical of a task.

    AlpacaEval's answers have a median of 205 tokens, those to MMLU-Pro questions 104, as models of 2023 and 2024 wrote
    them; models write about twice as much now. The other lengths are judged against these.
    """

    difficulty: float  # 0-1
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
