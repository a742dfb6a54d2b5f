"""steelyard replay and steelyard tune: what other rules would have chosen for past requests."""

import os
from itertools import islice
from pathlib import Path
from time import time

import click
from msgspec.structs import replace

from core.dimensions import DIMENSIONS
from gateway import bootstrap
from gateway.accounting.past import Past, past_requests, routers_of
from gateway.accounting.usage_report import parse_since
from gateway.catalog import snapshot as catalog_files
from gateway.catalog.card import Catalog
from gateway.cli.render import number, print_json
from gateway.cli.table import Column, Table, note, say
from gateway.errors import SettingsError
from gateway.replay.compare import Change, Comparison, compare, parse_weights
from gateway.replay.engine import Rules
from gateway.replay.tune import Point, Tuning, tune
from gateway.settings.schema import RouterSettings, Settings

MODELS_SHOWN = 15
DIGITS = 4
UNITS = {"USD": "$", "s": " s", "gCO2e": " g"}


def rules_of(settings: Settings, catalog: Catalog | None = None) -> Rules:
    """By what a server with these settings decides. Raises SettingsError."""
    chat = bootstrap.snapshot_with(settings, os.environ, catalog or bootstrap.known_catalog(settings)).chat
    return Rules(chat.targets, chat.selector)


def past_of(settings: Settings, router: str, since: str, limit: int, caller: str | None) -> list[Past]:
    """The latest requests of a router. Raises SettingsError, which names the routers that there are, when none came."""
    now = time()
    begin = parse_since(since, now)
    path = Path(settings.ledger.path)
    found = list(islice(past_requests(path, begin, now, router, limit, caller), limit))
    if not found:
        known = ", ".join(routers_of(path, begin)) or "none"
        raise SettingsError(
            [f"router {router} has decided nothing since {since} in {path}; routers that have: {known}"]
        )
    return found


def changed(settings: Settings, router: str, weights: str) -> Settings:
    """The settings with other weights for one router."""
    if not weights:
        return settings
    try:
        own = replace(
            settings.routers.get(router, RouterSettings()), preset="", weights=dict(parse_weights(weights)), worth=None
        )
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--weights") from error
    return replace(settings, routers={**settings.routers, router: own})


def run_replay(
    config: Path | None,
    router: str,
    since: str,
    weights: str,
    other: Path | None,
    catalog: Path | None,
    limit: int,
    caller: str | None,
    as_json: bool,
) -> None:
    """Replay, and tell what would change."""
    settings = bootstrap.read_settings(config, os.environ)[0].settings
    router = router or settings.default_router
    requests = past_of(settings, router, since, limit, caller)
    newer = bootstrap.read_settings(other, os.environ)[0].settings if other is not None else settings
    try:
        loaded = catalog_files.load(catalog) if catalog is not None else None
    except (catalog_files.CatalogFileError, OSError) as error:
        raise SettingsError([f"--catalog: {error}"]) from error
    comparison = compare(router, requests, rules_of(settings), rules_of(changed(newer, router, weights), loaded))
    if as_json:
        print_json(comparison)
    else:
        show(comparison)


def show(found: Comparison) -> None:
    say(f"{found.requests:,} requests of router {found.router}; {found.changed:,} would go to another target", "bold")
    for why, count in found.left_out.items():
        say(f"{count:,} left out: {why}", "dim")
    if found.as_decided is not None:
        say(f"{100 * found.as_decided:.1f} % of them went then where today's rules would send them")
    if found.unserved_before or found.unserved_after:
        say(f"that nothing could serve: {found.unserved_before:,}, then {found.unserved_after:,}")
    table = Table(
        [
            Column("mean of a request"),
            Column("now", is_number=True),
            Column("then", is_number=True),
            Column("change", is_number=True),
            Column("95 % interval", 1, is_number=True),
        ]
    )
    for name, change in found.figures.items():
        table.add(name, *cells(change))
    say("")
    table.print()
    say(f"\nexpected for all together: ${number(found.cost_usd_before)}, then ${number(found.cost_usd_after)}")
    billed = found.billed
    say(
        f"really billed: ${number(billed.cost_usd)}, {number(billed.carbon_g)} g, {billed.fallbacks:,} fallbacks\n",
        "dim",
    )
    print_mix(found)
    say("\nA replay cannot know:")
    for sentence in found.cannot_know:
        say(f"  - {sentence}", "dim")


