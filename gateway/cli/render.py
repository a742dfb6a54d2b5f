"""Results as tables for people, or as JSON for programs."""

import msgspec
from rich.console import Console
from rich.table import Table

from gateway.accounting.usage_report import UsageReport, cells, headings
from gateway.live import Snapshot

CONSOLE = Console()


def print_json(value: object) -> None:
    """Plain JSON on stdout, never wrapped or coloured."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def plain_table(*columns: str, numbers_from: int = 99) -> Table:
    """A table with a rule under its head and nothing else; columns from `numbers_from` on are right-aligned."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place >= numbers_from else "left", overflow="fold")
    return table


def print_providers(snapshot: Snapshot) -> None:
    """Who is live, and what would make each other one live."""
    table = plain_table("provider", "models", "state")
    for name in snapshot.providers:
        count = len(snapshot.targets.by_provider.get(name, ()))
        table.add_row(name, str(count), "live" if count else "live, but no model of it is known: list them under models")
    for name, reason in snapshot.absent.items():
        table.add_row(name, "", reason, style="dim")
    CONSOLE.print(table)


def print_usage(report: UsageReport, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    table = plain_table(*headings(report.by), numbers_from=1)
    for entry in report.groups:
        table.add_row(*cells(entry))
    if report.total is not None:
        table.add_row(*cells(report.total), style="bold")
    CONSOLE.print(table)
    CONSOLE.print(f"{report.since} to {report.until}", style="dim")
