"""steelyard explain: a decision as a table that a person can read."""

import http.client
import os
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import click
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from core.dimensions import DIMENSIONS
from gateway import bootstrap
from gateway.cli.render import number, print_json
from gateway.cli.table import Column, Style, Table, note, say
from gateway.dialects.openai_chat import parse
from gateway.providers.table import load_table
from gateway.routing.explain import CandidateRecord, DecisionRecord, RequestRecord, record
from gateway.routing.flips import Tipping
from gateway.routing.plan import make_plan
from gateway.settings.schema import ServerSettings

TIMEOUT_SECONDS = 10.0
DEFAULT_PORT = ServerSettings().port
DIGITS = 3  # of a figure; --json has them all
MOST_DIGITS = 9


class Answer(Struct):
    """The part of GET /v1/decisions/{id} that is rendered."""

    decision: DecisionRecord | None


class Complaint(Struct):
    """What a server says instead."""

    message: str


class Refusal(Struct):
    """An answer with an error in it."""

    error: Complaint


def fetch(url: str, key: str, decision_id: str) -> DecisionRecord:
    """A past decision from a running server."""
    base = base_url(url)
    request = urllib.request.Request(f"{base}/v1/decisions/{decision_id}")  # noqa: S310 - the operator's own URL
    if key:
        request.add_header("authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply:  # noqa: S310
            answer = msgspec.json.decode(reply.read(), type=Answer)
    except urllib.error.HTTPError as error:
        raise click.ClickException(refusal(base, error)) from error
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "reason", error)
        raise click.ClickException(
            f"nothing answers at {base} ({getattr(why, 'strerror', None) or why}); start a server with "
            "steelyard serve, or say with --url where it runs"
        ) from error
    except msgspec.MsgspecError as error:
        raise click.ClickException(f"what answers at {base} is no Steelyard; say with --url where it runs") from error
    if answer.decision is None:
        raise click.ClickException(f"{decision_id} is too old to be explained whole; its receipt is in the ledger")
    return answer.decision


def base_url(url: str) -> str:
    """What people write for a server, as a URL to put paths behind: "localhost" is http://localhost:8080."""
    whole = url if "://" in url else f"http://{url}"
    parts = urlsplit(whole)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
        raise click.BadParameter(f"{url!r} is no URL; http://127.0.0.1:{DEFAULT_PORT} is one", param_hint="--url")
    needs_port = port is None and "://" not in url
    path = parts.path.rstrip("/").removesuffix("/v1")
    return f"{parts.scheme}://{parts.netloc}{f':{DEFAULT_PORT}' if needs_port else ''}{path}"


def refusal(base: str, error: urllib.error.HTTPError) -> str:
    """What the server said; its own words if it is one of ours."""
    with error:
        try:
            said = msgspec.json.decode(error.read(), type=Refusal).error.message
        except msgspec.MsgspecError:
            return f"what answers at {base} is no Steelyard (status {error.code}); say with --url where it runs"
    return f"{said} (--key, or STEELYARD_API_KEY)" if error.code == HTTPStatus.UNAUTHORIZED else said


def offline(config: Path | None, prompt: str, model: str, everything: bool) -> DecisionRecord:
    """The decision that a server with these settings would make on its first request."""
    loaded, _ = bootstrap.read_settings(config, os.environ)
    settings = loaded.settings
    environ = dict(os.environ)
    if everything:
        environ |= {provider.key_env[0]: "pretended" for provider in load_table().values() if provider.key_env}
    snapshot = bootstrap.first_snapshot(settings, environ)
    body = msgspec.json.encode({"messages": [{"role": "user", "content": prompt}]})
    wanted = replace(parse(body, default_model=settings.default_router), model=model or settings.default_router)
    selection = snapshot.chat.selector.select(wanted.model)
    live = snapshot.chat.health.view(monotonic())
    return record(
        make_plan(selection, snapshot.describe(wanted), snapshot.chat.targets, snapshot.chat.scorer, live, 0.0)
    )


def show(decision: DecisionRecord, limit: int, as_json: bool, with_grounds: bool = False) -> None:
    """Print the decision; with_grounds: and what each figure rests on."""
    if as_json:
        print_json(decision)
        return
    request = decision.request
    ahead = "" if decision.margin is None else f", {points(decision, decision.margin)} ahead of {decision.runner_up}"
    say(f"{decision.winner} wins under router {decision.router}{ahead}", "bold")
    needs = f", needs {', '.join(request.needs)}" if request.needs else ""
    language = f", language {request.language}" if request.language else ""
    say(
        f"task {request.task} (confidence {request.confidence:.2f}{was(request)}){language}, "
        f"about {request.input_tokens:,} tokens in, {request.output_tokens:,} out{needs}\n"
    )
    if decision.over_limit is not None:
        say(f"nothing is within the limits; least over them is the winner: {decision.over_limit}\n")
    if decision.explored:
        say(
            f"explored: nobody has asked the winner of late, and routers.{decision.router}.explore lets some find out\n"
        )
    print_candidates(decision, limit)
    if decision.learned_weights is not None:
        say(f"with the learned weights {decision.learned_weights}", "dim")
    if with_grounds:
        print_grounds(decision, limit)
    print_session(decision)
    print_flips(decision)
    print_tipping(decision)
    print_exclusions(decision, limit)


