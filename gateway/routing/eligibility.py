"""Why a target cannot serve a request, in words; and what to say when none can."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from core.decision import DecisionTable, Reason, counts_of
from core.dimensions import INDEX
from core.matrix import F32, LiveFigures, RequestFigures
from gateway.catalog.columns import Targets
from gateway.errors import ContextTooLong, GatewayError, NothingEligible
from gateway.routing.selection import Leg
from gateway.wire.ability import Ability

LIMITED_FIGURE = {Reason.COST: "cost", Reason.LATENCY: "latency", Reason.CARBON: "carbon"}
REASON_NAMES = [reason.name.lower() for reason in Reason]
NOT_ALLOWED = REASON_NAMES[Reason.NOT_ALLOWED]
COUNT = itemgetter(1)
NOT_ASKED = "not_asked"  # beside the names of Reason: another model was asked for


class Case(NamedTuple):
    """One leg of a decision with everything it was decided on."""

    leg: Leg
    request: RequestFigures
    targets: Targets
    live: LiveFigures
    table: DecisionTable


def exclusion_counts(legs: Sequence[Leg], reasons: dict[int, int]) -> dict[str, int]:
    """Reason -> number of targets that no leg could use, most frequent first. reasons: as in a Ranking."""
    counts = {REASON_NAMES[reason]: count for reason, count in reasons.items() if reason}
    named = [leg.columns for leg in legs if leg.columns is not None]
    if len(named) == len(legs):
        others = sum(reasons.values()) - len(set().union(*named))
        counts |= {NOT_ASKED: others, NOT_ALLOWED: counts.get(NOT_ALLOWED, 0) - others}
        counts = {name: count for name, count in counts.items() if count}
    return dict(sorted(counts.items(), key=COUNT, reverse=True)) if len(counts) > 1 else counts


def furthest_reasons(cases: list[Case]) -> dict[int, int]:
    """Reason -> number of targets. One that no leg can use counts once, by the leg where it came furthest."""
    reasons = np.stack([case.table.reason for case in cases])
    return counts_of(np.where((reasons == Reason.ELIGIBLE).any(axis=0), np.uint8(0), reasons.max(axis=0)))


def why_excluded(case: Case, column: int) -> str:
    """What rules the target out, with the figure and the limit: "context window 8,192 < 41,000 tokens needed"."""
    return WORDS[Reason(int(case.table.reason[column]))](case, column)


def refusal(cases: list[Case], skipped: tuple[str, ...] = ()) -> GatewayError:
    """The error when no leg has an eligible target: how many each reason excluded, and the nearest way out."""
    counts = exclusion_counts([case.leg for case in cases], furthest_reasons(cases))
    counts.pop(NOT_ASKED, None)
    asked = " or ".join(dict.fromkeys(case.leg.wanted for case in cases))
    told = ", ".join(f"{LABELS[Reason[name.upper()]]}: {count}" for name, count in counts.items())
    if not counts:
        return NothingEligible("No provider is live: set the key of one, for instance OPENAI_API_KEY.")
    case, column = _nearest(cases)
    nearest = " ".join((f"Nearest is {case.targets.ids[column]}: {why_excluded(case, column)}.", *skipped))
    message = f"Nothing can serve this request under {asked} (targets excluded by {told}). {nearest}"
    able = counts.keys() - {"not_allowed", "ability"}
    if able == {"window"}:
        return ContextTooLong(message, param="messages")
    return NothingEligible(f"{message} {WAY_OUT[Reason(int(case.table.reason[column]))]}", param="model")


def _nearest(cases: list[Case]) -> tuple[Case, int]:
    """The target that came furthest through the checks, and of those the one that misses by least."""
    best: tuple[int, float] | None = None
    found = (cases[0], 0)
    for case in cases:
        reasons = case.table.reason
        columns = np.array(range(len(reasons)) if case.leg.columns is None else case.leg.columns, np.intp)
        furthest = int(reasons[columns].max())
        columns = columns[reasons[columns] == furthest]
        merit = _merit(case, Reason(furthest))
        column = int(columns[np.argmax(merit[columns])])
        rank = (furthest, float(merit[column]))
        if best is None or rank > best:
            best, found = rank, (case, column)
    return found


def _merit(case: Case, reason: Reason) -> F32:
    """[n] the higher, the nearer a target is to passing that check."""
    matrix, figures = case.targets.matrix, case.table.figures
    merit: F32 = case.table.score
    if reason in LIMITED_FIGURE:
        merit = -figures[INDEX[LIMITED_FIGURE[reason]]]
    elif reason is Reason.QUALITY:
        merit = figures[INDEX["quality"]]
    elif reason is Reason.FIRST_TOKEN:
        merit = -case.live.first_token_seconds
    elif reason is Reason.WINDOW:
        merit = np.minimum(matrix.window, matrix.input_limit)
    elif reason is Reason.OUTPUT_LIMIT:
        merit = matrix.output_limit
    return merit


def names_of(needs: int) -> tuple[str, ...]:
    """The abilities of a bit mask, as the settings and the catalog name them."""
    return tuple((ability.name or "").lower() for ability in Ability(needs))


def _not_allowed(case: Case, column: int) -> str:
    if case.leg.columns is not None and column not in case.leg.columns:
        return f"not asked for: the request names {case.leg.wanted}"
    return case.leg.policy.why_not.get(column, "ruled out by the request's own `provider`")


def _lacks_ability(case: Case, column: int) -> str:
    missing = case.request.needs & ~int(case.targets.matrix.abilities[column])
    return f"lacks {' and '.join(names_of(missing))}, which the request needs"


def _window(case: Case, column: int) -> str:
    matrix = case.targets.matrix
    input_tokens = case.request.input_tokens * float(matrix.token_ratio[column])
    limit = float(matrix.input_limit[column])
    if input_tokens > limit:
        return f"input limit {limit:,.0f} < about {input_tokens:,.0f} tokens of input"
    # What is left of the window has to hold the output: that asked for, else that expected of this model.
    output = case.request.max_output_tokens or min(
        case.request.output_tokens * float(matrix.output_ratio[column]), float(matrix.output_limit[column])
    )
    return f"context window {float(matrix.window[column]):,.0f} < about {input_tokens + output:,.0f} tokens needed"


def _output_limit(case: Case, column: int) -> str:
    limit = float(case.targets.matrix.output_limit[column])
    return f"output limit {limit:,.0f} < {case.request.max_output_tokens:,.0f} tokens asked for"


def _unpriced(case: Case, column: int) -> str:
    return f"no stated price, and routers.{case.leg.policy.name}.limits.max_cost_usd needs one"


def _over(key: str, dimension: str, unit: str, sign: str = ">") -> Callable[[Case, int], str]:
    """Words for a figure of the table beyond the router's limit."""

    def words(case: Case, column: int) -> str:
        figure = float(case.table.figures[INDEX[dimension], column])
        limit = getattr(case.leg.policy.settings.limits, key)
        return f"{dimension} {figure:.3g}{unit} {sign} routers.{case.leg.policy.name}.limits.{key} {limit:g}"

    return words


