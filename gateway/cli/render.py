"""Results as tables for people, or as JSON for programs."""

import difflib

import msgspec
from rich.console import Console
from rich.table import Table

from gateway.accounting.usage_report import UsageReport, cells, headings
from gateway.catalog.card import Catalog
from gateway.catalog.refresh import Report
from gateway.catalog.report import diff, list_rows, show
from gateway.errors import UnknownModel
from gateway.live import Snapshot

NEVER_WRAPS = 10_000  # columns: a line that is too long for a terminal runs over, and can still be copied and grepped
CONSOLE = Console(width=NEVER_WRAPS, highlight=False)


def print_json(value: object) -> None:
    """Plain JSON on stdout, never wrapped or coloured."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def plain_table(*columns: str, numbers_from: int = 99) -> Table:
    """A table with a rule under its head and nothing else; columns from `numbers_from` on are right-aligned."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place >= numbers_from else "left")
    return table


def print_providers(snapshot: Snapshot) -> None:
    """Who is live, and what would make each other one live."""
    table = plain_table("provider", "models", "state")
    for name in snapshot.providers:
        count = len(snapshot.targets.by_provider.get(name, ()))
        table.add_row(
            name, str(count), "live" if count else "live, but no model of it is known: list them under models"
        )
    for name, reason in snapshot.absent.items():
        table.add_row(name, "", reason, style="dim")
    CONSOLE.print(table)


def print_usage(report: UsageReport, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    if report.total is None:
        CONSOLE.print(f"no requests from {report.since} to {report.until}")
        return
    table = plain_table(*headings(report.by), numbers_from=1)
    for entry in report.groups:
        table.add_row(*cells(entry))
    table.add_row("total", *cells(report.total)[1:], style="bold")
    CONSOLE.print(table)
    CONSOLE.print(f"{report.since} to {report.until}", style="dim")


def print_catalog(catalog: Catalog, pattern: str, provider: str | None, as_json: bool) -> None:
    """Offers, one line each."""
    rows = list_rows(catalog, pattern, provider or "")
    if as_json:
        print_json(rows)
        return
    table = plain_table("target", "input $/M", "cached", "output $/M", "window", "output", "abilities", numbers_from=1)
    table.columns[6].justify = "left"
    for row in rows:
        table.add_row(
            row.target,
            number(row.input_usd),
            number(row.cached_input_usd),
            number(row.output_usd),
            number(row.context_window),
            number(row.max_output_tokens),
            " ".join(row.abilities),
        )
    CONSOLE.print(table)
    CONSOLE.print(
        f"{counted(len(rows), 'offer')} of {counted(len({row.model for row in rows}), 'model')} at "
        f"{counted(len({row.provider for row in rows}), 'provider')}; catalog {catalog.version} of {catalog.date}",
        style="dim",
    )


def print_card(catalog: Catalog, name: str, as_json: bool) -> None:
    """One model with the evidence of every figure. Raises UnknownModel."""
    shown = show(catalog, name)
    if shown is None:
        close = difflib.get_close_matches(name, catalog.models, 3)
        hint = f"did you mean {', '.join(close)}?" if close else "steelyard catalog list shows what there is"
        raise UnknownModel(f"{name} is not in the catalog; {hint}")
    if as_json:
        print_json(shown)
        return
    CONSOLE.print(shown.title, style="bold")
    for heading, evidence in (("the model", shown.model_figures), *shown.offers.items()):
        table = plain_table("figure", "value", "unit", "source", "date")
        for one in evidence:
            band = f" ({number(one.low)} to {number(one.high)})" if one.low is not None else ""
            value = one.value if isinstance(one.value, str) else number(one.value)
            table.add_row(one.field, value + band, one.unit, one.source, one.date)
        CONSOLE.print(f"\n{heading}", style="bold")
        CONSOLE.print(table)


def print_diff(old: Catalog, new: Catalog, as_json: bool) -> None:
    """What changed between two catalogs."""
    difference = diff(old, new)
    if as_json:
        print_json(difference)
        return
    if old.version == new.version:
        CONSOLE.print(f"no difference: both are {old.version}; steelyard catalog refresh pulls the sources")
        return
    for sign, targets in (("+", difference.added), ("-", difference.removed)):
        for target in targets:
            CONSOLE.print(f"{sign} {target}")
    table = plain_table("target", "figure", "old", "new", "source")
    for change in difference.changed:
        table.add_row(change.target, change.field, number(change.old), number(change.new), change.source)
    CONSOLE.print(table)


def print_report(report: Report) -> None:
    """What a refresh brought, feed by feed, and what it refused."""
    table = plain_table("feed", "state", "entries", "detail")
    for feed in report.feeds:
        table.add_row(feed.name, feed.outcome, str(feed.entries), feed.detail)
    CONSOLE.print(table)
    CONSOLE.print(f"the catalog is now {report.version}" if report.adopted else "nothing new")
    for refused in report.quarantined:
        CONSOLE.print(f"kept the old {refused.field} of {refused.target}: {refused.reason}")


def counted(count: int, noun: str) -> str:
    """ "1 model", "2 models"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def number(value: float | None) -> str:
    """A figure without needless digits; "-" when nobody states it."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 1000 else f"{value:.4g}"
