"""Latency by the size of the prompt: a long one is read before it is answered, so its seconds are no short one's."""

import math
from bisect import bisect_right

import numpy as np

from core.latency import QUANTILE_SAMPLES, LatencyBook
from core.matrix import F32

SIZE_BOUNDS = (1_000.0, 8_000.0, 32_000.0)  # input tokens, by our estimate: chat, documents, code and agents, beyond
SIZES = len(SIZE_BOUNDS) + 1
LENT_SHARE = 0.25  # of an answer's weight, for each step between its size and the one that is asked about
PRIOR_SAMPLES = 5.0  # a prior weighs as much as five fresh answers

# For each size all sizes, itself first and the furthest last. Of two that are equally near the larger one goes first,
# since it errs on the slow side.
NEAREST = ((0, 1, 2, 3), (1, 2, 0, 3), (2, 3, 1, 0), (3, 2, 1, 0))


def size_of(input_tokens: float) -> int:
    """The class of a prompt's size, 0 to SIZES - 1."""
    return bisect_right(SIZE_BOUNDS, input_tokens)


class SizedLatencyBook:
    """Durations of one kind for `n` targets and each size of prompt. What a size lacks it borrows from its neighbours.

    `size` is what `size_of` says. It is one LatencyBook, with a place for each target in each size: all of the first
    size, then all of the second. A target costs 0.7 KB for each size in which it has answered.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._book = LatencyBook(n * SIZES)
        self._first_places = np.arange(SIZES)[:, np.newaxis] * n

    def observe(self, target: int, size: int, seconds: float, now: float) -> None:
        """An answer to a prompt of this size took `seconds`, to its first token or for each token."""
        self._book.observe(size * self._n + target, seconds, now)

    def blend(self, prior: F32, size: int, now: float) -> F32:
        """Prior and running means of every target, in seconds, mixed in their logarithms.

        The share of the size's own answers is w / (w + 5), w being the number of them that still count: at first the
        prior stands alone, 20 fresh answers leave it a fifth, and a target that nobody has used for long drifts back to
        it. What is known of the other sizes, the nearer the more, takes the prior's place in the same way: an answer
        counts a quarter in the next size and a sixteenth in the one after. A prior of 0 stays as it is.
        """
        known = self._book.answered().reshape(SIZES, self._n).any(axis=0)
        targets = np.flatnonzero(known & (prior > 0))
        if not len(targets):
            return prior
        weight, log_mean = self._book.evidence(self._first_places + targets, now)
        log = np.log(prior[targets], dtype=np.float64)
        for other in reversed(NEAREST[size]):
            counted = weight[other] * LENT_SHARE ** abs(other - size)
            log += counted / (counted + PRIOR_SAMPLES) * (log_mean[other] - log)
        blended = prior.copy()
        blended[targets] = np.exp(log)
        return blended

    def quantile(self, target: int, size: int, q: float, now: float, least_samples: int = QUANTILE_SAMPLES) -> float:
        """Seconds at quantile `q`; of the nearest size that has had enough answers. nan where none has."""
        for other in NEAREST[size]:
            place = other * self._n + target
            if self._book.samples(place) >= least_samples:
                seconds = self._book.quantile(place, q, now)
                if not math.isnan(seconds):
                    return seconds
        return math.nan

    def adopt(self, target: int, other: "SizedLatencyBook", other_target: int) -> None:
        """Take over what `other` has learned of the target that it calls `other_target`."""
        for size in range(SIZES):
            self._book.adopt(size * self._n + target, other._book, size * other._n + other_target)
