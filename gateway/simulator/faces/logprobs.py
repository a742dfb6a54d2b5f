"""Made-up probabilities of tokens, as OpenAI tells them."""

import math

from gateway.simulator.telling import Telling

# With the token itself as many as can be asked for, even if it is one of them.
ALTERNATIVES = (
    " the", " a", " of", " and", " to", " in", " it", " is", " was", " for",
    " on", " with", " by", " at", " from", " or", " an", " as", " not", " but",
)  # fmt: skip


def logprob_of(token: str) -> float:
    """The same for the same token, and at least a half: more likely than all others together."""
    return -0.001 * (1 + sum(token.encode()) % 680)


def ranked(token: str, count: int) -> list[tuple[str, float]]:
    """The `count` most likely tokens: `token`, and for each alternative half of what is left to one."""
    first = logprob_of(token)
    left = math.log(1 - math.exp(first))
    others = [word for word in ALTERNATIVES if word != token]
    return [(token, first), *((word, left - rank * math.log(2)) for rank, word in enumerate(others, 1))][:count]


def openai_logprob(token: str, telling: Telling) -> dict[str, object]:
    """An entry of `logprobs.content`."""
    top = [_entry(*entry) for entry in ranked(token, telling.extras.top_logprobs)]
    return {**_entry(token, logprob_of(token)), "top_logprobs": top}


def _entry(token: str, logprob: float) -> dict[str, object]:
    return {"token": token, "logprob": round(logprob, 6), "bytes": list(token.encode())}
