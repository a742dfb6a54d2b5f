"""What a deployment's own outcomes have taught about its models, on top of what public tables say."""

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from core._representation_np import I32
from core.matrix import F32
from core.predictor import TASKS
from core.representation import SIZE, SUMS
from core.teaching import NOTHING_TAUGHT
from core.wording import MODEL, Correction
from gateway.catalog.columns import Targets
from gateway.errors import SettingsError

ANY_TASK = ""  # the part of a model's offset that holds for every task
MOST = 3.0  # log odds that outcomes may move a figure by: from 0.5 to 0.95


class TaskWeights(Struct, frozen=True, forbid_unknown_fields=True):
    """What labels have taught of tasks: `core.wording.Correction`."""

    wording: int  # version of the wording model that it corrects; none other
    labels: int  # that it was made from
    gain: float  # log loss saved per label, on days that were held out
    gain_low: float  # the ends of its 95 % interval
    gain_high: float
    weights: list[list[int]]  # [SIZE][SUMS]


class LearnedWeights(Struct, frozen=True, forbid_unknown_fields=True):
    """One version. Offsets are log odds, added to those of the catalog's quality."""

    name: str = ""
    made: str = ""  # RFC 3339, UTC
    based_on: str = ""  # the version in use when it was made; "" for the catalog alone
    since: str = ""  # of the outcomes that the offsets were made from
    until: str = ""
    outcomes: int = 0
    gain: float = 0.0  # log loss saved per outcome, on days that were held out
    gain_low: float = 0.0  # the ends of its 95 % interval
    gain_high: float = 0.0
    offsets: dict[str, dict[str, float]] = {}  # model -> task, or ANY_TASK
    tasks: TaskWeights | None = None


def correction_of(learned: LearnedWeights | None) -> Correction:
    """Of the tasks' odds; one that moves nothing where nothing was learned of them. Raises SettingsError."""
    if learned is None or learned.tasks is None:
        return Correction(NOTHING_TAUGHT)
    try:
        return Correction(weights_of(learned.tasks))
    except (ValueError, OverflowError) as error:
        told = f"the learned weights {learned.name!r} cannot be used ({error}); take others: steelyard weights use"
        raise SettingsError([told]) from error


def weights_of(tasks: TaskWeights) -> I32:
    """[SIZE, SUMS]; none of a correction for another wording model. Raises ValueError, OverflowError."""
    if tasks.wording != MODEL.version:
        return NOTHING_TAUGHT
    if [len(row) for row in tasks.weights] != [SUMS] * SIZE:
        raise ValueError(f"its tasks' weights are not {SIZE} rows of {SUMS}")
    return np.array(tasks.weights, np.int32)


def with_learned(targets: Targets, learned: LearnedWeights) -> Targets:
    """The targets with their quality moved; by how much is in `Targets.learned`."""
    before = targets.matrix.quality
    offsets = np.zeros_like(before)
    for column, offer in enumerate(targets.offers):
        own = learned.offsets.get(offer.model)
        if own is not None:
            offsets[:, column] = [own.get(ANY_TASK, 0.0) + own.get(task, 0.0) for task in TASKS]
    after = moved(before, offsets)
    change = after - before
    for array in (after, change):
        array.flags.writeable = False
    matrix = targets.matrix._replace(quality=after)
    return replace(targets, matrix=matrix, learned=change, learned_weights=learned.name)


def moved(share: F32, offset: F32) -> F32:
    """The probability whose log odds are higher by the offset, which counts as MOST at most; 0 and 1 stay."""
    odds = np.exp(np.clip(offset, -MOST, MOST))
    result: F32 = (share * odds / (1 - share + share * odds)).astype(np.float32)
    return result
