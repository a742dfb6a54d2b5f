"""How long a target is waited for: until it is given up, and until it is late enough for another to be asked too."""

from time import monotonic

from gateway.execution.errand import Errand
from gateway.execution.lines import Line

SLOWEST_CREDIBLE_SECONDS_PER_TOKEN = 0.2  # 5 tokens/s: a whole answer slower than this has stalled
SLOWEST_CREDIBLE_SECONDS_PER_INPUT_TOKEN = 0.0005  # 2,000 tokens/s, for a model that only reads
SLOWEST_CREDIBLE_READING_SECONDS_PER_TOKEN = 0.0002  # of a prompt, before the first token: 5,000 tokens/s
FLOOR_SECONDS = 5.0  # no target is given less time to begin, however fast it has been
REASONING_FLOOR_SECONDS = 60.0  # of what thinks before it speaks; how long depends on the question


def patience_seconds(errand: Errand, line: Line) -> float:
    """How long to wait for a stream's first content, or for a whole answer: as long as a slow but live one takes."""
    rules, left = errand.fallback, errand.over_at - monotonic()
    first = rules.reasoning_first_token_seconds if line.reasoning else rules.first_token_seconds
    figures = errand.decision.profile.figures
    if errand.prompt.stream:
        if rules.learned:
            first = min(first, learned_seconds(errand, line))
        return min(first, left)
    if figures.output_tokens == 0:
        return min(first + figures.input_tokens * SLOWEST_CREDIBLE_SECONDS_PER_INPUT_TOKEN, left)
    expected_tokens = errand.prompt.max_output_tokens or 4.0 * figures.output_tokens
    return min(first + expected_tokens * SLOWEST_CREDIBLE_SECONDS_PER_TOKEN, left)


def learned_seconds(errand: Errand, line: Line) -> float:
    """Twice what the target's slowest answers take until their first token, and a long prompt's reading on top."""
    input_tokens = errand.decision.profile.figures.input_tokens
    slowest = errand.health.slowest_first_token_seconds(line.column, monotonic(), input_tokens)
    floor = REASONING_FLOOR_SECONDS if line.reasoning else FLOOR_SECONDS
    return max(floor, 2.0 * slowest) + reading_seconds(errand)


def late_seconds(errand: Errand, line: Line) -> float:
    """After how long a stream's first content is late by the target's own measure; inf while that is not known."""
    input_tokens = errand.decision.profile.figures.input_tokens
    return errand.health.late_first_token_seconds(line.column, monotonic(), input_tokens) + reading_seconds(errand)


def reading_seconds(errand: Errand) -> float:
    """What the prompt's length may excuse."""
    return errand.decision.profile.figures.input_tokens * SLOWEST_CREDIBLE_READING_SECONDS_PER_TOKEN
