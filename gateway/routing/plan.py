"""The decision: which targets to try, in which order."""

from collections.abc import Collection
from operator import attrgetter
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from core.decision import Ranking
from core.matrix import LiveFigures
from core.scorer import Scorer, significant
from gateway.catalog.columns import Targets
from gateway.routing.describe import Profile
from gateway.routing.eligibility import Case, refusal
from gateway.routing.near_ties import drawn_by_load, stale_within
from gateway.routing.nearest import nearest
from gateway.routing.policy import Policy
from gateway.routing.selection import Selection

LAST_RESORT = attrgetter("last_resort")
SPARE = 4  # candidates beyond the attempts: some may be cooling by the time their turn comes


class Candidate(Struct, frozen=True, gc=False):
    """A target in its place."""

    column: int
    target: str  # "openai/gpt-5@openai"
    score: float  # 0-1, by the weights of its leg, or USD
    last_resort: bool  # cooling, broken or less available than the router wants
    leg: int  # of the selection


class Plan(Struct, frozen=True):
    """The candidates in the order in which they are tried; at least one."""

    candidates: tuple[Candidate, ...]
    rankings: tuple[Ranking, ...]  # one for each leg
    is_over_limits: bool = False  # nothing was within the routers' limits; least over first
    is_explored: bool = False  # the first is asked to learn of it, and not for its score

    @property
    def margin(self) -> float | None:
        """Score of the first minus that of the second; negative when the first was drawn among near ties.

        None when nothing else is eligible, or the order between the two was not one of scores.
        """
        if len(self.candidates) < 2 or self.is_over_limits:
            return None
        first, second = self.candidates[:2]
        comparable = first.leg == second.leg and first.last_resort == second.last_resort
        return significant(first.score - second.score) if comparable else None


class Decision(Struct, frozen=True):
    """A plan with everything it was made from, so that it can be made again, and the full record later."""

    selection: Selection
    profile: Profile
    targets: Targets
    scorer: Scorer
    live: LiveFigures
    pick: float
    plan: Plan
    preferred: frozenset[int] = frozenset()  # columns that come before all others of their leg, whatever the scores
    stay: int | None = None  # column of the target that has the conversation so far
    may_explore: bool = False

    @property
    def policy(self) -> Policy:
        """That of the first leg."""
        return self.selection.legs[0].policy

    def cases(self) -> list[Case]:
        """Every leg with its full table, computed anew."""
        return _cases(self.selection, self.profile, self.targets, self.scorer, self.live)


def make_plan(
    selection: Selection,
    profile: Profile,
    targets: Targets,
    scorer: Scorer,
    live: LiveFigures,
    pick: float,
    stay: int | None = None,
    may_explore: bool = False,
) -> Decision:
    """Rank the targets of every leg. Raises NothingEligible, or ContextTooLong when only the window is in the way.

    Where all are over a limit, and the router lets limits give way, those that are least over take their place.

    pick: in [0, 1); draws the first among those within the router's `spread` of the best, and which requests explore.
    stay: the column that answered this conversation so far, which goes on unless another gains more than `stay_margin`.
    may_explore: no conversation would be torn; whether it is done is the router's `explore`.
    """
    count = selection.legs[0].policy.settings.fallback.max_attempts + SPARE
    plan = ranked(selection, profile, targets, scorer, live, pick, count)
    if not plan.candidates:
        cases = _cases(selection, profile, targets, scorer, live)
        plan = over_limits(plan, cases, count)
        if not plan.candidates:
            raise refusal(cases, selection.skipped)
    return settled(Decision(selection, profile, targets, scorer, live, pick, plan, stay=stay, may_explore=may_explore))


def settled(decision: Decision) -> Decision:
    """The decision with the target first that has the conversation, or that is to be explored."""
    plan, stay = decision.plan, decision.stay
    if plan.is_over_limits:
        return decision
    if stay is None:
        plan = exploring(decision) if decision.may_explore else plan
    elif not decision.preferred or stay in decision.preferred:
        plan = staying(plan, decision.selection, stay)
    return decision if plan is decision.plan else replace(decision, plan=plan)


def over_limits(plan: Plan, cases: list[Case], count: int) -> Plan:
    """The plan with the first `count` of those that are least over their routers' limits, if these give way."""
    found = []
    for leg, column in nearest(cases)[:count]:
        case = cases[leg]
        is_last = bool(case.table.last_resort[column])
        found.append(Candidate(column, case.targets.ids[column], float(case.table.score[column]), is_last, leg))
    return replace(plan, candidates=tuple(found), is_over_limits=True)


def staying(plan: Plan, selection: Selection, stay: int | None) -> Plan:
    """The plan with the target that has the conversation first, if nobody is better by more than the margin."""
    first = plan.candidates[0]
    if stay is None or first.column == stay:
        return plan
    policy = selection.legs[first.leg].policy
    rivals = [one for one in plan.candidates if (one.leg, one.last_resort) == (first.leg, first.last_resort)]
    own = next((one for one in rivals if one.column == stay), None)
    margin = max(policy.stay_margin, policy.settings.spread)
    if own is None or max(one.score for one in rivals) - own.score > margin:
        return plan
    return replace(plan, candidates=(own, *(one for one in plan.candidates if one is not own)))


