"""The scorer in numpy: the definition that the compiled twin is held to. float32 throughout."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.decision import (
    STREAM_WRITING_SHARE,
    TOLD,
    DecisionTable,
    Ranking,
    Reason,
    check_blend,
    check_policy,
    check_warm,
    counts_of,
    parts_of,
)
from core.decision import significant as significant  # defined there, since the table is explained with it too
from core.dimensions import DIMENSIONS
from core.matrix import F32, U8, CatalogMatrix, LiveFigures, PolicyVector, RequestFigures

MAX_RANKED = 64  # the compiled twin ranks in a buffer on the stack


def rank(utility: F32, weights: F32, eligible: U8, k: int) -> tuple[list[int], list[float]]:
    """Columns and scores of the `k` best eligible targets, best first, ties by lower column.

    utility: [5, n], in [0, 1]. weights: [5]. eligible: [n], 0 or not. k: 1 to 64; fewer come back when fewer are
    eligible.
    """
    rows = len(DIMENSIONS)
    if utility.shape[0] != rows or weights.shape[0] != rows or eligible.shape[0] != utility.shape[1]:
        raise ValueError(f"rank: utility must be [{rows}, n], weights [{rows}], eligible [n]")
    if not 1 <= k <= MAX_RANKED:
        raise ValueError(f"rank: k is {k}; it is 1 to {MAX_RANKED}")
    return _head(_weigh(weights, utility), eligible != 0, k)


class Scorer:
    """Scores every target of one catalog for a request. The compiled twin keeps scratch rows: one Scorer per thread."""

    def __init__(self, matrix: CatalogMatrix) -> None:
        self._matrix = matrix

    def decide(self, live: LiveFigures, request: RequestFigures, policy: PolicyVector, allowed: U8, k: int) -> Ranking:
        """The `k` best targets for `request` under `policy`; k: 1 or more. Last resorts follow all ordinary ones."""
        if k < 1:
            raise ValueError(f"decide: k is {k}; it is 1 or more")
        table = self.table(live, request, policy, allowed)
        eligible = table.reason == Reason.ELIGIBLE
        columns, scores = _head(table.score, eligible & (table.last_resort == 0), k)
        last_columns, last_scores = _head(table.score, eligible & (table.last_resort != 0), k - len(columns))
        every = columns + last_columns
        return Ranking(
            columns=every,
            scores=scores + last_scores,
            normal=len(columns),
            told={column: parts_of(table, policy.weights, column) for column in every[:TOLD]},
            reasons=counts_of(table.reason),
        )

    def table(self, live: LiveFigures, request: RequestFigures, policy: PolicyVector, allowed: U8) -> DecisionTable:
        """All that `decide` looks at, for every target: what explains a decision and replays it."""
        _check(self._matrix, live, request, allowed)
        check_policy(policy)
        tokens = _tokens(self._matrix, request)
        whole_answer_seconds = live.first_token_seconds + tokens.output * live.seconds_per_output_token
        figures = np.stack(
            [
                _cost_usd(self._matrix, tokens, request),
                _latency_seconds(live, tokens, request),
                _quality(self._matrix, request),
                live.availability,
                _carbon_g(self._matrix, tokens),
            ]
        )
        utility = _utility(figures, policy)
        return DecisionTable(
            figures=figures,
            utility=utility,
            score=_weigh(policy.weights, utility),
            reason=_reasons(self._matrix, live, request, policy, allowed, tokens, figures, whole_answer_seconds),
            last_resort=((live.out != 0) | (live.availability < policy.min_availability)).astype(np.uint8),
        )


class _Tokens(NamedTuple):
    """Tokens of the request, by each target's own count. [n] each."""

    input: F32
    fresh: F32  # of the input, not read from the cache
    cached: F32
    output: F32  # expected


def _tokens(matrix: CatalogMatrix, request: RequestFigures) -> _Tokens:
    input_tokens = request.input_tokens * matrix.token_ratio
    cached = np.zeros_like(input_tokens)
    for column, tokens in request.warm:
        cached[column] = np.float32(tokens) * matrix.token_ratio[column]
    output = np.minimum(request.output_tokens * matrix.output_ratio, matrix.output_limit)
    if request.max_output_tokens > 0:
        output = np.minimum(output, np.float32(request.max_output_tokens))
    return _Tokens(input_tokens, input_tokens - cached, cached, output)


def _cost_usd(matrix: CatalogMatrix, tokens: _Tokens, request: RequestFigures) -> F32:
    token_price = np.where(tokens.input > matrix.tier_from, matrix.tier_price, matrix.price[:3])
    image_price, request_price = matrix.price[3:]
    fresh_price = token_price[0] * (1 + matrix.write_surcharge) if request.writes else token_price[0]
    token_cost = tokens.fresh * fresh_price + tokens.cached * token_price[1] + tokens.output * token_price[2]
    cost: F32 = token_cost + request.images * image_price + request_price
    return cost


