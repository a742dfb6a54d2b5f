"""A decision in full: every candidate with its figures, every exclusion with its reason, and what would change it."""

from msgspec import Struct

from core.decision import Reason
from core.dimensions import DIMENSIONS, INDEX
from core.predictor import TASKS
from gateway.routing.eligibility import NOT_ASKED, Case, names_of, reason_counts, why_excluded
from gateway.routing.flips import Flip, flips
from gateway.routing.plan import Candidate, Decision, ranked
from gateway.settings.schema import Anchors
from gateway.wire.decision import Share, Standing

AVAILABILITY = 1 << INDEX["availability"]
LATENCY = 1 << INDEX["latency"]


class RequestRecord(Struct, frozen=True):
    """The request as it was weighed. Tokens are estimates, before each model's own tokenizer and verbosity."""

    task: str
    confidence: float  # 0-1, of the task
    difficulty: float  # 0-1
    input_tokens: int
    output_tokens: int
    max_output_tokens: int | None
    images: int
    needs: tuple[str, ...]  # abilities
    stream: bool
    code_share: float  # of the text asked last


class CandidateRecord(Struct, frozen=True):
    """An eligible target in its place; rank 1 is tried first."""

    rank: int
    target: str
    model: str
    provider: str
    score: float
    last_resort: bool
    router: str  # whose weights ranked it
    dimensions: dict[str, Share]


class Exclusion(Struct, frozen=True):
    target: str
    reason: str  # a `core.decision.Reason`, lower case, or "not_asked"
    detail: str


class DecisionRecord(Struct, frozen=True):
    """Everything about a decision, ready for JSON."""

    id: str
    wanted: str
    router: str
    request: RequestRecord
    weights: dict[str, float]  # sum to 1
    anchors: dict[str, Anchors]
    winner: str
    runner_up: str | None
    margin: float | None
    candidates: tuple[CandidateRecord, ...]
    excluded: tuple[Exclusion, ...]
    excluded_counts: dict[str, int]
    flips: dict[str, Flip]  # of the best-scored candidate, by dimension; empty when it has no rival
    skipped: tuple[str, ...]


class Summary(Struct, frozen=True):
    """What a receipt keeps of a decision."""

    standings: tuple[Standing, ...]
    margin: float | None
    excluded: dict[str, int]


def record(decision: Decision, decision_id: str = "") -> DecisionRecord:
    """Make the decision again, this time with everything written down."""
    cases = decision.cases()
    every = ranked(
        decision.selection,
        decision.profile,
        decision.targets,
        decision.scorer,
        decision.live,
        decision.pick,
        max(len(decision.targets.ids), 1),
    )
    first = decision.plan.candidates
    # The plan's own order leads: with a spread, its first was drawn among fewer than all.
    drawn = {candidate.column for candidate in first}
    every = (*first, *(candidate for candidate in every if candidate.column not in drawn))
    policy = decision.policy
    names = [dimension.name for dimension in DIMENSIONS]
    return DecisionRecord(
        id=decision_id,
        wanted=decision.selection.wanted,
        router=policy.name,
        request=_request_record(decision),
        weights=dict(zip(names, policy.vector.weights.tolist(), strict=True)),
        anchors={
            name: Anchors(good, bad)
            for name, good, bad in zip(names, policy.vector.good.tolist(), policy.vector.bad.tolist(), strict=True)
        },
        winner=first[0].target,
        runner_up=first[1].target if len(first) > 1 else None,
        margin=decision.plan.margin,
        candidates=tuple(_candidate_record(place, one, cases[one.leg]) for place, one in enumerate(every, 1)),
        excluded=tuple(_exclusions(cases, {candidate.column for candidate in every})),
        excluded_counts=reason_counts(cases),
        flips=flips(every, cases),
        skipped=decision.selection.skipped,
    )


def summary(decision: Decision, column: int | None, count: int = 2) -> Summary:
    """The standings of who answered (`column`; None: nobody, then the first choice) and of the best others."""
    cases = decision.cases()
    candidates = decision.plan.candidates
    chosen = next((candidate for candidate in candidates if candidate.column == column), candidates[0])
    told = [chosen, *(candidate for candidate in candidates if candidate is not chosen)][:count]
    return Summary(
        standings=tuple(
            Standing(candidate.target, candidate.score, shares(cases[candidate.leg], candidate.column))
            for candidate in told
        ),
        margin=decision.plan.margin,
        excluded=reason_counts(cases),
    )


def shares(case: Case, column: int) -> dict[str, Share]:
    """What each dimension contributes to the score of one target."""
    figures = case.table.figures[:, column].tolist()
    utilities = case.table.utility[:, column].tolist()
    weights = case.leg.policy.vector.weights.tolist()
    guessed = _guessed(case, column)
    return {
        dimension.name: Share(figure, dimension.unit, utility, weight, weight * utility, bool(guessed >> row & 1))
        for row, (dimension, figure, utility, weight) in enumerate(
            zip(DIMENSIONS, figures, utilities, weights, strict=True)
        )
    }


def _guessed(case: Case, column: int) -> int:
    """Bit d set: dimension d is neither stated by a source nor moved from its prior by any outcome yet."""
    live, prior = case.live, case.targets.prior
    guessed = ~int(case.targets.matrix.known[column])
    if live.availability[column] != prior.availability[column]:
        guessed &= ~AVAILABILITY
    if (
        live.first_token_seconds[column] != prior.first_token_seconds[column]
        or live.seconds_per_output_token[column] != prior.seconds_per_output_token[column]
    ):
        guessed &= ~LATENCY
    return guessed


def _request_record(decision: Decision) -> RequestRecord:
    profile, figures = decision.profile, decision.profile.figures
    return RequestRecord(
        task=TASKS[figures.task],
        confidence=profile.prediction.confidence,
        difficulty=profile.prediction.difficulty,
        input_tokens=round(figures.input_tokens),
        output_tokens=round(figures.output_tokens),
        max_output_tokens=int(figures.max_output_tokens) or None,
        images=int(figures.images),
        needs=names_of(figures.needs),
        stream=figures.stream,
        code_share=profile.features.code_share,
    )


def _candidate_record(rank: int, candidate: Candidate, case: Case) -> CandidateRecord:
    return CandidateRecord(
        rank=rank,
        target=candidate.target,
        model=candidate.offer.model,
        provider=candidate.offer.provider,
        score=candidate.score,
        last_resort=candidate.last_resort,
        router=case.leg.policy.name,
        dimensions=shares(case, candidate.column),
    )


def _exclusions(cases: list[Case], eligible: set[int]) -> list[Exclusion]:
    """One entry for each target that no leg could use, by the leg where it came furthest."""
    exclusions = []
    for column, target in enumerate(cases[0].targets.ids):
        if column not in eligible:
            case = max(cases, key=lambda case: int(case.table.reason[column]))
            reason = Reason(int(case.table.reason[column]))
            columns = case.leg.columns
            was_asked = reason is not Reason.NOT_ALLOWED or columns is None or column in columns
            name = reason.name.lower() if was_asked else NOT_ASKED
            exclusions.append(Exclusion(target, name, why_excluded(case, column)))
    return exclusions
