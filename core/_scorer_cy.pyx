"""The scorer, compiled. `_scorer_np` is its definition: same functions, same order of operations, float32 throughout.

One short loop per stage instead of one long loop: each reads few arrays, so the compiler can check that they do not
overlap and vectorises it. The kernels need no GIL but keep it: a decision takes microseconds, and giving the GIL away from
the event loop can cost the 5 ms of a thread switch to get it back.
"""

from libc.math cimport INFINITY, fabs, log, pow
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.string cimport memcpy, memset

import numpy

from core.decision import (
    STREAM_WRITING_SHARE, TOLD as _TOLD, DecisionTable, Parts, Ranking, Reason, check_blend, check_policy,
    check_warm
)
from core.dimensions import DIMENSIONS
from core.matrix import MOST_BLENDED, MOST_WARM, CatalogMatrix, PolicyVector, RequestFigures

cdef enum:
    COST, LATENCY, QUALITY, AVAILABILITY, CARBON
    DIMENSION_COUNT
    BLOCK = 256  # columns that `rank` weighs before it looks for the best; 1 KB of stack
    GROUP = 32  # scores that are compared at once
    LANES = 4  # histograms that are filled in turn: the next count need not wait for the last one's store
    EXACT_POWERS = 23  # of ten, from 0: those that a double holds exactly
    RANKED = 64
    POLICIES = 256  # kept compiled; a snapshot has a few, one per router
    WARM = 8  # core.matrix.MOST_WARM
    BLEND = 16  # core.matrix.MOST_BLENDED

MAX_RANKED = RANKED

if MOST_WARM != WARM or MOST_BLENDED != BLEND:
    raise ImportError("core._scorer_cy and core.matrix disagree on MOST_WARM or MOST_BLENDED; change both")

cdef enum:  # core.decision.Reason, as C constants
    ELIGIBLE, NOT_ALLOWED, LACKS_ABILITY, WINDOW, OUTPUT_LIMIT, UNPRICED
    OVER_COST, OVER_LATENCY, OVER_FIRST_TOKEN, UNDER_QUALITY, OVER_CARBON
    REASONS

if [dimension.name for dimension in DIMENSIONS] != ["cost", "latency", "quality", "availability", "carbon"]:
    raise ImportError("core._scorer_cy and core.dimensions list different dimensions; change both and the numpy twin")
if [reason.value for reason in Reason] != list(range(REASONS)):
    raise ImportError("core._scorer_cy and core.decision list different reasons; change both and the numpy twin")

cdef Py_ssize_t TOLD = _TOLD
cdef double[EXACT_POWERS] POWERS_OF_TEN
for _power in range(EXACT_POWERS):
    POWERS_OF_TEN[_power] = 10.0 ** _power

cdef struct Request:
    float input_tokens
    float output_tokens
    float stated_limit      # the caller's max_output_tokens, 0 when not stated
    float output_ceiling    # the same, inf when not stated
    float images
    float felt_share        # of the writing time
    Py_ssize_t task
    uint32_t needs
    bint writes
    Py_ssize_t warm_count
    int32_t[WARM] warm_columns
    float[WARM] warm_tokens
    Py_ssize_t blend_count
    int32_t[BLEND] blend_rows
    float[BLEND] blend_shares
    float odds

cdef enum Shape:
    LOGARITHMIC, LINEAR, STRAIGHT

cdef struct Curve:
    Shape shape
    float good
    float bad               # STRAIGHT: where nothing is won or lost
    float scale             # 1 / ln(good / bad), 1 / (good - bad), or 1 and -1

cdef struct Weights:
    float cost
    float latency
    float quality
    float availability
    float carbon

cdef struct Limits:
    bint needs_price        # the policy limits cost
    float cost
    float latency
    float first_token
    float quality
    float carbon
    float availability


# --- one number at a time ---------------------------------------------------------------------------------------------

