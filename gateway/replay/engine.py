"""Past requests, decided again by the same rules and the same kernel as those that are served."""

from collections.abc import Iterable
from operator import itemgetter

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from core.dimensions import DIMENSIONS
from core.features import extract
from core.predictor import TASKS
from core.scorer import Scorer
from gateway.accounting.past import Past
from gateway.catalog.columns import Targets
from gateway.errors import GatewayError
from gateway.routing.describe import NO_STEP, NO_TASK, Profile
from gateway.routing.plan import make_plan, preferring
from gateway.routing.replayable import Inputs, Unpacker
from gateway.routing.selection import Selection, Selector
from gateway.routing.wishes import SORT_OF_SUFFIX

ROW = {task: row for row, task in enumerate(TASKS)}
NOBODY = -1
SUFFIXES = tuple(SORT_OF_SUFFIX)
NO_FEATURES = extract((), -1)  # of a text that nobody kept; only the figures count

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

# Why a request is left out of a replay.
NOT_KEPT = "decided before this was kept, or with wishes of the caller's own for providers"
EMBEDDINGS = "embeddings"
UNREADABLE = "written by another version"
GONE = "for a model or router that is gone"


class Rules(Struct, frozen=True):
    """By what decisions are made: one snapshot's targets and routers."""

    targets: Targets
    selector: Selector


class Choices(Struct, frozen=True):
    """What was chosen for each request that could be decided."""

    columns: I64  # [requests] first choice; NOBODY where nothing is eligible
    figures: F64  # [requests, dimensions] expected of it, in each dimension's unit; NaN for NOBODY


class Replay(Struct, frozen=True):
    """Requests decided by some rules, beside what really happened."""

    requests: list[Past]
    choices: Choices
    left_out: dict[str, int]  # why -> how many


def replay(requests: Iterable[Past], rules: Rules) -> Replay:
    """Decide them all."""
    decider = Decider(rules)
    kept: list[Past] = []
    columns: list[int] = []
    figures: list[tuple[float, ...]] = []
    left_out: dict[str, int] = {}
    nothing = (float("nan"),) * len(DIMENSIONS)
    for request in requests:
        found = decider.decide(request)
        if isinstance(found, str):
            left_out[found] = left_out.get(found, 0) + 1
            continue
        kept.append(request)
        columns.append(found[0])
        figures.append(found[1] or nothing)
    shape = (len(kept), len(DIMENSIONS))
    return Replay(kept, Choices(np.array(columns, np.int64), np.array(figures, np.float64).reshape(shape)), left_out)


class Decider:
    """Decides past requests one after the other."""

    def __init__(self, rules: Rules) -> None:
        self._targets = rules.targets
        self._selector = rules.selector
        self._scorer = Scorer(rules.targets.matrix)
        self._unpacker = Unpacker(rules.targets)

    def decide(self, request: Past) -> tuple[int, tuple[float, ...] | None] | str:
        """Its first choice with what was expected of it; a word on why it cannot be decided again."""
        read = self.read(request)
        if isinstance(read, str):
            return read
        inputs, selection = read
        profile = Profile(NO_FEATURES, NO_TASK, request.task, NO_STEP, inputs.figures)
        try:
            decision = make_plan(
                selection,
                profile,
                self._targets,
                self._scorer,
                inputs.live,
                inputs.pick,
                inputs.stay,
                inputs.may_explore,
            )
        except GatewayError:
            return NOBODY, None
        if inputs.preferred:
            decision = preferring(decision, inputs.preferred)
        first = decision.plan.candidates[0]
        told = decision.plan.rankings[first.leg].told.get(first.column)
        if told is not None:
            return first.column, told.figures
        leg = selection.legs[first.leg]
        table = self._scorer.table(inputs.live, inputs.figures, leg.policy.vector, leg.allowed)
        return first.column, tuple(table.figures[:, first.column].tolist())

    def read(self, request: Past) -> tuple[Inputs, Selection] | str:
        """What it was decided with, and what it asked for."""
        if request.task not in ROW:
            return EMBEDDINGS
        if not request.decided or request.requested.endswith(SUFFIXES):
            return NOT_KEPT
        try:
            inputs = self._unpacker.unpack(request.decided, ROW[request.task])
        except ValueError:
            return UNREADABLE
        try:
            return inputs, self._selector.select(request.requested, inputs.chain, request.router)
        except GatewayError:
            return GONE


def mix_of(columns: I64, targets: Targets) -> dict[str, int]:
    """Model -> how many requests chose it, most first; "" for requests that nothing could serve."""
    counts: dict[str, int] = {}
    for column, count in zip(*np.unique(columns, return_counts=True), strict=True):
        model = "" if column == NOBODY else targets.offers[column].model
        counts[model] = counts.get(model, 0) + int(count)
    return dict(sorted(counts.items(), key=itemgetter(1), reverse=True))
