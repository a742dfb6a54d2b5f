"""A decision in full: every candidate with its figures, every exclusion with its reason, and what would change it."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from core.decision import Parts, Reason, parts_of
from core.dimensions import DIMENSIONS, INDEX
from core.matrix import F32, LiveFigures
from core.predictor import TASKS
from core.scorer import significant
from core.wording import likeliest
from gateway.catalog.columns import Targets
from gateway.routing.eligibility import (
    NOT_ASKED,
    Case,
    exclusion_counts,
    furthest_reasons,
    names_of,
    why_excluded,
)
from gateway.routing.flips import Flip, Tipping, flips, tipping_points
from gateway.routing.grounds import Grounds, grounds
from gateway.routing.plan import Candidate, Decision, ranked
from gateway.routing.policy import Policy
from gateway.settings.schema import Anchors
from gateway.wire.decision import Share, Standing

AVAILABILITY = 1 << INDEX["availability"]
LATENCY = 1 << INDEX["latency"]
NAMES = [dimension.name for dimension in DIMENSIONS]
UNITS = [dimension.unit for dimension in DIMENSIONS]
EVERY = (1 << len(DIMENSIONS)) - 1
FLAGS = [[bits >> row & 1 == 1 for row in range(len(DIMENSIONS))] for bits in range(EVERY + 1)]  # of each set of bits


class RequestRecord(Struct, frozen=True):
    """The request as it was weighed. Tokens are estimates, before each model's own tokenizer and verbosity."""

    task: str
    step: str  # of an agent's work: plain, first_turn, tool_loop, heartbeat, compaction, sub_agent
    language: str  # ISO 639-1 code of what was asked last, "" where it is not clear; moves no score
    confidence: float  # 0-1, of the task
    difficulty: float  # 0-1
    input_tokens: int
    output_tokens: int
    max_output_tokens: int | None
    images: int
    needs: tuple[str, ...]  # abilities
    stream: bool
    code_share: float  # of the text asked last
    tasks: dict[str, float]  # every task that it may be, with its chance; likeliest first
    tasks_unlearned: dict[str, float] | None  # the same by the wording alone; None where labels have changed nothing


class CandidateRecord(Struct, frozen=True):
    """An eligible target in its place; rank 1 is tried first."""

    rank: int
    target: str
    model: str
    provider: str
    score: float
    last_resort: bool
    router: str  # whose weights ranked it
    learned_quality: float | None  # what own outcomes have changed in `quality`; None where nothing was learned
    load: float  # requests under way / those that its provider takes at once
    recent_calls: float  # that ended in the last minutes, with a half-life of five
    dimensions: dict[str, Share]
    grounds: dict[str, Grounds]  # dimension -> what its figure rests on
    prior: dict[
        str, float
    ] = {}  # dimension -> its figure before anything was measured or learned, where it was another


class Exclusion(Struct, frozen=True):
    target: str
    reason: str  # a `core.decision.Reason`, lower case, or "not_asked"
    detail: str


class WarmRecord(Struct, frozen=True):
    """What a target has of the conversation in its prompt cache, and what that is worth."""

    target: str
    cached_tokens: int  # expected, by our estimate
    cost_usd: float  # of this request, going on there
    cost_without_cache_usd: float


class SessionRecord(Struct, frozen=True):
    """The conversation that the request goes on with."""

    target: str | None  # that has it so far, if it can still be had
    stays: bool  # it is the first choice again
    warm: tuple[WarmRecord, ...]


class DecisionRecord(Struct, frozen=True):
    """Everything about a decision, ready for JSON."""

    id: str
    wanted: str
    router: str
    request: RequestRecord
    weights: dict[str, float]  # sum to 1, or USD per unit of each dimension
    anchors: dict[str, Anchors]  # none where the score is money
    winner: str
    runner_up: str | None
    margin: float | None
    candidates: tuple[CandidateRecord, ...]
    excluded: tuple[Exclusion, ...]
    excluded_counts: dict[str, int]
    tipping: dict[str, Tipping]  # of the same one, by dimension: how bad its figure may get
    flips: dict[str, Flip]  # of the best-scored candidate, by dimension; empty when scores do not decide
    skipped: tuple[str, ...]
    session: SessionRecord | None = None  # None for the first request of a conversation
    score_unit: Literal["", "USD"] = ""
    over_limit: str | None = None  # what the winner is over, where nothing was within the router's limits
    pick: float = 0.0  # the number in [0, 1) that near ties, and what is explored, were drawn with
    explored: bool = False  # the winner was asked to learn of it, and not for its score
    learned_weights: str | None = None  # the version of them that it was made with; None for the catalog alone


