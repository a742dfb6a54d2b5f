"""Results as tables for people, or as JSON for programs."""

import difflib
from collections.abc import Collection, Sequence

import click
import msgspec

from gateway.accounting.usage_report import UsageReport, cells, headings
from gateway.catalog.card import Catalog
from gateway.catalog.refresh import Report
from gateway.catalog.report import Row, diff, list_rows, show
from gateway.cli.table import Column, Table, note, note_left_out, say
from gateway.cli.words import counted
from gateway.errors import UnknownModel
from gateway.live import Snapshot

CATALOG_COLUMNS = (
    Column("target"),
    Column("input $/M", is_number=True),
    Column("cached $/M", 4, is_number=True),
    Column("output $/M", is_number=True),
    Column("window", 1, is_number=True),
    Column("max output", 2, is_number=True),
    Column("abilities", 3),
    Column("own scores", 5, is_number=True),
)
FIGURE_COLUMNS = (
    Column("figure"),
    Column("value"),
    Column("range", 3),
    Column("unit", 2),
    Column("source"),
    Column("date", 1),
)
# What a narrow terminal can do without, the highest first.
USAGE_SPARE = {"cached": 9, "refused": 8, "fallbacks": 7, "gCO2e": 6, "p50 s": 5, "p95 s": 4, "failed": 3}


def print_json(value: object) -> None:
    """Plain JSON on stdout, never wrapped or coloured."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def print_providers(snapshot: Snapshot) -> None:
    """Who is live, and what would make each other one live."""
    table = Table([Column("provider"), Column("models", is_number=True), Column("state")])
    for name, provider in snapshot.providers.items():
        markets = snapshot.chat, snapshot.embeddings
        count = sum(len(market.targets.by_provider.get(name, ())) for market in markets)
        live = "live" if count else "live, but no model of it is known: list them under models"
        live += f", {len(provider.keys)} keys" if provider.more_keys else ""
        table.add(name, str(count), "stands in: simulated" if provider.simulated else live)
    for name, reason in snapshot.absent.items():
        table.add(name, "", reason, style="dim")
    table.print()


def print_usage(report: UsageReport, ledger: str, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    span = f"{report.since} to {report.until}"
    if report.total is None:
        say(f"no requests from {span} in the ledger {ledger}; --since looks further back")
        return
    first, *figures = headings(report.by)
    table = Table([Column(first), *(Column(head, USAGE_SPARE.get(head, 0), is_number=True) for head in figures)])
    for entry in report.groups:
        table.add(*cells(entry))
    if report.by != "total":
        table.add("total", *cells(report.total)[1:], style="bold")
    table.print()
    note(span)


def print_catalog(catalog: Catalog, pattern: str, provider: str, as_json: bool) -> None:
    """Offers, one line each, those of a model together and the cheapest first."""
    rows = sorted(list_rows(catalog, pattern, provider), key=by_price)
    if as_json:
        print_json(rows)
        return
    if not rows:
        raise UnknownModel(nothing_listed(catalog, pattern, provider))
    table = Table(CATALOG_COLUMNS)
    for row in rows:
        prices = map(number, (row.input_usd, row.cached_input_usd, row.output_usd))
        sizes = map(number, (row.context_window, row.max_output_tokens))
        table.add(row.target, *prices, *sizes, ",".join(row.abilities), f"{row.quality_stated:.2f}")
    table.print()
    models, providers = len({row.model for row in rows}), len({row.provider for row in rows})
    note(
        f"{counted(len(rows), 'offer')} of {counted(models, 'model')} at {counted(providers, 'provider')}; "
        f"catalog {catalog.version}, prices per million tokens; "
        "own scores: the share of a model's quality that is not borrowed from its kin"
    )


def by_price(row: Row) -> tuple[str, float, str]:
    """Sorts a model's offers by what a million tokens in and a million out cost; unknown prices come last."""
    prices = row.input_usd, row.output_usd
    return row.model, sum(price if price is not None else float("inf") for price in prices), row.provider