cdef inline float natural_log(float x) noexcept nogil:
    """ln x for normal x > 0, to within 2.5e-7 relative; no branch, so that loops over it vectorise.

    x = m * 2**e with m in [sqrt(1/2), sqrt 2), by arithmetic on the bits. With s = (m - 1) / (m + 1), |s| < 0.172,
    ln m = 2 atanh s = 2 (s + s^3/3 + s^5/5 + s^7/7 + s^9/9 + ...): what is cut off is below 3e-9 of it, the rest is
    rounding. ln 2 is split in two so that e times its high part is exact. inf counts as 2**128.
    """
    cdef float third = 1.0 / 3.0, fifth = 1.0 / 5.0, seventh = 1.0 / 7.0, ninth = 1.0 / 9.0
    cdef float one = 1.0, two = 2.0
    cdef float ln2_high = 0.693359375, ln2_low = -2.12194440054690583e-4
    cdef int32_t bits, above_root_half
    cdef float m, e, s, z
    memcpy(&bits, &x, sizeof(bits))
    above_root_half = bits - 0x3F3504F3
    e = <float> (above_root_half >> 23)
    bits -= above_root_half & ~0x7FFFFF
    memcpy(&m, &bits, sizeof(m))
    s = (m - one) / (m + one)
    z = s * s
    return e * ln2_high + (e * ln2_low + two * s * (one + z * (third + z * (fifth + z * (seventh + z * ninth)))))


cdef inline float clip(float x) noexcept nogil:
    cdef float low = x if x > 0 else 0
    return low if low < 1 else 1


cdef inline float log_utility(float figure, float good, float bad, float scale) noexcept nogil:
    """1 at `good` or at 0 and less, 0 at `bad`, linear in the logarithm between them."""
    cdef float positive = figure if figure > 0 else good
    return clip(natural_log(positive / bad) * scale)


cdef inline float linear_utility(float figure, float bad, float scale) noexcept nogil:
    """1 at `good`, 0 at `bad`, linear between them."""
    return clip((figure - bad) * scale)


cdef inline float weigh(const Weights *weights, const float[:, ::1] utility, Py_ssize_t m) noexcept nogil:
    """Sum over d of weight[d] * utility[d, m], in the order of the dimensions."""
    return (
        weights.cost * utility[COST, m]
        + weights.latency * utility[LATENCY, m]
        + weights.quality * utility[QUALITY, m]
        + weights.availability * utility[AVAILABILITY, m]
        + weights.carbon * utility[CARBON, m]
    )


cdef inline Weights weights_of(const float[::1] weights) noexcept nogil:
    """Five weights, in the order of the dimensions, as a struct that stays in registers."""
    cdef Weights named
    named.cost = weights[COST]
    named.latency = weights[LATENCY]
    named.quality = weights[QUALITY]
    named.availability = weights[AVAILABILITY]
    named.carbon = weights[CARBON]
    return named


cdef inline double power_of_ten(int power) noexcept nogil:
    """For power >= 0."""
    return POWERS_OF_TEN[power] if power < EXACT_POWERS else pow(10.0, power)


cpdef double significant(double x) noexcept nogil:
    """To six significant digits; above 1e-17 the double next to the decimal number, as a quotient of exact ones."""
    cdef double size = fabs(x), to_even = 6755399441055744.0  # 1.5 * 2**52: adding it leaves no bit for a fraction
    cdef int64_t bits
    cdef int decimal, dropped
    if size == 0 or not size < INFINITY:
        return x
    memcpy(&bits, &size, sizeof(bits))
    decimal = <int> (((bits >> 52) - 1023) * 78913 >> 18)  # floor(binary exponent * log10 2): that of 10, or one less
    if decimal >= 0:
        decimal += size >= power_of_ten(decimal + 1)
    else:
        decimal += size * power_of_ten(-decimal - 1) >= 1
    dropped = decimal - 5
    if dropped > 0:
        return (x / power_of_ten(dropped) + to_even - to_even) * power_of_ten(dropped)
    return (x * power_of_ten(-dropped) + to_even - to_even) / power_of_ten(-dropped)


# --- stages: one loop over all targets each ---------------------------------------------------------------------------

