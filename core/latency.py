"""What recent answers say of each target's speed: decaying histograms and running means; `now` is an argument."""

import math

import numpy as np
from numpy.typing import NDArray

from core.matrix import F32

HALF_LIFE_SECONDS = 180.0  # an answer of three minutes ago counts half
BIN_RATIO = 1.1  # bins are 10% apart, so a quantile is at most half a bin, 5%, off
SHORTEST_SECONDS = 1e-4  # 10,000 tokens a second
LONGEST_SECONDS = 600.0  # a gateway gives up by then; longer answers count as this
BIN_COUNT = math.ceil(math.log(LONGEST_SECONDS / SHORTEST_SECONDS, BIN_RATIO))
QUANTILE_SAMPLES = 20  # with fewer a quantile is a guess
MEAN_SHARE = 0.1  # of a new answer in the running mean: about the last ten answers
PRIOR_SAMPLES = 5.0  # a prior weighs as much as five fresh answers


class LatencyBook:
    """Durations of one kind, either seconds to first token or seconds per output token, for `n` targets.

    Only answers belong in it: a refused connection is not a fast answer. Durations of 0 or less, and those that are not
    finite, are ignored. A target costs nothing until its first answer and 0.7 KB from then on: 1.4 MB for 2,000.
    """

    def __init__(self, n: int) -> None:
        self._bins: dict[int, NDArray[np.float32]] = {}  # weights of answers at `_counted_at`
        self._weight = np.zeros(n)  # sum of the bins
        self._log_mean = np.full(n, np.nan)
        self._counted_at = np.zeros(n)  # monotonic seconds
        self._seen = np.zeros(n, np.int64)

    def observe_first_token(self, target: int, seconds: float, now: float) -> None:
        """An answer's first token came after `seconds`."""
        self._observe(target, seconds, now)

    def observe_speed(self, target: int, seconds_per_token: float, now: float) -> None:
        """An answer was written at `seconds_per_token`."""
        self._observe(target, seconds_per_token, now)

    def quantile(self, target: int, q: float, now: float) -> float:
        """Seconds at quantile `q` of `target`, weighted to the last few minutes.

        q: in (0, 1). now: monotonic seconds. nan until 20 samples have been seen, and again when what is left of them
        counts for less than one. Bins are log-spaced 10% apart, so the error is at most half a bin, 5%.
        """
        if self._seen[target] < QUANTILE_SAMPLES or self._weight_at(target, now) < 1.0:
            return math.nan
        reached = np.cumsum(self._bins[target], dtype=np.float64)
        index = int(np.searchsorted(reached, q * reached[-1]))
        return float(SHORTEST_SECONDS * BIN_RATIO ** (index + 0.5))

    def mean(self, target: int) -> float:
        """Running geometric mean in seconds over about the last ten answers; nan before the first one.

        Geometric, so that one answer of a minute among many of a second does not rule a target out.
        """
        return math.exp(self._log_mean[target])

    def samples(self, target: int) -> int:
        """Answers ever seen of `target`."""
        return int(self._seen[target])

    def blend(self, prior: F32, now: float) -> F32:
        """Prior and running mean of every target, in seconds, mixed in their logarithms.

        The live share is w / (w + 5), w being the number of answers that still count: at first the prior stands alone,
        20 fresh answers leave it a fifth, and a target that nobody has used for long drifts back to it. A prior of 0
        stays as it is.
        """
        weight = self._weight * self._kept(self._counted_at, now)
        share = weight / (weight + PRIOR_SAMPLES)
        live = np.flatnonzero((self._seen > 0) & (prior > 0))
        blended = prior.copy()
        logs = (1 - share[live]) * np.log(prior[live]) + share[live] * self._log_mean[live]
        blended[live] = np.exp(logs)
        return blended

    def adopt(self, target: int, other: "LatencyBook", other_target: int) -> None:
        """Take over what `other` has learned of the target that it calls `other_target`."""
        bins = other._bins.get(other_target)
        if bins is None:
            return
        self._bins[target] = bins.copy()
        self._weight[target] = other._weight[other_target]
        self._log_mean[target] = other._log_mean[other_target]
        self._counted_at[target] = other._counted_at[other_target]
        self._seen[target] = other._seen[other_target]

    def _observe(self, target: int, seconds: float, now: float) -> None:
        if not 0.0 < seconds < math.inf:
            return
        bins = self._bins.get(target)
        if bins is None:
            bins = self._bins[target] = np.zeros(BIN_COUNT, np.float32)
            self._log_mean[target] = math.log(seconds)
        kept = float(self._kept(self._counted_at[target], now))
        bins *= np.float32(kept)
        bins[bin_of(seconds)] += 1.0
        self._weight[target] = self._weight[target] * kept + 1.0
        self._log_mean[target] += MEAN_SHARE * (math.log(seconds) - self._log_mean[target])
        self._counted_at[target] = now
        self._seen[target] += 1

    def _weight_at(self, target: int, now: float) -> float:
        return float(self._weight[target] * self._kept(self._counted_at[target], now))

    @staticmethod
    def _kept(counted_at: NDArray[np.float64] | np.float64, now: float) -> NDArray[np.float64]:
        # Two answers may be reported out of order; time that runs backwards must not inflate the past.
        return np.asarray(0.5 ** (np.maximum(now - counted_at, 0.0) / HALF_LIFE_SECONDS))


def bin_of(seconds: float) -> int:
    """The bin that counts `seconds`; the outermost bins take what lies beyond them."""
    return min(max(int(math.log(seconds / SHORTEST_SECONDS, BIN_RATIO)), 0), BIN_COUNT - 1)