def nothing_listed(catalog: Catalog, pattern: str, provider: str) -> str:
    """Why the list is empty, and what to ask for instead."""
    providers = {offer.provider for offer in catalog.offers}
    if provider and provider not in providers:
        return f"no provider {provider} sells anything in the catalog{suggestion(provider, providers)}"
    at_provider = f" at {provider}" if provider else ""
    return f"nothing in the catalog{at_provider} matches {pattern}{suggestion(pattern, catalog.models)}"


def suggestion(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, 3)
    return f"; did you mean {', '.join(close)}?" if close else "; steelyard catalog list shows all there is"


def print_card(catalog: Catalog, name: str, as_json: bool) -> None:
    """One model with the evidence of every figure. Raises UnknownModel."""
    shown = show(catalog, name)
    if shown is None:
        raise UnknownModel(f"{name} is not in the catalog{suggestion(name, catalog.models)}")
    if as_json:
        print_json(shown)
        return
    say(shown.title, "bold")
    left_out: dict[str, None] = {}
    if shown.tasks:
        tasks = Table([Column("task"), Column("quality", is_number=True), Column("rests on")])
        for task in shown.tasks:
            tasks.add(task.task, number(task.quality, 3), rests_on(task.stated, task.sources))
        say("")
        say("expected at each task", "bold")
        left_out |= dict.fromkeys(tasks.print_rows())
    for heading, evidence in (("the model", shown.model_figures), *shown.offers.items()):
        table = Table(FIGURE_COLUMNS)
        for one in evidence:
            band = f"{number(one.low)} to {number(one.high)}" if one.low is not None else ""
            for value in one.value.split(", ") if isinstance(one.value, str) else [number(one.value)]:
                table.add(one.field, value, band, one.unit, one.source, one.date)
        say("")
        say(heading, "bold")
        left_out |= dict.fromkeys(table.print_rows())
    note_left_out(left_out)


def rests_on(stated: float, sources: Sequence[str]) -> str:
    """Which part of a quality is the model's own, and where that comes from."""
    if not stated:
        return "borrowed from its kin"
    told = ", ".join(sources)
    return told if stated > 0.999 else f"{100 * stated:.0f} % {told}, the rest borrowed from its kin"


def print_diff(old: Catalog, new: Catalog, as_json: bool) -> None:
    """What changed between two catalogs."""
    difference = diff(old, new)
    if as_json:
        print_json(difference)
        return
    if old.version == new.version:
        say(f"no difference: both are {old.version}; steelyard catalog refresh pulls the sources")
        return
    for sign, targets in (("+", difference.added), ("-", difference.removed)):
        for target in targets:
            say(f"{sign} {target}")
    table = Table([Column("target"), Column("figure"), Column("old"), Column("new"), Column("source", 1)])
    for change in difference.changed:
        table.add(change.target, change.field, number(change.old), number(change.new), change.source)
    table.print()


def print_report(report: Report) -> None:
    """What a refresh brought, feed by feed, and what it refused."""
    table = Table([Column("feed"), Column("state"), Column("entries", is_number=True), Column("detail")])
    for feed in report.feeds:
        table.add(feed.name, feed.outcome, str(feed.entries), feed.detail)
    table.print()
    say(f"the catalog is now {report.version}" if report.adopted else "nothing new")
    for refused in report.quarantined:
        say(f"kept the old {refused.field} of {refused.target}: {refused.reason}")


def number(value: float | None, digits: int = 4) -> str:
    """A figure without needless digits and without an exponent; "" when nobody states it."""
    if value is None:
        return ""
    if value == int(value) and abs(value) >= 1000:
        return f"{value:,.0f}"
    short = f"{value:.{digits}g}"
    return short if "e" not in short else f"{float(short):,.15f}".rstrip("0").rstrip(".")
