"""What callers ask to have beside the text, in the vocabulary of all formats."""

from msgspec import Struct


class Counts(Struct, frozen=True):
    """Tokens as stated. Numbers, unless a fault states something else."""

    prompt: object
    fresh: object  # of the prompt, not read from the cache
    cached: object
    output: object
    reasoning: object  # of the output
    visible: object  # of the output, the rest
    total: object


class Extras(Struct, frozen=True):
    """Each format has some of these."""

    usage_in_stream: bool = False
    logprobs: bool = False
    top_logprobs: int = 0
    shows_thoughts: bool = True
    seals_thoughts: bool = False  # encrypted, for the caller to send back
    encodings: tuple[str, ...] = ("float",)  # of vectors
    echo: dict[str, object] = {}  # members of the request that the answer repeats
    false_counts: Counts | None = None  # stated instead of what was used
    tells_usage: bool = True
