"""What a decision is made of: the reasons that rule a target out, the ranking, and the table that explains it."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from core.dimensions import DIMENSIONS
from core.matrix import F32, MOST_BLENDED, MOST_WARM, U8, PolicyVector, RequestFigures

# A stream is useful from its first token on, but not all of it: people read about 5 tokens a second, models write 20
# to 200, so most of the writing time passes unnoticed; programs and agents still wait for the end. Hence a stream's
# latency is the first token plus a quarter of the writing time. `max_latency_seconds` always means the whole answer.
STREAM_WRITING_SHARE = 0.25
TOLD = 2  # columns of a ranking that come taken apart: the first choice and its runner-up


class Reason(IntEnum):
    """Why a target was ruled out. The first one that applies, in this order, is the one recorded."""

    ELIGIBLE = 0
    NOT_ALLOWED = 1  # by the router's or the caller's lists
    ABILITY = 2  # lacks something that the request needs
    WINDOW = 3  # input and output do not fit the context window, or the input is over the input limit
    OUTPUT_LIMIT = 4  # the caller asks for more output than the target can give
    UNPRICED = 5  # no stated price while the router limits cost
    COST = 6
    LATENCY = 7  # expected time to the whole answer
    FIRST_TOKEN = 8
    QUALITY = 9
    CARBON = 10


class Parts(NamedTuple):
    """A score taken apart for people: six significant digits, one entry per dimension."""

    score: float
    figures: tuple[float, ...]  # in each dimension's unit
    utilities: tuple[float, ...]  # 0-1; in money the figures, above zero where that is good
    contributions: tuple[float, ...]  # weight x utility; they add up to the score


class Ranking(NamedTuple):
    """The best targets, best first: `normal` ordinary ones, then the last resorts. Ties go to the lower column."""

    columns: list[int]
    scores: list[float]
    normal: int
    told: dict[int, Parts]  # of the first TOLD columns
    reasons: dict[int, int]  # Reason -> number of targets, where there are any


class DecisionTable(NamedTuple):
    """Everything that `decide` looked at; the arrays are the caller's to keep. Rows are those of DIMENSIONS."""

    figures: F32  # [5, n] in each dimension's unit
    utility: F32  # [5, n] 0-1; in money the distance from each dimension's `free`, above zero where that is good
    score: F32  # [n] 0-1, or USD; also of targets that are ruled out
    reason: U8  # [n] Reason
    last_resort: U8  # [n] 1: cooling, broken or less available than the router wants


def parts_of(table: DecisionTable, weights: F32, column: int) -> Parts:
    """One column's score, taken apart. weights: [5], those the table was made with."""
    utilities = table.utility[:, column].tolist()
    return Parts(
        significant(float(table.score[column])),
        tuple(significant(figure) for figure in table.figures[:, column].tolist()),
        tuple(significant(utility) for utility in utilities),
        tuple(significant(weight * utility) for weight, utility in zip(weights.tolist(), utilities, strict=True)),
    )


def counts_of(reasons: U8) -> dict[int, int]:
    """Reason -> number of targets, where there are any. reasons: [n]."""
    return {reason: count for reason, count in enumerate(np.bincount(reasons).tolist()) if count}


def significant(x: float) -> float:
    """To six significant digits: a float32 has seven, and as a double it reads 0.05880134925246239."""
    return float(f"{x:.6g}")


def check_policy(policy: PolicyVector) -> None:
    """Raise ValueError unless every dimension has a weight and, but in money, anchors that make a curve."""
    expected = (len(DIMENSIONS),)
    if not policy.weights.shape == policy.good.shape == policy.bad.shape == expected:
        raise ValueError(f"policy: weights, good and bad have shape {expected}, one entry per dimension")
    if policy.in_money:
        return
    for dimension, good, bad in zip(DIMENSIONS, policy.good.tolist(), policy.bad.tolist(), strict=True):
        fits = 0 < good < bad if dimension.curve == "log" else bad < good
        if not fits:
            expectation = "0 < good < bad" if dimension.curve == "log" else "bad < good"
            raise ValueError(f"policy: {dimension.name} has anchors good {good:g}, bad {bad:g}; need {expectation}")


def check_blend(request: RequestFigures, rows: int) -> None:
    """Raise ValueError unless quality can be blended as the request says."""
    if len(request.blend) > MOST_BLENDED or not all(0 <= row < rows for row, _ in request.blend):
        raise ValueError(
            f"scorer: blend is {request.blend}; at most {MOST_BLENDED} rows, each one of the matrix's {rows} tasks"
        )


def check_warm(request: RequestFigures, n: int) -> None:
    """Raise ValueError unless every warm column exists and holds no more than the request. n: number of targets."""
    if len(request.warm) > MOST_WARM:
        raise ValueError(f"scorer: {len(request.warm)} columns are warm; there may be {MOST_WARM}")
    for column, tokens in request.warm:
        if not (0 <= column < n and 0 <= tokens <= request.input_tokens):
            raise ValueError(f"scorer: column {column} of {n} has {tokens:g} of {request.input_tokens:g} tokens warm")