def cells(change: Change) -> list[str]:
    shown = [figure(value, change.unit) for value in (change.before, change.after)]
    signs = [figure(value, change.unit, "+") for value in (change.change, change.low, change.high)]
    return [*shown, signs[0], f"{signs[1]} to {signs[2]}"]


def figure(value: float, unit: str, sign: str = "") -> str:
    lead = "-" if value < 0 else sign
    digits = number(abs(value), DIGITS)
    mark = UNITS.get(unit, "")
    return f"{lead}${digits}" if unit == "USD" else f"{lead}{digits}{mark}"


def print_mix(found: Comparison) -> None:
    """Models that are asked more or less."""
    table = Table([Column("model"), Column("now", is_number=True), Column("then", is_number=True)])
    most = sorted(found.mix.items(), key=lambda entry: -max(entry[1]))
    for model, (before, after) in most[:MODELS_SHOWN]:
        table.add(model or "(nobody)", f"{before:,}", f"{after:,}")
    table.print()
    if len(most) > MODELS_SHOWN:
        note(f"{len(most) - MODELS_SHOWN} more models with --json")


def run_tune(config: Path | None, router: str, since: str, limit: int, as_json: bool) -> None:
    """Try other weights, and tell which are worth a thought."""
    settings = bootstrap.read_settings(config, os.environ)[0].settings
    router = router or settings.default_router
    requests = past_of(settings, router, since, limit, None)
    try:
        tuning = tune(router, requests, rules_of(settings))
    except ValueError as error:
        raise SettingsError([str(error)]) from error
    if as_json:
        print_json(tuning)
    else:
        show_tuning(tuning)


def show_tuning(tuning: Tuning) -> None:
    say(f"router {tuning.router}, {tuning.requests:,} of its past requests", "bold")
    for why, count in tuning.left_out.items():
        say(f"{count:,} left out: {why}", "dim")
    say("")
    names = [dimension.name for dimension in DIMENSIONS]
    heads = [Column(f"{name}, mean", is_number=True) for name in ("cost", "latency", "quality", "carbon")]
    table = Table([*heads, Column("weights: " + ", ".join(names)), Column("")])
    for point in (tuning.now, *tuning.front):
        table.add(*point_cells(point, names), style="bold" if point.role else "plain")
    table.print()
    note("the front: weights that no others beat in cost, latency and quality at once, over these requests")
    for proposal in tuning.proposals:
        weights = ", ".join(f"{name}: {weight:g}" for name, weight in proposal.weights.items() if weight)
        say(f"\n{proposal.role}: weights: {{{weights}}}", "bold")
        for dimension in DIMENSIONS[:3]:
            mean, low, high = (figure(value, dimension.unit, "+") for value in proposal.change[dimension.name])
            say(f"  {dimension.name} {mean} (95 % {low} to {high})")
    if not tuning.proposals:
        say("\nno other weights would be cheaper, better or faster without a loss elsewhere")
    say("\nsteelyard replay --weights shows what such a change does; quality is an estimate for each task", "dim")


def point_cells(point: Point, names: list[str]) -> list[str]:
    figures = point.figures
    means = [
        figure(figures["cost"], "USD"),
        figure(figures["latency"], "s"),
        number(figures["quality"], DIGITS),
        figure(figures["carbon"], "gCO2e"),
    ]
    return [*means, " ".join(f"{point.weights[name]:.2f}" for name in names), point.role]