cdef void count_tokens(
    const Request *request,
    const float[::1] token_ratio,      # IN  [n]
    const float[::1] output_ratio,     # IN  [n]
    const float[::1] output_limit,     # IN  [n]
    float[:, ::1] tokens,              # OUT [3, n] input, cached input, expected output
) noexcept nogil:
    cdef float input_tokens = request.input_tokens, nothing = 0
    cdef float output_tokens = request.output_tokens, ceiling = request.output_ceiling
    cdef float output, limit
    cdef Py_ssize_t m, warm
    for m in range(token_ratio.shape[0]):
        tokens[0, m] = input_tokens * token_ratio[m]
        tokens[1, m] = nothing
    for warm in range(request.warm_count):
        m = request.warm_columns[warm]
        tokens[1, m] = request.warm_tokens[warm] * token_ratio[m]
    for m in range(output_ratio.shape[0]):
        output = output_tokens * output_ratio[m]
        limit = output_limit[m]
        output = output if output < limit else limit
        tokens[2, m] = output if output < ceiling else ceiling


cdef void price_tokens(
    bint writes,
    const float[:, ::1] tokens,        # IN  [3, n]
    const float[:, ::1] price,         # IN  [5, n] USD
    const float[::1] tier_from,        # IN  [n] input tokens
    const float[:, ::1] tier_price,    # IN  [3, n] USD
    const float[::1] write_surcharge,  # IN  [n] share
    float[:, ::1] figures,             # OUT row COST, USD
) noexcept nogil:
    cdef float cached, input_price, cached_price, output_price, tier_input, tier_cached, tier_output
    cdef float one = 1, written = 1 if writes else 0
    cdef bint in_tier
    cdef Py_ssize_t m
    for m in range(tier_from.shape[0]):
        # Everything is loaded before anything is chosen: a load under a condition would keep the loop scalar.
        input_price = price[0, m]
        cached_price = price[1, m]
        output_price = price[2, m]
        tier_input = tier_price[0, m]
        tier_cached = tier_price[1, m]
        tier_output = tier_price[2, m]
        in_tier = tokens[0, m] > tier_from[m]
        input_price = (tier_input if in_tier else input_price) * (one + written * write_surcharge[m])
        cached_price = tier_cached if in_tier else cached_price
        output_price = tier_output if in_tier else output_price
        cached = tokens[1, m]
        figures[COST, m] = (tokens[0, m] - cached) * input_price + cached * cached_price + tokens[2, m] * output_price


cdef void price_extras(
    float images,
    const float[:, ::1] price,         # IN  [5, n] USD
    float[:, ::1] figures,             # INOUT row COST, USD
) noexcept nogil:
    cdef Py_ssize_t m
    for m in range(price.shape[1]):
        figures[COST, m] = figures[COST, m] + images * price[3, m] + price[4, m]


cdef void time_answer(
    float felt_share,
    const float[:, ::1] tokens,        # IN  [3, n]
    const float[::1] first_token,      # IN  [n] seconds
    const float[::1] per_token,        # IN  [n] seconds
    float[:, ::1] figures,             # OUT row LATENCY, seconds until the answer is useful
    float[::1] whole_answer,           # OUT [n] seconds until it is complete
) noexcept nogil:
    cdef Py_ssize_t m
    for m in range(first_token.shape[0]):
        figures[LATENCY, m] = first_token[m] + felt_share * tokens[2, m] * per_token[m]
        whole_answer[m] = first_token[m] + tokens[2, m] * per_token[m]


cdef void weigh_carbon(
    const float[:, ::1] tokens,        # IN  [3, n]
    const float[:, ::1] carbon,        # IN  [3, n] gCO2e per token
    float[:, ::1] figures,             # OUT row CARBON, gCO2e
) noexcept nogil:
    cdef float cached
    cdef Py_ssize_t m
    for m in range(tokens.shape[1]):
        cached = tokens[1, m]
        figures[CARBON, m] = (
            (tokens[0, m] - cached) * carbon[0, m] + cached * carbon[1, m] + tokens[2, m] * carbon[2, m]
        )


cdef void expect_quality(
    const Request *request,
    const float[:, ::1] quality,       # IN  [tasks, n]
    float[:, ::1] figures,             # OUT row QUALITY
) noexcept nogil:
    """The task's, or the mean over the tasks that it may be; then for how hard it is."""
    cdef float odds = request.odds, share
    cdef Py_ssize_t m, i, row
    if request.blend_count == 0:
        for m in range(quality.shape[1]):
            figures[QUALITY, m] = quality[request.task, m]
    else:
        for m in range(quality.shape[1]):
            figures[QUALITY, m] = 0
        for i in range(request.blend_count):
            row = request.blend_rows[i]
            share = request.blend_shares[i]
            for m in range(quality.shape[1]):
                figures[QUALITY, m] += share * quality[row, m]
    if odds != 1:
        for m in range(quality.shape[1]):
            figures[QUALITY, m] = figures[QUALITY, m] * odds / (1 + figures[QUALITY, m] * (odds - 1))