def _latency_seconds(live: LiveFigures, tokens: _Tokens, request: RequestFigures) -> F32:
    """Seconds until the answer is useful: see STREAM_WRITING_SHARE."""
    felt_share = STREAM_WRITING_SHARE if request.stream else 1.0
    seconds: F32 = live.first_token_seconds + felt_share * tokens.output * live.seconds_per_output_token
    return seconds


def _quality(matrix: CatalogMatrix, request: RequestFigures) -> F32:
    """Expected probability of a good answer, over the tasks that it may be."""
    quality: F32 = matrix.quality[request.task]
    if request.blend:
        quality = np.zeros_like(quality)
        for row, share in request.blend:
            quality += np.float32(share) * matrix.quality[row]
    if request.odds != 1.0:
        odds = np.float32(request.odds)
        quality = quality * odds / (1 + quality * (odds - 1))
    return quality


def _carbon_g(matrix: CatalogMatrix, tokens: _Tokens) -> F32:
    grams: F32 = tokens.fresh * matrix.carbon[0] + tokens.cached * matrix.carbon[1] + tokens.output * matrix.carbon[2]
    return grams


def _utility(figures: F32, policy: PolicyVector) -> F32:
    """Each figure through its dimension's curve, clipped to [0, 1]. On a log curve a figure of 0 or less is worth 1.

    In money: what it is above `free`, or below where less is better.

    The logarithm is taken of figure / bad, so that its rounding error is relative to the utility itself, whatever the
    distance of the anchors.
    """
    utility = np.empty_like(figures)
    for row, dimension in enumerate(DIMENSIONS):
        figure, good, bad = figures[row], float(policy.good[row]), float(policy.bad[row])
        if policy.in_money:
            utility[row] = (figure - dimension.free) * dimension.sign
        elif dimension.curve == "log":
            positive = np.where(figure > 0, figure, np.float32(good))
            utility[row] = np.log(positive / bad) / math.log(good / bad)
        else:
            utility[row] = (figure - bad) / (good - bad)
    return utility if policy.in_money else np.clip(utility, 0.0, 1.0)


def _weigh(weights: F32, utility: F32) -> F32:
    """Sum over d of weight[d] * utility[d], row by row: `weights @ utility` may round equal columns differently."""
    score: F32 = np.zeros_like(utility[0])
    for weight, row in zip(weights, utility, strict=True):
        score += weight * row
    return score


def _reasons(
    matrix: CatalogMatrix,
    live: LiveFigures,
    request: RequestFigures,
    policy: PolicyVector,
    allowed: U8,
    tokens: _Tokens,
    figures: F32,
    whole_answer_seconds: F32,
) -> U8:
    # Providers refuse a request whose input and *stated* output limit overflow the window, however short the answer.
    reserved = request.max_output_tokens if request.max_output_tokens > 0 else tokens.output
    cost, _, quality, _, carbon = figures
    limits_cost = policy.max_cost_usd < np.inf
    needs = np.uint32(request.needs)
    failing: Sequence[tuple[Reason, NDArray[np.bool_]]] = (
        (Reason.NOT_ALLOWED, allowed == 0),
        (Reason.ABILITY, (matrix.abilities & needs) != needs),
        (Reason.WINDOW, (tokens.input + reserved > matrix.window) | (tokens.input > matrix.input_limit)),
        (Reason.OUTPUT_LIMIT, request.max_output_tokens > matrix.output_limit),
        (Reason.UNPRICED, (matrix.priced == 0) & limits_cost),
        (Reason.COST, cost > np.float32(policy.max_cost_usd)),
        (Reason.LATENCY, whole_answer_seconds > np.float32(policy.max_latency_seconds)),
        (Reason.FIRST_TOKEN, live.first_token_seconds > np.float32(policy.max_first_token_seconds)),
        (Reason.QUALITY, quality < np.float32(policy.min_quality)),
        (Reason.CARBON, carbon > np.float32(policy.max_carbon_g)),
    )
    reasons = np.full(allowed.shape, Reason.ELIGIBLE, np.uint8)
    for reason, where in reversed(failing):
        reasons[where] = reason
    return reasons


def _head(score: F32, eligible: NDArray[np.bool_], k: int) -> tuple[list[int], list[float]]:
    """The `k` highest scores where `eligible`; a stable sort keeps ties in column order."""
    columns = np.flatnonzero(eligible)
    best = columns[np.argsort(-score[columns], kind="stable")[:k]]
    return best.tolist(), score[best].tolist()


def _check(matrix: CatalogMatrix, live: LiveFigures, request: RequestFigures, allowed: U8) -> None:
    n = matrix.window.shape
    if any(array.shape != n for array in (*live, allowed)):
        raise ValueError(f"scorer: live figures and allowed must have one entry for each of the {n[0]} targets")
    if not 0 <= request.task < matrix.quality.shape[0]:
        raise ValueError(f"scorer: task is {request.task}; the matrix has {matrix.quality.shape[0]} tasks")
    check_warm(request, n[0])
    check_blend(request, matrix.quality.shape[0])
