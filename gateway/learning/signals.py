"""What conversations say of an answer without a word: asked for again, cut short, refused, a call nobody can do."""

from collections.abc import Iterable

from gateway.accounting.feedback import Answered

# Why an answer ended, in the words of the formats: OpenAI's, Anthropic's, Google's, Cohere's.
SHORT = frozenset({"length", "max_tokens", "max_output_tokens", "MAX_TOKENS", "model_context_window_exceeded"})
REFUSED = frozenset({"content_filter", "refusal", "SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "RECITATION", "SPII"})
AGAIN_SECONDS = 300.0  # in which the same turn, asked again, says that its answer was of no use

GOOD, SHORT_SCORE, BAD = 1.0, 0.3, 0.0


def scores(answers: Iterable[Answered]) -> list[tuple[Answered, float]]:
    """Each answer, oldest first, with how good it seems from 0 to 1.

    A turn counts as asked again when the same key asks in the same named session with as many tokens soon after;
    a conversation that goes on has more of them.
    """
    ordered = sorted(answers, key=lambda one: one.time)
    again: set[int] = set()
    last: dict[tuple[str, str], int] = {}
    for number, one in enumerate(ordered):
        if one.session:
            before = last.get((one.key, one.session))
            if before is not None and is_again(ordered[before], one):
                again.add(before)
            last[one.key, one.session] = number
    return [(one, BAD if number in again else score_of(one)) for number, one in enumerate(ordered)]


def is_again(before: Answered, now: Answered) -> bool:
    return now.input_tokens == before.input_tokens and now.time - before.time <= AGAIN_SECONDS


def score_of(answer: Answered) -> float:
    """By how it ended. What was cut short is often in the middle of a call, which says nothing more."""
    if answer.finish in REFUSED:
        return BAD
    if answer.finish in SHORT:
        return SHORT_SCORE
    return BAD if answer.malformed_call else GOOD