def whole_answer_seconds(case: Case) -> F32:
    """[n] expected time until the answer is complete, by the scorer's rules."""
    matrix, live, request = case.targets.matrix, case.live, case.request
    output = np.minimum(np.float32(request.output_tokens) * matrix.output_ratio, matrix.output_limit)
    if request.max_output_tokens:
        output = np.minimum(output, np.float32(request.max_output_tokens))
    seconds: F32 = live.first_token_seconds + output * live.seconds_per_output_token
    return seconds


def _slow(case: Case, column: int) -> str:
    seconds = float(whole_answer_seconds(case)[column])
    policy = case.leg.policy
    limit = policy.vector.max_latency_seconds
    return f"about {seconds:.3g} s for the whole answer > routers.{policy.name}.limits.max_latency_seconds {limit:g}"


def _slow_to_start(case: Case, column: int) -> str:
    seconds, policy = float(case.live.first_token_seconds[column]), case.leg.policy
    limit = policy.vector.max_first_token_seconds
    return f"about {seconds:.3g} s to the first token > routers.{policy.name}.limits.max_first_token_seconds {limit:g}"


WORDS: dict[Reason, Callable[[Case, int], str]] = {
    Reason.NOT_ALLOWED: _not_allowed,
    Reason.ABILITY: _lacks_ability,
    Reason.WINDOW: _window,
    Reason.OUTPUT_LIMIT: _output_limit,
    Reason.UNPRICED: _unpriced,
    Reason.COST: _over("max_cost_usd", "cost", " USD"),
    Reason.LATENCY: _slow,
    Reason.FIRST_TOKEN: _slow_to_start,
    Reason.QUALITY: _over("min_quality", "quality", "", "<"),
    Reason.CARBON: _over("max_carbon_g", "carbon", " gCO2e"),
}
LABELS: dict[Reason, str] = {
    Reason.NOT_ALLOWED: "the router's lists and price ceilings",
    Reason.ABILITY: "an ability they lack",
    Reason.WINDOW: "their context window",
    Reason.OUTPUT_LIMIT: "their output limit",
    Reason.UNPRICED: "having no stated price",
    Reason.COST: "cost",
    Reason.LATENCY: "latency",
    Reason.FIRST_TOKEN: "time to the first token",
    Reason.QUALITY: "quality",
    Reason.CARBON: "carbon",
}
WAY_OUT: dict[Reason, str] = {
    Reason.NOT_ALLOWED: "Ask for another model or router, or change the router's allow, deny or price limits.",
    Reason.ABILITY: "Ask another router or model, or leave out what it cannot do.",
    Reason.WINDOW: "Shorten the request, or ask for a model with a larger window.",
    Reason.OUTPUT_LIMIT: "Ask for fewer output tokens.",
    Reason.UNPRICED: "State its price in the settings, or lift the limit.",
    Reason.COST: "Raise the limit, shorten the request, or ask for fewer output tokens.",
    Reason.LATENCY: "Raise the limit, or ask for fewer output tokens.",
    Reason.FIRST_TOKEN: "Raise the limit.",
    Reason.QUALITY: "Lower the limit.",
    Reason.CARBON: "Raise the limit, or shorten the request.",
}
