"""What recent answers say of each target's speed: decaying histograms and running means; `now` is an argument."""

import math
from array import array

import numpy as np
from numpy.typing import NDArray

HALF_LIFE_SECONDS = 180.0  # an answer of three minutes ago counts half
BIN_RATIO = 1.1  # bins are 10% apart, so a quantile is at most half a bin, 5%, off
SHORTEST_SECONDS = 1e-4  # 10,000 tokens a second
LONGEST_SECONDS = 600.0  # a gateway gives up by then; longer answers count as this
BIN_COUNT = math.ceil(math.log(LONGEST_SECONDS / SHORTEST_SECONDS, BIN_RATIO))
LOG_SHORTEST = math.log(SHORTEST_SECONDS)
LOG_RATIO = math.log(BIN_RATIO)
QUANTILE_SAMPLES = 20  # with fewer a quantile is a guess
MEAN_SHARE = 0.1  # of a new answer in the running mean: about the last ten answers
MOST_DOUBLINGS = 64.0  # of a fresh answer's weight, 3.2 hours; a float32 bin would hold 127


class LatencyBook:
    """Durations of one kind, either seconds to first token or seconds per output token, for `n` targets.

    Only answers belong in it: a refused connection is not a fast answer. Durations of 0 or less, and those that are not
    finite, are ignored. A target costs nothing until its first answer and 0.7 KB from then on: 1.4 MB for 2,000.

    Instead of letting the past shrink with every answer, new answers weigh more and more: twice as much per half-life
    since the target's epoch. What an answer counts for now is its weight over that of an answer given now. The numbers
    are in arrays of the standard library, since Python computes several times as fast with floats as with numpy's.
    """

    def __init__(self, n: int) -> None:
        self._bins: dict[int, array[float]] = {}  # weights of answers
        self._weight = _numbers(n)  # sum of the bins
        self._log_mean = _numbers(n)
        self._epoch = _numbers(n)  # monotonic second at which an answer weighs 1
        self._latest = _numbers(n)  # monotonic second of the latest answer
        self._seen = array("q", bytes(8 * n))

    def observe(self, target: int, seconds: float, now: float) -> None:
        """An answer took `seconds`: to its first token, or for each token of it."""
        if not 0.0 < seconds < math.inf:
            return
        log = math.log(seconds)
        bins = self._bins.get(target)
        if bins is None:
            bins = self._begin(target, log, now)
        doublings = (now - self._epoch[target]) / HALF_LIFE_SECONDS
        if doublings > MOST_DOUBLINGS:
            bins = self._move_epoch(target, now)
            doublings = 0.0
        weight: float = 2.0**doublings
        bins[_bin_of(log)] += weight
        self._weight[target] += weight
        self._log_mean[target] += MEAN_SHARE * (log - self._log_mean[target])
        self._seen[target] += 1
        if now > self._latest[target]:
            self._latest[target] = now

    def quantile(self, target: int, q: float, now: float) -> float:
        """Seconds at quantile `q` of `target`, weighted to the last few minutes.

        q: in (0, 1). now: monotonic seconds. nan until 20 samples have been seen, and again when what is left of them
        counts for less than one. Bins are log-spaced 10% apart, so the error is at most half a bin, 5%.
        """
        if self._seen[target] < QUANTILE_SAMPLES:
            return math.nan
        doublings = (max(now, self._latest[target]) - self._epoch[target]) / HALF_LIFE_SECONDS
        if self._weight[target] * 0.5**doublings < 1.0:
            return math.nan
        reached = np.cumsum(self._bins[target], dtype=np.float64)
        index = int(np.searchsorted(reached, q * reached[-1]))
        return float(SHORTEST_SECONDS * BIN_RATIO ** (index + 0.5))

    def mean(self, target: int) -> float:
        """Running geometric mean in seconds over about the last ten answers; nan before the first one.

        Geometric, so that one answer of a minute among many of a second does not rule a target out.
        """
        return math.exp(self._log_mean[target]) if self._seen[target] else math.nan

    def samples(self, target: int) -> int:
        """Answers ever seen of `target`."""
        return self._seen[target]

    def evidence(self, targets: NDArray[np.intp], now: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How many answers of each target still count, and the logarithm of the running mean. 0 and 0 without any."""
        latest, epoch = np.asarray(self._latest)[targets], np.asarray(self._epoch)[targets]
        # Two answers may be reported out of order; time that runs backwards must not inflate the past.
        doublings = (np.maximum(latest, now) - epoch) / HALF_LIFE_SECONDS
        return np.asarray(self._weight)[targets] * np.exp2(-doublings), np.asarray(self._log_mean)[targets]

    def answered(self) -> NDArray[np.bool_]:
        """[n] which targets have ever answered."""
        return np.asarray(self._seen) > 0

    def adopt(self, target: int, other: "LatencyBook", other_target: int) -> None:
        """Take over what `other` has learned of the target that it calls `other_target`."""
        bins = other._bins.get(other_target)
        if bins is None:
            return
        self._bins[target] = bins[:]
        self._weight[target] = other._weight[other_target]
        self._log_mean[target] = other._log_mean[other_target]
        self._epoch[target] = other._epoch[other_target]
        self._latest[target] = other._latest[other_target]
        self._seen[target] = other._seen[other_target]

    def _begin(self, target: int, log: float, now: float) -> "array[float]":
        self._log_mean[target] = log
        self._epoch[target] = self._latest[target] = now
        bins = self._bins[target] = array("f", bytes(4 * BIN_COUNT))
        return bins

    def _move_epoch(self, target: int, now: float) -> "array[float]":
        """Let an answer at `now` weigh 1, and what came before it as much less."""
        kept: float = 0.5 ** ((now - self._epoch[target]) / HALF_LIFE_SECONDS)
        bins = self._bins[target] = array("f", [weight * kept for weight in self._bins[target]])
        self._weight[target] *= kept
        self._epoch[target] = now
        return bins


def _numbers(n: int) -> "array[float]":
    return array("d", bytes(8 * n))


def _bin_of(log_seconds: float) -> int:
    """The bin that counts a duration; the outermost bins take what lies beyond them."""
    return min(max(int((log_seconds - LOG_SHORTEST) / LOG_RATIO), 0), BIN_COUNT - 1)