class Summary(Struct, frozen=True):
    """What a receipt keeps of a decision."""

    standings: tuple[Standing, ...]
    margin: float | None  # None when another than the first choice answered, or nobody
    excluded: dict[str, int]
    explored: bool


def record(decision: Decision, decision_id: str = "") -> DecisionRecord:
    """Make the decision again, this time with everything written down."""
    cases = decision.cases()
    before = [case.table.figures for case in replace(decision, live=decision.targets.prior).cases()]
    every = ranked(
        decision.selection,
        decision.profile,
        decision.targets,
        decision.scorer,
        decision.live,
        decision.pick,
        max(len(decision.targets.ids), 1),
    ).candidates
    first = decision.plan.candidates
    # The plan's own order leads: with a spread, its first was drawn among fewer than all.
    drawn = {candidate.column for candidate in first}
    every = (*first, *(candidate for candidate in every if candidate.column not in drawn))
    policy = decision.policy
    return DecisionRecord(
        id=decision_id,
        wanted=decision.selection.wanted,
        router=policy.name,
        request=_request_record(decision),
        weights=policy.weights,
        anchors=_anchors(policy),
        winner=first[0].target,
        runner_up=first[1].target if len(first) > 1 else None,
        margin=decision.plan.margin,
        candidates=tuple(
            _candidate_record(place, one, cases[one.leg], before[one.leg]) for place, one in enumerate(every, 1)
        ),
        excluded=tuple(_exclusions(cases, {candidate.column for candidate in every})),
        excluded_counts=exclusion_counts(decision.selection.legs, furthest_reasons(cases)),
        tipping={} if decision.plan.is_over_limits else tipping_points(every, cases),
        flips={} if decision.plan.is_over_limits else flips(every, cases),
        skipped=decision.selection.skipped,
        session=_session_record(decision, cases[0]),
        score_unit="USD" if policy.vector.in_money else "",
        over_limit=why_excluded(cases[first[0].leg], first[0].column) if decision.plan.is_over_limits else None,
        pick=decision.pick,
        explored=decision.plan.is_explored,
        learned_weights=decision.targets.learned_weights or None,
    )


def _anchors(policy: Policy) -> dict[str, Anchors]:
    vector = policy.vector
    if vector.in_money:
        return {}
    return {
        dimension.name: Anchors(significant(vector.good[row]), significant(vector.bad[row]))
        for row, dimension in enumerate(DIMENSIONS)
    }


def summary(decision: Decision, column: int | None, count: int = 2) -> Summary:
    """The standings of who answered (`column`; None: nobody, then the first choice) and of the best others."""
    plan, legs = decision.plan, decision.selection.legs
    cases: list[Case] = decision.cases() if len(legs) > 1 else []
    standings = []
    for rank, candidate in _shown(decision, column, count):
        parts = plan.rankings[candidate.leg].told.get(candidate.column)
        if parts is None:  # after a fallback, or far down a long list
            cases = cases or decision.cases()
            parts = _parts(cases[candidate.leg], candidate.column)
        guessed = _guessed(decision.targets, decision.live, candidate.column)
        shares = _shares(parts, legs[candidate.leg].policy.weights, guessed)
        standings.append(Standing(candidate.target, parts.score, shares, rank))
    reasons = furthest_reasons(cases) if len(legs) > 1 else plan.rankings[0].reasons
    margin = plan.margin if column == plan.candidates[0].column else None
    return Summary(tuple(standings), margin, exclusion_counts(legs, reasons), plan.is_explored)


def _shown(decision: Decision, column: int | None, count: int) -> Sequence[tuple[int, Candidate]]:
    """The first `count`, each with its place in the plan, and that of `column` brought to the front."""
    candidates = decision.plan.candidates
    if column is None or column == candidates[0].column:
        return list(enumerate(candidates[:count], 1))
    placed = list(enumerate(candidates, 1))
    chosen = next((one for one in placed if one[1].column == column), None)
    others = (one for one in placed if one[1].column != column)
    return [chosen or (0, _beyond_the_plan(decision, column)), *others][:count]


def _beyond_the_plan(decision: Decision, column: int) -> Candidate:
    """A target that the plan had no room for, and that was found after others had failed."""
    leg = next(number for number, leg in enumerate(decision.selection.legs) if leg.allowed[column])
    table = decision.cases()[leg].table
    score = parts_of(table, decision.selection.legs[leg].policy.vector.weights, column).score
    return Candidate(column, decision.targets.ids[column], score, last_resort=False, leg=leg)


def _shares(parts: Parts, weights: dict[str, float], guessed: int) -> dict[str, Share]:
    """What each dimension contributes to the score of one target."""
    _, figures, utilities, contributions = parts
    rows = map(Share, figures, UNITS, utilities, weights.values(), contributions, FLAGS[guessed])
    return dict(zip(NAMES, rows, strict=True))