cdef void copy_availability(
    const float[::1] availability,     # IN  [n]
    float[:, ::1] figures,             # OUT row AVAILABILITY
) noexcept nogil:
    cdef Py_ssize_t m
    for m in range(availability.shape[0]):
        figures[AVAILABILITY, m] = availability[m]


cdef void apply_curves(
    const Curve *curves,               # IN  [DIMENSION_COUNT]
    const float[:, ::1] figures,       # IN  [5, n]
    float[:, ::1] utility,             # OUT [5, n] 0-1, or unbounded where straight
) noexcept nogil:
    cdef float good, bad, scale
    cdef Py_ssize_t d, m
    for d in range(DIMENSION_COUNT):
        good = curves[d].good
        bad = curves[d].bad
        scale = curves[d].scale
        if curves[d].shape == LOGARITHMIC:
            for m in range(figures.shape[1]):
                utility[d, m] = log_utility(figures[d, m], good, bad, scale)
        elif curves[d].shape == STRAIGHT:
            for m in range(figures.shape[1]):
                utility[d, m] = (figures[d, m] - bad) * scale
        else:
            for m in range(figures.shape[1]):
                utility[d, m] = linear_utility(figures[d, m], bad, scale)


cdef void judge_fit(
    const Request *request,
    const uint8_t[::1] allowed,        # IN  [n] 0 or not
    const uint32_t[::1] abilities,     # IN  [n] bits
    const float[:, ::1] tokens,        # IN  [3, n]
    const float[::1] window,           # IN  [n] tokens
    const float[::1] input_limit,      # IN  [n] tokens
    const float[::1] output_limit,     # IN  [n] tokens
    int32_t[::1] reason,               # OUT [n] up to OUTPUT_LIMIT
) noexcept nogil:
    """The reasons that lie in what the target can do. Written last to first, so that the first one stays."""
    cdef uint32_t needs = request.needs
    cdef float stated = request.stated_limit
    cdef float output, reserved, input_tokens
    cdef int32_t found
    cdef Py_ssize_t m
    for m in range(allowed.shape[0]):
        input_tokens = tokens[0, m]
        output = tokens[2, m]
        reserved = stated if stated > 0 else output
        found = OUTPUT_LIMIT if stated > output_limit[m] else ELIGIBLE
        found = WINDOW if (input_tokens + reserved > window[m]) | (input_tokens > input_limit[m]) else found
        found = LACKS_ABILITY if (abilities[m] & needs) != needs else found
        found = NOT_ALLOWED if allowed[m] == 0 else found
        reason[m] = found


cdef void judge_limits(
    const Limits *limits,
    const uint8_t[::1] priced,         # IN  [n] 0 or not
    const float[:, ::1] figures,       # IN  [5, n]
    const float[::1] whole_answer,     # IN  [n] seconds
    const float[::1] first_token,      # IN  [n] seconds
    int32_t[::1] reason,               # INOUT [n] a reason already there stays
) noexcept nogil:
    """The reasons that lie in the router's limits."""
    cdef float max_cost = limits.cost, max_latency = limits.latency, max_first_token = limits.first_token
    cdef float min_quality = limits.quality, max_carbon = limits.carbon
    cdef uint8_t unpriced_below = limits.needs_price
    cdef int32_t found, earlier
    cdef Py_ssize_t m
    for m in range(priced.shape[0]):
        earlier = reason[m]
        found = OVER_CARBON if figures[CARBON, m] > max_carbon else ELIGIBLE
        found = UNDER_QUALITY if figures[QUALITY, m] < min_quality else found
        found = OVER_FIRST_TOKEN if first_token[m] > max_first_token else found
        found = OVER_LATENCY if whole_answer[m] > max_latency else found
        found = OVER_COST if figures[COST, m] > max_cost else found
        found = UNPRICED if priced[m] < unpriced_below else found
        reason[m] = earlier if earlier != ELIGIBLE else found


