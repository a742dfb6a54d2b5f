"""Latency by the size of the prompt: a long one is read before it is answered, so its seconds are no short one's."""

import math
from bisect import bisect_right

from core.latency import QUANTILE_SAMPLES, LatencyBook
from core.matrix import F32

SIZE_BOUNDS = (1_000.0, 8_000.0, 32_000.0)  # input tokens, by our estimate: chat, documents, code and agents, beyond
SIZES = len(SIZE_BOUNDS) + 1
LENT_SHARE = 0.25  # of an answer's weight, for each step between its size and the one that is asked about

# For each size all sizes, itself first and the furthest last. Of two that are equally near the larger one goes first,
# since it errs on the slow side.
NEAREST = ((0, 1, 2, 3), (1, 2, 0, 3), (2, 3, 1, 0), (3, 2, 1, 0))


def size_of(input_tokens: float) -> int:
    """The class of a prompt's size, 0 to SIZES - 1."""
    return bisect_right(SIZE_BOUNDS, input_tokens)


class SizedLatencyBook:
    """A LatencyBook for each size of prompt. What a size lacks it borrows from those next to it.

    `size` is what `size_of` says. A target costs 0.7 KB for each size in which it has answered.
    """

    def __init__(self, n: int) -> None:
        self._books = tuple(LatencyBook(n) for _ in range(SIZES))

    def observe(self, target: int, size: int, seconds: float, now: float) -> None:
        """An answer to a prompt of this size took `seconds`, to its first token or for each token."""
        self._books[size].observe(target, seconds, now)

    def blend(self, prior: F32, size: int, now: float) -> F32:
        """Prior and answers of every target, in seconds; see LatencyBook.blend.

        What is known of the other sizes, the nearer the more, takes the prior's place: an answer counts a quarter in
        the next size and a sixteenth in the one after. So a size's own answers rule as soon as there are a few.
        """
        figures = prior
        for other in reversed(NEAREST[size]):
            figures = self._books[other].blend(figures, now, LENT_SHARE ** abs(other - size))
        return figures

    def quantile(self, target: int, size: int, q: float, now: float, least_samples: int = QUANTILE_SAMPLES) -> float:
        """Seconds at quantile `q`; of the nearest size that has had enough answers. nan where none has."""
        for other in NEAREST[size]:
            book = self._books[other]
            if book.samples(target) >= least_samples and not math.isnan(seconds := book.quantile(target, q, now)):
                return seconds
        return math.nan

    def adopt(self, target: int, other: "SizedLatencyBook", other_target: int) -> None:
        """Take over what `other` has learned of the target that it calls `other_target`."""
        for book, others in zip(self._books, other._books, strict=True):
            book.adopt(target, others, other_target)