def exploring(decision: Decision) -> Plan:
    """The plan with a target first of which little is known any more, for the router's share of the requests.

    Nobody is asked for this who is further from the best than what a conversation does not move for.
    """
    plan, pick = decision.plan, decision.pick
    first = plan.candidates[0]
    policy = decision.selection.legs[first.leg].policy
    share = policy.settings.explore
    if pick >= share or first.last_resort:
        return plan
    rivals = [one for one in plan.candidates if is_rival(one, first, decision.preferred)]
    margin = max(policy.stay_margin, policy.settings.spread)
    calls = [decision.live.calls.item(one.column) for one in rivals]
    stale = stale_within(margin, [one.score for one in rivals], calls)
    if not stale:
        return plan
    chosen = rivals[stale[int(pick / share * len(stale))]]
    others = (one for one in plan.candidates if one is not chosen)
    return replace(plan, candidates=(chosen, *others), is_explored=True)


def is_rival(one: Candidate, first: Candidate, preferred: frozenset[int]) -> bool:
    """Whether nothing but scores decides between the two."""
    is_alike = (one.leg, one.last_resort) == (first.leg, first.last_resort)
    return is_alike and (one.column in preferred) == (first.column in preferred)


def preferring(decision: Decision, columns: frozenset[int]) -> Decision:
    """The same decision with these columns first: those that can make sense of what others wrote before."""
    fits = np.zeros(len(decision.targets.ids), np.bool_)
    fits[list(columns)] = True
    found = {one.column: one for one in (*_narrowed(decision, fits), *decision.plan.candidates)}
    candidates = sorted(found.values(), key=lambda one: (one.last_resort, one.leg, one.column not in columns))
    plan = replace(decision.plan, candidates=tuple(candidates), is_explored=False)
    return settled(replace(decision, plan=plan, preferred=columns))


def among(decision: Decision, columns: Collection[int]) -> Decision:
    """The request decided again with figures of the same moment, as if there were no other targets than these.

    Raises NothingEligible.
    """
    fits = np.zeros(len(decision.targets.ids), np.uint8)
    fits[list(columns)] = 1
    selection = narrowed_to(decision.selection, fits)
    return make_plan(selection, decision.profile, decision.targets, decision.scorer, decision.live, decision.pick)


def narrowed_to(selection: Selection, fits: NDArray[Any]) -> Selection:
    """fits: [n] 0 or 1, or False or True; what is 0 is not allowed in any leg."""
    return replace(selection, legs=tuple(replace(leg, allowed=leg.allowed * fits) for leg in selection.legs))


def replan(decision: Decision, failed: Collection[str], window: float) -> list[Candidate]:
    """The candidates anew, once some attempts have failed: with figures of the same moment, in an order of its own.

    failed: providers that have failed this request; within its leg each comes after all others, whatever its score.
    window: tokens that are known to be too few; candidates have more. Empty when there is none.
    """
    is_fit = decision.targets.capacity > window
    is_elsewhere = is_fit.copy()
    is_preferred = np.zeros_like(is_fit)
    is_preferred[list(decision.preferred)] = True
    for provider in failed:
        is_elsewhere[list(decision.targets.by_provider.get(provider, ()))] = False
    masks = (is_fit & is_preferred, is_elsewhere, is_fit)
    found = {one.column: one for fits in masks for one in _narrowed(decision, fits)}
    providers = [offer.provider for offer in decision.targets.offers]
    return sorted(
        found.values(),
        key=lambda one: (
            one.last_resort,
            one.leg,
            one.column not in decision.preferred,
            providers[one.column] in failed,
        ),
    )


def _narrowed(decision: Decision, fits: NDArray[np.bool_]) -> tuple[Candidate, ...]:
    """The first candidates among the columns that fit."""
    count = decision.policy.settings.fallback.max_attempts + SPARE
    selection = narrowed_to(decision.selection, fits)
    profile, targets, scorer = decision.profile, decision.targets, decision.scorer
    return ranked(selection, profile, targets, scorer, decision.live, decision.pick, count).candidates


def ranked(
    selection: Selection,
    profile: Profile,
    targets: Targets,
    scorer: Scorer,
    live: LiveFigures,
    pick: float,
    count: int,
) -> Plan:
    """The first `count` candidates. Legs keep their order; last resorts of all legs come after everything else."""
    candidates: list[Candidate] = []
    rankings: list[Ranking] = []
    seen: set[int] = set()
    ids = targets.ids
    for number, leg in enumerate(selection.legs):
        ranking = scorer.decide(live, profile.figures, leg.policy.vector, leg.allowed, count)
        columns, scores = _spread(ranking, live, leg.policy.settings.spread, pick)
        normal = ranking.normal
        candidates += [
            Candidate(column, ids[column], scores[place], place >= normal, number)
            for place, column in enumerate(columns)
            if column not in seen
        ]
        seen.update(columns)
        rankings.append(ranking)
    if len(rankings) > 1:
        candidates = sorted(candidates, key=LAST_RESORT)[:count]
    return Plan(tuple(candidates), tuple(rankings))


def _spread(ranking: Ranking, live: LiveFigures, spread: float, pick: float) -> tuple[list[int], list[float]]:
    """The ranking with one of the near ties drawn to the front by load; the others keep their order."""
    columns, scores, normal, _, _ = ranking
    if spread <= 0 or normal < 2:
        return columns, scores
    near = sum(1 for score in scores[:normal] if score >= scores[0] - spread)
    drawn = drawn_by_load([live.load.item(column) for column in columns[:near]], pick)
    order = [drawn, *range(drawn), *range(drawn + 1, len(columns))]
    return [columns[place] for place in order], [scores[place] for place in order]


def _cases(selection: Selection, profile: Profile, targets: Targets, scorer: Scorer, live: LiveFigures) -> list[Case]:
    figures = profile.figures
    return [
        Case(leg, figures, targets, live, scorer.table(live, figures, leg.policy.vector, leg.allowed))
        for leg in selection.legs
    ]