cdef void score_all(
    const Weights *weights,
    const float[:, ::1] utility,       # IN  [5, n]
    float[::1] score,                  # OUT [n]
) noexcept nogil:
    cdef Weights own = weights[0]
    cdef Py_ssize_t m
    for m in range(score.shape[0]):
        score[m] = weigh(&own, utility, m)


cdef void mark_reachable(
    const uint8_t[::1] out,            # IN  [n] 0 or not
    const float[::1] availability,     # IN  [n] 0-1
    float[::1] reachable,              # OUT [n] availability, -inf where out
) noexcept nogil:
    cdef float available, minus_infinity = -INFINITY
    cdef Py_ssize_t m
    for m in range(out.shape[0]):
        available = availability[m]
        reachable[m] = available if out[m] == 0 else minus_infinity


cdef void split_last_resorts(
    float min_availability,
    const float[::1] reachable,        # IN  [n]
    const int32_t[::1] reason,         # IN  [n]
    const float[::1] score,            # IN  [n]
    float[::1] ordinary,               # OUT [n] score, -inf where excluded or last resort
    float[::1] last,                   # OUT [n] score of last resorts, -inf elsewhere
) noexcept nogil:
    cdef float minus_infinity = -INFINITY
    cdef float eligible_score
    cdef Py_ssize_t m
    for m in range(score.shape[0]):
        eligible_score = score[m]
        eligible_score = eligible_score if reason[m] == ELIGIBLE else minus_infinity
        ordinary[m] = minus_infinity if reachable[m] < min_availability else eligible_score
        last[m] = eligible_score if reachable[m] < min_availability else minus_infinity


cdef void count_reasons(
    const int32_t[::1] reason,         # IN  [n]
    int *counts,                       # OUT [REASONS]
) noexcept nogil:
    cdef int[LANES * REASONS] lanes
    cdef Py_ssize_t m, lane
    memset(lanes, 0, sizeof(lanes))
    for m in range(reason.shape[0]):
        lanes[m % LANES * REASONS + reason[m]] += 1
    for m in range(REASONS):
        counts[m] = 0
        for lane in range(LANES):
            counts[m] += lanes[lane * REASONS + m]


cdef inline bint any_above(float threshold, const float *score) noexcept nogil:
    """Is any of GROUP scores above `threshold`? One vector comparison of all, no branch."""
    cdef int32_t above = 0
    cdef Py_ssize_t m
    for m in range(GROUP):
        above |= score[m] > threshold
    return above != 0


cdef inline Py_ssize_t insert(
    float score,
    int32_t column,
    Py_ssize_t k,
    Py_ssize_t held,
    int32_t *best_columns,             # INOUT [k]
    float *best_scores,                # INOUT [k]
) noexcept nogil:
    """Put one score in its place behind those that are as good; the worst falls off a full list. Returns its length."""
    cdef Py_ssize_t place = held if held < k else k - 1
    held = place + 1
    while place > 0 and best_scores[place - 1] < score:
        best_scores[place] = best_scores[place - 1]
        best_columns[place] = best_columns[place - 1]
        place -= 1
    best_scores[place] = score
    best_columns[place] = column
    return held


cdef Py_ssize_t keep_best(
    const float *score,                # IN  [count], -inf never enters
    Py_ssize_t count,
    Py_ssize_t first_column,           # column of score[0]
    Py_ssize_t k,                      # 1 or more
    Py_ssize_t held,                   # how many are in best_* already
    int32_t *best_columns,             # INOUT [k] best first, ties by lower column
    float *best_scores,                # INOUT [k]
) noexcept nogil:
    """Merge scores into a sorted list of at most k; returns its length. Most groups cost one comparison."""
    cdef float threshold = best_scores[k - 1] if held == k else -INFINITY
    cdef Py_ssize_t start = 0, end, m
    while start < count:
        end = min(start + GROUP, count)
        if end - start < GROUP or any_above(threshold, score + start):
            for m in range(start, end):
                if score[m] > threshold:
                    held = insert(score[m], <int32_t> (first_column + m), k, held, best_columns, best_scores)
                    threshold = best_scores[k - 1] if held == k else threshold
        start = end
    return held


# --- from Python ------------------------------------------------------------------------------------------------------

