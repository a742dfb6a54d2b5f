"""steelyard explain: a decision as a table that a person can read."""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from time import monotonic

import click
import msgspec
from msgspec.structs import replace
from rich.text import Text

from core.dimensions import DIMENSIONS
from gateway import bootstrap
from gateway.cli.render import CONSOLE, number, plain_table, print_json
from gateway.dialects.openai_chat import parse
from gateway.providers.table import load_table
from gateway.routing.describe import describe
from gateway.routing.explain import CandidateRecord, DecisionRecord, record
from gateway.routing.plan import make_plan
from gateway.simulator.models import PROVIDERS

TIMEOUT_SECONDS = 10.0


class Answer(msgspec.Struct):
    """The part of GET /v1/decisions/{id} that is rendered."""

    decision: DecisionRecord | None


def fetch(url: str, key: str, decision_id: str) -> DecisionRecord:
    """A past decision from a running server."""
    request = urllib.request.Request(f"{url}/v1/decisions/{decision_id}")  # noqa: S310 - the operator's own URL
    if key:
        request.add_header("authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply:  # noqa: S310
            answer = msgspec.json.decode(reply.read(), type=Answer)
    except urllib.error.HTTPError as error:
        raise click.ClickException(json.loads(error.read())["error"]["message"]) from error
    except OSError as error:
        raise click.ClickException(
            f"{url} does not answer ({error}); steelyard serve starts a server there, --url names another one"
        ) from error
    if answer.decision is None:
        raise click.ClickException(f"{decision_id} is too old to be explained whole; its receipt is in the ledger")
    return answer.decision


def offline(config: Path | None, prompt: str, model: str, everything: bool) -> DecisionRecord:
    """The decision that a server with these settings would make on its first request."""
    loaded, _ = bootstrap.read_settings(config, os.environ)
    settings = loaded.settings
    environ = dict(os.environ)
    if everything:
        environ |= {provider.key_env[0]: "pretended" for provider in load_table().values() if provider.key_env}
    catalog = bootstrap.known_catalog(settings)
    snapshot = bootstrap.compile_snapshot(settings, catalog, environ, None)
    if not snapshot.providers:
        snapshot = bootstrap.compile_snapshot(settings, catalog, environ, dict.fromkeys(PROVIDERS, 1))
    body = msgspec.json.encode({"messages": [{"role": "user", "content": prompt}]})
    wanted = replace(parse(body, default_model=settings.default_router), model=model or settings.default_router)
    selection = snapshot.selector.select(wanted.model)
    live = snapshot.health.view(monotonic())
    return record(make_plan(selection, describe(wanted), snapshot.targets, snapshot.scorer, live, 0.0))


def show(decision: DecisionRecord, limit: int, as_json: bool) -> None:
    """Print the decision."""
    if as_json:
        print_json(decision)
        return
    request = decision.request
    CONSOLE.print(
        f"[bold]{decision.winner}[/bold] wins under router {decision.router}"
        + (f", {decision.margin:+.3f} ahead of {decision.runner_up}" if decision.margin is not None else "")
    )
    CONSOLE.print(
        f"task {request.task} (confidence {request.confidence:.2f}), about {request.input_tokens:,} tokens in, "
        f"{request.output_tokens:,} out" + (f", needs {', '.join(request.needs)}" if request.needs else "") + "\n"
    )
    print_candidates(decision, limit)
    print_flips(decision)
    print_exclusions(decision, limit)


def print_candidates(decision: DecisionRecord, limit: int) -> None:
    heads = (f"{d.name} {decision.weights[d.name]:.2f}" for d in DIMENSIONS)
    table = plain_table("", "target", "score", *heads, numbers_from=2)
    for candidate in decision.candidates[:limit]:
        cells = [figure_cell(candidate, name) for name in (d.name for d in DIMENSIONS)]
        style = "dim" if candidate.last_resort else "bold" if candidate.rank == 1 else ""
        table.add_row(str(candidate.rank), candidate.target, f"{candidate.score:.3f}", *cells, style=style)
    CONSOLE.print(table)
    more = len(decision.candidates) - limit
    note = "each cell: figure and its contribution to the score; ~ is an estimate, dim rows are last resorts"
    CONSOLE.print(f"{note}{f'; {more} more with --limit' if more > 0 else ''}\n", style="dim")


def figure_cell(candidate: CandidateRecord, name: str) -> Text:
    share = candidate.dimensions[name]
    unit = {"USD": "$", "s": "s", "gCO2e": "g"}.get(share.unit, "")
    figure = number(share.figure)
    told = f"${figure}" if unit == "$" else figure + unit
    return Text(f"{'~' if share.estimated else ''}{told} {share.contribution:+.3f}")


def print_flips(decision: DecisionRecord) -> None:
    """At which weight another target would win."""
    for name, flip in decision.flips.items():
        if flip.above is not None:
            CONSOLE.print(f"{name} at {flip.above:.4f} or more would choose {flip.above_target}")
        if flip.below is not None:
            CONSOLE.print(f"{name} at {flip.below:.4f} or less would choose {flip.below_target}")


def print_exclusions(decision: DecisionRecord, limit: int) -> None:
    if not decision.excluded:
        return
    counts = ", ".join(f"{reason} {count}" for reason, count in decision.excluded_counts.items())
    CONSOLE.print(f"\nexcluded {len(decision.excluded)}: {counts}")
    told = [one for one in decision.excluded if one.reason != "not_asked"]
    for one in told[:limit]:
        CONSOLE.print(f"  {one.target}: {one.detail}", style="dim", highlight=False)
