"""What each figure of a decision rests on. Found out when a decision is read, not when it is made."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from core.dimensions import DIMENSIONS, INDEX
from core.predictor import TASKS
from core.scorer import significant
from gateway.catalog.card import Figure
from gateway.catalog.quality import quality_figures, stated_share
from gateway.routing.eligibility import Case

LATENCY_PRIOR_CALLS = 5.0  # as core.sized_latency blends
AVAILABILITY_PRIOR_CALLS = 20.0  # as gateway.execution.health does
MOSTLY = 0.5

Basis = Literal["stated", "measured", "heard", "borrowed", "assumed"]


class Grounds(Struct, frozen=True):
    """What a figure rests on.

    stated: by sources, of this target or model. measured: by the calls of the last minutes here. heard: from a live
    feed. borrowed: from its kin, its other hosts, or the world's electricity. assumed: of anything like it.
    """

    basis: Basis  # of most of it
    confidence: float  # 0-1: the share that is not borrowed or assumed
    sources: tuple[str, ...]  # with the date of what they state: "livebench 2026-01-08"


def grounds(case: Case, column: int) -> dict[str, Grounds]:
    """By dimension. `confidence` says nothing of how long the answer gets, nor of how a source has measured."""
    return {dimension.name: OF[dimension.name](case, column) for dimension in DIMENSIONS}


def of_cost(case: Case, column: int) -> Grounds:
    prices = case.targets.offers[column].prices
    wanted = (prices.input,) if case.targets.models[column].embeds else (prices.input, prices.output)
    found = [figure for figure in wanted if figure is not None]
    share = len(found) / len(wanted)
    return Grounds("stated" if share > MOSTLY else "borrowed", share, named(case, found))


def of_latency(case: Case, column: int) -> Grounds:
    offer, prior, live = case.targets.offers[column], case.targets.prior, case.live
    calls = live.calls.item(column)
    measured = calls / (calls + LATENCY_PRIOR_CALLS)
    is_heard = not calls and (
        live.first_token_seconds.item(column) != prior.first_token_seconds.item(column)
        or live.seconds_per_output_token.item(column) != prior.seconds_per_output_token.item(column)
    )
    is_stated = is_known(case, column, "latency")
    told = [figure for figure in (offer.first_token_seconds, offer.output_tokens_per_second) if figure is not None]
    basis: Basis = "measured" if measured >= MOSTLY else "heard" if is_heard else "stated" if is_stated else "assumed"
    return Grounds(basis, significant(1.0 if is_heard or is_stated else measured), named(case, told))


def of_quality(case: Case, column: int) -> Grounds:
    card, request = case.targets.models[column], case.request
    rows = request.blend or ((request.task, 1.0),)
    tasks = [(task_name(case, row), share) for row, share in rows]
    share = sum(weight * stated_share(card, task) for task, weight in tasks) / sum(weight for _, weight in tasks)
    figures = [figure for task, _ in tasks for figure in quality_figures(card, task)]
    return Grounds("stated" if share >= MOSTLY else "borrowed", significant(share), named(case, figures))


def of_availability(case: Case, column: int) -> Grounds:
    calls = case.live.calls.item(column)
    is_heard = not calls and case.live.availability.item(column) != case.targets.prior.availability.item(column)
    measured = calls / (calls + AVAILABILITY_PRIOR_CALLS)
    basis: Basis = "measured" if measured >= MOSTLY else "heard" if is_heard else "assumed"
    return Grounds(basis, significant(1.0 if is_heard else measured), ())


def of_carbon(case: Case, column: int) -> Grounds:
    """Half is the model's energy, half the electricity of where it runs."""
    card = case.targets.models[column]
    figures = [one for one in (card.energy_wh_per_output_token, card.active_parameters_billions) if one is not None]
    if is_known(case, column, "carbon"):
        return Grounds("stated", 1.0, named(case, figures))
    return Grounds("borrowed", 0.5 if figures else 0.0, named(case, figures))


OF: dict[str, Callable[[Case, int], Grounds]] = {
    "cost": of_cost,
    "latency": of_latency,
    "quality": of_quality,
    "availability": of_availability,
    "carbon": of_carbon,
}


def is_known(case: Case, column: int, name: str) -> bool:
    """Whether sources state what the dimension's figure is made of."""
    return bool(case.targets.matrix.known.item(column) >> INDEX[name] & 1)


def task_name(case: Case, row: int) -> str:
    """Of a row of the quality table; "" where there is one for everything."""
    return TASKS[row] if len(case.targets.matrix.quality) == len(TASKS) else ""


def named(case: Case, figures: list[Figure]) -> tuple[str, ...]:
    """Their sources with dates, each once."""
    dates = case.targets.source_dates
    return tuple(dict.fromkeys(f"{one.source} {one.date or dates.get(one.source, '')}".rstrip() for one in figures))