cdef void score_block(
    const Weights *weights,
    const float[:, ::1] utility,       # IN  [5, n]
    const uint8_t[::1] eligible,       # IN  [n] 0 or not
    Py_ssize_t start,
    Py_ssize_t count,                  # up to BLOCK
    float *block,                      # OUT [count] scores of the columns from `start`, -inf where not eligible
) noexcept nogil:
    cdef Weights own = weights[0]
    cdef float score, minus_infinity = -INFINITY
    cdef Py_ssize_t m
    for m in range(count):
        score = weigh(&own, utility, start + m)
        block[m] = score if eligible[start + m] else minus_infinity


def rank(const float[:, ::1] utility, const float[::1] weights, const uint8_t[::1] eligible, Py_ssize_t k):
    """Columns and scores of the `k` best eligible targets, best first, ties by lower column; see the numpy twin."""
    cdef Py_ssize_t n = utility.shape[1]
    if utility.shape[0] != DIMENSION_COUNT or weights.shape[0] != DIMENSION_COUNT or eligible.shape[0] != n:
        raise ValueError(f"rank: utility must be [{DIMENSION_COUNT}, n], weights [{DIMENSION_COUNT}], eligible [n]")
    if not 1 <= k <= RANKED:
        raise ValueError(f"rank: k is {k}; it is 1 to {RANKED}")
    cdef float[RANKED] best_scores
    cdef int32_t[RANKED] best_columns
    cdef float[BLOCK] block
    cdef Py_ssize_t start = 0, count, held = 0
    cdef Weights own = weights_of(weights)
    while start < n:
        count = min(<Py_ssize_t> BLOCK, n - start)
        score_block(&own, utility, eligible, start, count, block)
        held = keep_best(block, count, start, k, held, best_columns, best_scores)
        start += count
    return [best_columns[place] for place in range(held)], [best_scores[place] for place in range(held)]


cdef class CompiledPolicy:
    """A policy in C's terms. Keeps the original alive, so that its id stays its own."""

    cdef readonly object original
    cdef Limits limits
    cdef Weights weights
    cdef Curve[DIMENSION_COUNT] curves

    def __init__(self, policy: PolicyVector):
        check_policy(policy)
        cdef Py_ssize_t d
        cdef double good, bad
        for d, dimension in enumerate(DIMENSIONS):
            good = policy.good[d]
            bad = policy.bad[d]
            self.curves[d].good = good
            self.curves[d].bad = bad
            if policy.in_money:
                self.curves[d].shape = STRAIGHT
                self.curves[d].bad = dimension.free
                self.curves[d].scale = dimension.sign
            elif dimension.curve == "log":
                self.curves[d].shape = LOGARITHMIC
                self.curves[d].scale = 1 / log(good / bad)
            else:
                self.curves[d].shape = LINEAR
                self.curves[d].scale = 1 / (good - bad)
        cdef const float[::1] weights = policy.weights
        self.weights = weights_of(weights)
        self.limits.needs_price = policy.max_cost_usd < INFINITY
        self.limits.cost = policy.max_cost_usd
        self.limits.latency = policy.max_latency_seconds
        self.limits.first_token = policy.max_first_token_seconds
        self.limits.quality = policy.min_quality
        self.limits.carbon = policy.max_carbon_g
        self.limits.availability = policy.min_availability
        self.original = policy


