"""What there is to tell a caller, whatever format it is told in."""

from typing import NamedTuple

from msgspec import Struct

from gateway.simulator.answer import Answer
from gateway.simulator.extras import Counts, Extras


class Identity(Struct, frozen=True):
    """What every chunk of one reply repeats."""

    id: str
    created: int  # seconds since the epoch
    model: str


class Event(NamedTuple):
    """One event of a stream, complete with what parts it from the next, and the output tokens in it."""

    data: bytes
    tokens: int = 0
    is_finish: bool = False  # it says how a choice ended


class Telling(Struct, frozen=True):
    """One answer, by whom, and what the caller asked to have beside the text."""

    answer: Answer
    who: Identity
    extras: Extras

    @property
    def counts(self) -> Counts:
        """What is stated as used: the truth, unless a fault says otherwise."""
        return self.extras.false_counts or counts_of(self.answer)


def counts_of(answer: Answer) -> Counts:
    """What was used. No vendor counts vectors."""
    output = answer.output_tokens - len(answer.vectors)
    return Counts(
        prompt=answer.prompt_tokens,
        fresh=answer.prompt_tokens - answer.cached_tokens,
        cached=answer.cached_tokens,
        output=output,
        reasoning=answer.reasoning_tokens,
        visible=output - answer.reasoning_tokens,
        total=answer.prompt_tokens + output,
    )