def print_candidates(decision: DecisionRecord, limit: int) -> None:
    """A row per candidate. What weighs least is the first that a narrow terminal leaves out."""
    names = [dimension.name for dimension in DIMENSIONS]
    by_weight = names if decision.score_unit else sorted(names, key=lambda name: -decision.weights[name])
    dimensions = (Column(heading(decision, name), by_weight.index(name) + 1, True) for name in names)
    table = Table([Column("rank", is_number=True), Column("target"), Column("score", is_number=True), *dimensions])
    for one in decision.candidates[:limit]:
        rank = f"{one.rank}{'!' if one.last_resort else ''}"
        style: Style = "dim" if one.last_resort else "bold" if one.rank == 1 else "plain"
        table.add(
            rank,
            one.target,
            points(decision, one.score, ""),
            *(figure_cell(decision, one, name) for name in names),
            style=style,
        )
    table.print()
    legend = "each cell: the figure (before it was measured here) and what it adds; ~ an estimate, ! a last resort"
    more = len(decision.candidates) - limit
    note(f"{legend}{f'; {more} more with --limit' if more > 0 else ''}")


def print_grounds(decision: DecisionRecord, limit: int) -> None:
    """What the figures of each candidate rest on, and which share of each is not a stand-in."""
    names = [dimension.name for dimension in DIMENSIONS]
    table = Table([Column("target"), *map(Column, names), Column("sources", 1)])
    for one in decision.candidates[:limit]:
        cells = [f"{one.grounds[name].basis} {one.grounds[name].confidence:.2f}" for name in names]
        sources = dict.fromkeys(source for name in names for source in one.grounds[name].sources)
        table.add(one.target, *cells, ", ".join(sources))
    say("")
    table.print()
    note("what most of each figure rests on, and the share of it that is neither borrowed nor assumed")


def heading(decision: DecisionRecord, name: str) -> str:
    """A dimension with its weight, or with what a unit of it is worth."""
    weight = decision.weights[name]
    return f"{name} ${number(weight, DIGITS)}" if decision.score_unit else f"{name} {weight:.2f}"


def points(decision: DecisionRecord, score: float, sign: str = "+") -> str:
    """A score or a part of one; sign: "" shows the minus only."""
    if not decision.score_unit:
        return f"{score:{sign}.3f}"
    lead = "-" if score < 0 else sign
    return f"{lead}${number(abs(score), DIGITS)}"


def figure_cell(decision: DecisionRecord, candidate: CandidateRecord, name: str) -> str:
    share = candidate.dimensions[name]
    shown = "?" if share.figure is None else with_unit(share.figure, share.unit)
    learned = candidate.learned_quality if name == "quality" else None
    if learned is not None:
        shown += f" ({learned:+.2g} learned)"
    elif name in candidate.prior:
        shown += f" (was {with_unit(candidate.prior[name], share.unit)})"
    return f"{'~' if share.estimated else ''}{shown} {points(decision, share.contribution)}"


def print_session(decision: DecisionRecord) -> None:
    """What the conversation so far has to do with it."""
    if decision.session is None:
        return
    say("")
    if decision.session.target is not None:
        moved = "goes on at" if decision.session.stays else "leaves"
        say(f"the conversation {moved} {decision.session.target}")
    for one in decision.session.warm:
        warm, cold = number(one.cost_usd, DIGITS), number(one.cost_without_cache_usd, DIGITS)
        say(f"  {one.target} has {one.cached_tokens:,} tokens of it warm: ${warm}, else ${cold}")


def was(request: RequestRecord) -> str:
    """What the task would have been without what labels have taught, where that is another."""
    before = next(iter(request.tasks_unlearned or {}), request.task)
    return "" if before == request.task else f", learned; {before} by the wording alone"


def print_flips(decision: DecisionRecord) -> None:
    """At which weight another target would win."""
    if any(flip.above is not None or flip.below is not None for flip in decision.flips.values()):
        say("")
    for name, flip in decision.flips.items():
        if flip.above is not None:
            say(f"{name} at {weight(decision, flip.above)} or more would choose {flip.above_target}")
        if flip.below is not None:
            say(f"{name} at {weight(decision, flip.below)} or less would choose {flip.below_target}")


def print_tipping(decision: DecisionRecord) -> None:
    """How bad each figure of the best-scored candidate may get."""
    if decision.tipping:
        parts = [f"{name} {change(one)}" for name, one in decision.tipping.items()]
        rival = next(iter(decision.tipping.values())).target
        say(f"{rival} would be as good if one of these changed: {', '.join(parts)}")


def change(one: Tipping) -> str:
    """From its figure to where it tips, in as many digits as tell them apart."""
    digits = next((n for n in range(DIGITS, MOST_DIGITS) if number(one.figure, n) != number(one.at, n)), MOST_DIGITS)
    return f"{with_unit(one.figure, one.unit, digits)} to {with_unit(one.at, one.unit, digits)}"


def with_unit(figure: float, unit: str, digits: int = DIGITS) -> str:
    shown = number(figure, digits) or "?"
    return {"USD": f"${shown}", "s": f"{shown}s", "gCO2e": f"{shown}g"}.get(unit, shown)


def weight(decision: DecisionRecord, of_flip: float) -> str:
    return f"${number(of_flip)}" if decision.score_unit else f"{of_flip:.4f}"


def print_exclusions(decision: DecisionRecord, limit: int) -> None:
    if not decision.excluded:
        return
    counts = ", ".join(f"{reason} {count}" for reason, count in decision.excluded_counts.items())
    say(f"\nexcluded {len(decision.excluded)}: {counts}")
    told = [one for one in decision.excluded if one.reason != "not_asked"]
    for one in told[:limit]:
        say(f"  {one.target}: {one.detail}", "dim")