cdef class Scorer:
    """Scores every target of one catalog for a request. Keeps scratch rows: a second thread makes its own Scorer."""

    cdef Py_ssize_t n
    cdef const float[:, ::1] price, tier_price, quality, carbon
    cdef const float[::1] tier_from, write_surcharge, output_ratio, token_ratio, window, input_limit, output_limit
    cdef const uint32_t[::1] abilities
    cdef const uint8_t[::1] priced
    # What the last call was given, read once: routers and health publish the same immutable objects again and again.
    cdef object live, allowed_array
    cdef CompiledPolicy policy
    cdef dict compiled_policies  # by id of the policy
    cdef const float[::1] first_token, per_token, availability
    cdef const uint8_t[::1] out, allowed
    cdef Request request
    # Scratch rows, the stages' results.
    cdef float[:, ::1] tokens, figures, utility
    cdef float[::1] whole_answer, reachable, score, ordinary, last, best_scores
    cdef int32_t[::1] reason, best_columns

    def __init__(self, matrix: CatalogMatrix):
        self.n = matrix.window.shape[0]
        self.price = matrix.price
        self.tier_from = matrix.tier_from
        self.tier_price = matrix.tier_price
        self.write_surcharge = matrix.write_surcharge
        self.output_ratio = matrix.output_ratio
        self.token_ratio = matrix.token_ratio
        self.quality = matrix.quality
        self.carbon = matrix.carbon
        self.window = matrix.window
        self.input_limit = matrix.input_limit
        self.output_limit = matrix.output_limit
        self.abilities = matrix.abilities
        self.priced = matrix.priced
        for name, rows in (("price", 5), ("tier_price", 3), ("carbon", 3), ("quality", matrix.quality.shape[0])):
            if getattr(matrix, name).shape != (rows, self.n):
                raise ValueError(f"scorer: {name} must have shape {(rows, self.n)}")
        for name in (
            "tier_from", "write_surcharge", "output_ratio", "token_ratio", "input_limit", "output_limit", "abilities",
            "priced",
        ):
            if getattr(matrix, name).shape != (self.n,):
                raise ValueError(f"scorer: {name} must have one entry for each of the {self.n} targets")
        self.compiled_policies = {}
        self.tokens = numpy.empty((3, self.n), numpy.float32)
        self.figures = numpy.empty((DIMENSION_COUNT, self.n), numpy.float32)
        self.utility = numpy.empty((DIMENSION_COUNT, self.n), numpy.float32)
        self.whole_answer = numpy.empty(self.n, numpy.float32)
        self.reachable = numpy.empty(self.n, numpy.float32)
        self.score = numpy.empty(self.n, numpy.float32)
        self.ordinary = numpy.empty(self.n, numpy.float32)
        self.last = numpy.empty(self.n, numpy.float32)
        self.reason = numpy.empty(self.n, numpy.int32)
        self.best_scores = numpy.empty(self.n + 1, numpy.float32)
        self.best_columns = numpy.empty(self.n + 1, numpy.int32)

    def decide(self, live, request, policy, allowed, Py_ssize_t k):
        """The `k` best targets for `request` under `policy`; k: 1 or more. Last resorts follow all ordinary ones."""
        if k < 1:
            raise ValueError(f"decide: k is {k}; it is 1 or more")
        self.read(live, request, policy, allowed)
        self.evaluate()
        k = min(k, self.n)
        cdef int32_t *columns = &self.best_columns[0]
        cdef float *scores = &self.best_scores[0]
        cdef Py_ssize_t normal = 0, held = 0
        if k > 0:
            normal = held = keep_best(&self.ordinary[0], self.n, 0, k, 0, columns, scores)
        if held < k:
            held += keep_best(&self.last[0], self.n, 0, k - held, 0, columns + held, scores + held)
        cdef int[REASONS] reasons
        count_reasons(self.reason, reasons)
        return tuple.__new__(Ranking, (
            [columns[place] for place in range(held)],
            [scores[place] for place in range(held)],
            normal,
            {columns[place]: self.parts(columns[place]) for place in range(min(held, TOLD))},
            {place: reasons[place] for place in range(REASONS) if reasons[place]},
        ))

    cdef object parts(self, Py_ssize_t m):
        """One column's score, taken apart; `core.decision.parts_of` of the scratch rows."""
        cdef const float[:, ::1] figures = self.figures, utility = self.utility
        cdef const Weights *weights = &self.policy.weights
        return tuple.__new__(Parts, (
            significant(self.score[m]),
            (
                significant(figures[COST, m]),
                significant(figures[LATENCY, m]),
                significant(figures[QUALITY, m]),
                significant(figures[AVAILABILITY, m]),
                significant(figures[CARBON, m]),
            ),
            (
                significant(utility[COST, m]),
                significant(utility[LATENCY, m]),
                significant(utility[QUALITY, m]),
                significant(utility[AVAILABILITY, m]),
                significant(utility[CARBON, m]),
            ),
            (
                significant(<double> weights.cost * utility[COST, m]),
                significant(<double> weights.latency * utility[LATENCY, m]),
                significant(<double> weights.quality * utility[QUALITY, m]),
                significant(<double> weights.availability * utility[AVAILABILITY, m]),
                significant(<double> weights.carbon * utility[CARBON, m]),
            ),
        ))

    def table(self, live, request, policy, allowed):
        """All that `decide` looks at, for every target: what explains a decision and replays it."""
        self.read(live, request, policy, allowed)
        self.evaluate()
        return DecisionTable(
            figures=numpy.array(self.figures),
            utility=numpy.array(self.utility),
            score=numpy.array(self.score),
            reason=numpy.asarray(self.reason).astype(numpy.uint8),
            last_resort=(numpy.asarray(self.reachable) < policy.min_availability).astype(numpy.uint8),
        )

    cdef void evaluate(self) noexcept nogil:
        """Fill the scratch rows. All shapes have been checked."""
        count_tokens(&self.request, self.token_ratio, self.output_ratio, self.output_limit, self.tokens)
        price_tokens(
            self.request.writes, self.tokens, self.price, self.tier_from, self.tier_price, self.write_surcharge,
            self.figures,
        )
        price_extras(self.request.images, self.price, self.figures)
        time_answer(
            self.request.felt_share, self.tokens, self.first_token, self.per_token, self.figures, self.whole_answer
        )
        expect_quality(&self.request, self.quality, self.figures)
        copy_availability(self.availability, self.figures)
        weigh_carbon(self.tokens, self.carbon, self.figures)
        apply_curves(self.policy.curves, self.figures, self.utility)
        score_all(&self.policy.weights, self.utility, self.score)
        judge_fit(
            &self.request, self.allowed, self.abilities, self.tokens,
            self.window, self.input_limit, self.output_limit, self.reason,
        )
        judge_limits(&self.policy.limits, self.priced, self.figures, self.whole_answer, self.first_token, self.reason)
        mark_reachable(self.out, self.availability, self.reachable)
        split_last_resorts(
            self.policy.limits.availability, self.reachable, self.reason, self.score, self.ordinary, self.last
        )

    cdef int read(self, live, request, policy, allowed) except -1:
        """Take over what changed since the last call."""
        if live is not self.live:
            self.read_live(live)
        if self.policy is None or policy is not self.policy.original:
            self.read_policy(policy)
        if allowed is not self.allowed_array:
            self.allowed_array = None
            self.allowed = allowed
            self.allowed_array = allowed
        if self.allowed.shape[0] != self.n:
            self.allowed_array = None
            raise ValueError(f"scorer: allowed must have one entry for each of the {self.n} targets")
        return self.read_request(request)

    cdef int read_live(self, live) except -1:
        self.live = None
        self.first_token, self.per_token, self.availability, self.out = live[:4]  # the others break ties afterwards
        for array in live:
            if array.shape != (self.n,):
                raise ValueError(f"scorer: live figures must have one entry for each of the {self.n} targets")
        self.live = live
        return 0

    cdef int read_policy(self, policy) except -1:
        compiled = self.compiled_policies.get(id(policy))
        if compiled is None:
            if len(self.compiled_policies) == POLICIES:
                self.compiled_policies.clear()
            compiled = self.compiled_policies[id(policy)] = CompiledPolicy(policy)
        self.policy = compiled
        return 0

    cdef int read_request(self, request) except -1:
        if not isinstance(request, RequestFigures):
            raise TypeError(f"scorer: request must be RequestFigures, not {type(request).__name__}")
        (
            self.request.input_tokens, warm, self.request.output_tokens, self.request.stated_limit,
            self.request.images, self.request.task, self.request.needs, stream, self.request.writes, blend,
            self.request.odds,
        ) = <tuple> request
        self.request.warm_count = len(warm)
        if warm:
            check_warm(request, self.n)
            for place, (column, tokens) in enumerate(warm):
                self.request.warm_columns[place] = column
                self.request.warm_tokens[place] = tokens
        self.request.blend_count = len(blend)
        if blend:
            check_blend(request, self.quality.shape[0])
            for place, (row, share) in enumerate(blend):
                self.request.blend_rows[place] = row
                self.request.blend_shares[place] = share
        if not 0 <= self.request.task < self.quality.shape[0]:
            raise ValueError(f"scorer: task is {self.request.task}; the matrix has {self.quality.shape[0]} tasks")
        self.request.output_ceiling = self.request.stated_limit if self.request.stated_limit > 0 else INFINITY
        self.request.felt_share = STREAM_WRITING_SHARE if stream else 1.0
        return 0
