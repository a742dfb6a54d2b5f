"""Representations and their corrections, with numpy: the definition that the compiled twin is held to."""

import math

import numpy as np
from numpy.typing import NDArray

from core.grams import Sums
from core.representation import CONSTANT, MOST_COUNTED, MOST_MOVED, MOST_WEIGHT, PER_LOG_ODD, SIZE, STEP, SUMS
from core.text import Features

I32 = NDArray[np.int32]


class Representer:
    """Writes representations. factors: [SUMS] log odds that one of a table's steps is worth, per task."""

    def __init__(self, version: int, factors: tuple[float, ...]) -> None:
        if not 0 < version < 128 or len(factors) != SUMS:
            raise ValueError(f"representation: a version from 1 to 127 and {SUMS} factors are expected")
        self._version = version
        self._factors = factors

    def write(self, sums: Sums, familiar: float, features: Features) -> bytes:
        """SIZE bytes. familiar: 0-1, the share of the words that training has met."""
        by_runs, by_words = 1.0 / math.sqrt(max(sums.run_count, 1)), 1.0 / math.sqrt(max(sums.word_count, 1))
        figures = [
            *(PER_LOG_ODD * (factor * (run * by_runs)) for factor, run in zip(self._factors, sums.runs, strict=False)),
            *(
                PER_LOG_ODD * (factor * (word * by_words))
                for factor, word in zip(self._factors, sums.words, strict=False)
            ),
            *structure(features, familiar),
        ]
        return bytes([self._version]) + bytes(round(min(max(figure, -127.0), 127.0)) & 0xFF for figure in figures)


def structure(features: Features, familiar: float) -> list[float]:
    """[STRUCTURE]; each moves over some 60 steps in the prompts that there are."""
    return [
        4.0 * math.log2(1.0 + features.focus_words),
        3.2 * math.log2(1.0 + features.focus_characters),
        64.0 * features.code_share,
        64.0 * features.digit_share,
        64.0 * features.upper_share,
        64.0 * features.non_latin_share,
        64.0 * features.math_share,
        16.0 * min(features.question_marks, MOST_COUNTED),
        16.0 * min(features.code_fences, MOST_COUNTED),
        *(16.0 * min(count, MOST_COUNTED) for count in features.cues),
        32.0 * familiar,
    ]


class Correction:
    """What own labels have taught. weights: [SIZE, SUMS] int32, in STEPs, each MOST_WEIGHT at most."""

    def __init__(self, weights: I32) -> None:
        if weights.shape != (SIZE, SUMS) or weights.dtype != np.int32 or np.abs(weights).max() > MOST_WEIGHT:
            raise ValueError(f"correction: the weights must be int32 [{SIZE}, {SUMS}] of {MOST_WEIGHT} at most")
        self._weights = weights.astype(np.int64)

    def moved(self, odds: list[float], representation: bytes) -> list[float]:
        """The odds of each task, as labels have taught them. Raises ValueError for another representation."""
        if len(representation) != SIZE or len(odds) != SUMS:
            raise ValueError(f"correction: {SIZE} bytes and {SUMS} odds are expected")
        entries = np.frombuffer(representation, np.int8).astype(np.int64)
        entries[0] = CONSTANT
        moves = (entries @ self._weights).tolist()
        return [
            odd * math.exp(min(max(move * STEP, -MOST_MOVED), MOST_MOVED))
            for odd, move in zip(odds, moves, strict=True)
        ]