def _parts(case: Case, column: int) -> Parts:
    return parts_of(case.table, case.leg.policy.vector.weights, column)


def _guessed(targets: Targets, live: LiveFigures, column: int) -> int:
    """Bit d set: dimension d is neither stated by a source nor moved from its prior by any outcome yet."""
    prior = targets.prior
    guessed: int = EVERY & ~targets.matrix.known.item(column)
    if live.availability.item(column) != prior.availability.item(column):
        guessed &= ~AVAILABILITY
    if guessed & LATENCY and (
        live.first_token_seconds.item(column) != prior.first_token_seconds.item(column)
        or live.seconds_per_output_token.item(column) != prior.seconds_per_output_token.item(column)
    ):
        guessed &= ~LATENCY
    return guessed


def _request_record(decision: Decision) -> RequestRecord:
    profile, figures = decision.profile, decision.profile.figures
    wording, shares = profile.prediction.wording, profile.prediction.shares
    unlearned = None if wording is None else likeliest(wording.odds)
    return RequestRecord(
        task=profile.task,
        step=profile.step,
        language=profile.language,
        confidence=significant(profile.prediction.confidence),
        difficulty=significant(profile.prediction.difficulty),
        input_tokens=round(figures.input_tokens),
        output_tokens=round(figures.output_tokens),
        max_output_tokens=int(figures.max_output_tokens) or None,
        images=int(figures.images),
        needs=names_of(figures.needs),
        stream=figures.stream,
        code_share=significant(profile.features.code_share),
        tasks=_by_name(shares),
        tasks_unlearned=None if unlearned is None or unlearned == shares else _by_name(unlearned),
    )


def _by_name(shares: tuple[tuple[int, float], ...]) -> dict[str, float]:
    return {TASKS[task]: significant(share) for task, share in shares}


def _session_record(decision: Decision, case: Case) -> SessionRecord | None:
    """What staying costs and what leaving does; both prices hold for the same request at the same moment."""
    figures, stay, ids = decision.profile.figures, decision.stay, decision.targets.ids
    if stay is None and not figures.warm:
        return None
    cold = decision.scorer.table(decision.live, figures._replace(warm=()), case.leg.policy.vector, case.leg.allowed)
    cost = INDEX["cost"]
    warm = tuple(
        WarmRecord(
            target=ids[column],
            cached_tokens=round(tokens),
            cost_usd=significant(float(case.table.figures[cost, column])),
            cost_without_cache_usd=significant(float(cold.figures[cost, column])),
        )
        for column, tokens in figures.warm
    )
    stays = decision.plan.candidates[0].column == stay
    return SessionRecord(None if stay is None else ids[stay], stays, warm)


def _candidate_record(rank: int, candidate: Candidate, case: Case, before: F32) -> CandidateRecord:
    offer, policy = case.targets.offers[candidate.column], case.leg.policy
    parts = _parts(case, candidate.column)
    return CandidateRecord(
        rank=rank,
        target=candidate.target,
        model=offer.model,
        provider=offer.provider,
        score=parts.score,
        last_resort=candidate.last_resort,
        router=policy.name,
        learned_quality=_learned(case, candidate.column),
        load=significant(case.live.load.item(candidate.column)),
        recent_calls=significant(case.live.calls.item(candidate.column)),
        dimensions=_shares(parts, policy.weights, _guessed(case.targets, case.live, candidate.column)),
        grounds=grounds(case, candidate.column),
        prior=_priors(case, before, parts, candidate.column),
    )


def _priors(case: Case, before: F32, parts: Parts, column: int) -> dict[str, float]:
    """before: [5, n] figures by what was expected of each target before it had been asked."""
    figures = dict(zip(NAMES, map(significant, before[:, column].tolist()), strict=True))
    figures["quality"] = significant(figures["quality"] - _learned_change(case, column))
    return {name: figures[name] for name, now in zip(NAMES, parts.figures, strict=True) if figures[name] != now}


def _learned(case: Case, column: int) -> float | None:
    change = _learned_change(case, column)
    return significant(change) if change else None


def _learned_change(case: Case, column: int) -> float:
    """What own outcomes have changed in the quality that this request can expect."""
    learned, request = case.targets.learned, case.request
    if learned is None:
        return 0.0
    rows = request.blend or ((request.task, 1.0),)
    quality = case.targets.matrix.quality
    now = sum(share * quality.item(row, column) for row, share in rows)
    before = now - sum(share * learned.item(row, column) for row, share in rows)
    return with_odds(now, request.odds) - with_odds(before, request.odds)


def with_odds(share: float, odds: float) -> float:
    """A probability whose odds are multiplied."""
    return share * odds / (1 + share * (odds - 1))


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
