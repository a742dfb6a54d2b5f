"""CatalogMatrix: the catalog as a structure of arrays, one column per target."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]

MOST_WARM = 8  # columns that a request can be warm at
MOST_BLENDED = 16  # tasks that a request may be, in RequestFigures.blend


class CatalogMatrix(NamedTuple):
    """Static figures of every target. All arrays are C-contiguous and read-only; [n] is the number of targets.

    Unknown figures have already been replaced by the pessimistic end of their family's interval by
    `gateway.catalog.columns`, which clears the dimension's bit in `known`; no NaN gets in here.
    """

    price: F32  # [5, n] USD per unit: input token, cached input token, output token, image, request
    tier_from: F32  # [n] input tokens above which `tier_price` applies; inf: never
    tier_price: F32  # [3, n] USD per input, cached input, output token above the tier
    write_surcharge: F32  # [n] share by which an input token costs more when the provider's cache is to keep it
    output_ratio: F32  # [n] output tokens of this model / predicted output tokens (verbosity, hidden reasoning), > 0
    token_ratio: F32  # [n] input tokens by this model's tokenizer / our estimate, > 0
    quality: F32  # [tasks, n] probability that the answer is good, 0-1
    carbon: F32  # [3, n] gCO2e per input token, cached input token, output token
    window: F32  # [n] tokens, input and output together
    input_limit: F32  # [n] tokens
    output_limit: F32  # [n] tokens
    abilities: U32  # [n] bits of gateway.wire.ability.Ability
    known: U8  # [n] bit d set: dimension d rests on stated figures; clear: estimated
    priced: U8  # [n] 1 when input and output prices are stated


class LiveFigures(NamedTuple):
    """What health knows now of requests of one size, one column per target; immutable once published."""

    first_token_seconds: F32  # [n] > 0
    seconds_per_output_token: F32  # [n] >= 0
    availability: F32  # [n] 0-1
    out: U8  # [n] 1: cooling or broken; tried only after all others
    load: F32  # [n] requests under way / those that its provider takes at once; 1 and more: it has no room
    calls: F32  # [n] calls that ended in the last minutes, with a half-life of five


class RequestFigures(NamedTuple):
    """What the decision knows of the request."""

    input_tokens: float
    warm: tuple[tuple[int, float], ...]  # column -> tokens of the input that its provider still has in its cache
    output_tokens: float  # expected
    max_output_tokens: float  # asked for by the caller; 0 when not stated
    images: float
    task: int  # row of CatalogMatrix.quality
    needs: int  # bits of Ability
    stream: bool  # latency weighs the first token more
    writes: bool = False  # the caller has what is not in the cache written to it, where that has a price
    blend: tuple[tuple[int, float], ...] = ()  # rows of quality and their shares, where `task` is not the only chance
    odds: float = 1.0  # by which the odds of a good answer are multiplied; below 1 for what is harder than usual


class PolicyVector(NamedTuple):
    """A router, compiled. A limit of inf (or 0 for `min_quality`) does not limit."""

    weights: F32  # [5] in the order of DIMENSIONS; they sum to 1, or are USD per unit of each dimension
    good: F32  # [5] anchors; unused in money
    bad: F32  # [5] anchors
    max_cost_usd: float
    max_latency_seconds: float
    max_first_token_seconds: float
    min_quality: float
    max_carbon_g: float
    min_availability: float  # below it a target is tried only after all others
    in_money: bool = False  # the score is USD: figures count as they are, and not by the curves
