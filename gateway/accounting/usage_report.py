"""Usage as people and programs read it: `steelyard usage --by model --since 7d` and `GET /v1/usage`."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Raw, Struct

from gateway.accounting.cost import format_usd, usd_number
from gateway.accounting.ledger import Grouping, UsageRow
from gateway.errors import InvalidRequest

SECONDS_PER = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
SPAN = re.compile(r"(\d{1,6})([mhdw])")


class UsageEntry(Struct, frozen=True):
    """A UsageRow for the outside. `cost_nano_usd` and `cost_usd` are the same amount in two units."""

    group: str
    requests: int
    failures: int
    refused: int
    fallbacks: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_usd: Raw  # a JSON number, exact to the nano-dollar
    cost_nano_usd: int
    unpriced_requests: int
    estimated_requests: int
    carbon_g: float
    carbon_low_g: float
    carbon_high_g: float
    carbon_unknown_requests: int
    mean_seconds: float | None
    p50_seconds: float | None
    p95_seconds: float | None


class Budget(Struct, frozen=True):
    """What OpenClaw's ClawRouter plugin asks for; budgets are not kept yet."""

    configured: bool = False


class Totals(Struct, frozen=True, rename="camel"):
    """The total again, in the plugin's words. Micros are millionths of a USD."""

    request_count: int
    total_tokens: int
    actual_cost_micros: int


class PluginUsage(Struct, frozen=True):
    summary: Totals


class UsageReport(Struct, frozen=True):
    """What requests used between two times, in groups and altogether.

    `budget` and `usage` are for OpenClaw's ClawRouter plugin, which reads nothing else.
    """

    by: Grouping
    since: str  # ISO 8601, UTC
    until: str
    groups: tuple[UsageEntry, ...]
    total: UsageEntry | None  # None: there were no requests
    budget: Budget
    usage: PluginUsage


def parse_since(text: str, now: float) -> float:
    """A span before `now` ("30m", "24h", "7d", "2w") or an ISO date or time, UTC unless it says otherwise.

    now and the result: Unix seconds, 0 or more. Raises InvalidRequest.
    """
    if span := SPAN.fullmatch(text):
        return max(now - int(span[1]) * SECONDS_PER[span[2]], 0.0)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest(
            f"since is {text[:40]!r}; a span such as 30m, 24h, 7d or 2w, or a date such as 2026-11-22, is expected",
            param="since",
        ) from error
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if since > now:
        raise InvalidRequest(f"since is {text}, which lies in the future; now is {iso(now)}", param="since")
    return max(since, 0.0)


def report(
    by: Grouping, since: float, until: float, rows: Sequence[UsageRow], total: Sequence[UsageRow]
) -> UsageReport:
    """The report of what the ledger said. total: the ledger's answer for the same time, grouped by "total"."""
    return UsageReport(
        by=by,
        since=iso(since),
        until=iso(until),
        groups=tuple(map(entry_of, rows)),
        total=entry_of(total[0]) if total else None,
        budget=Budget(),
        usage=PluginUsage(totals_of(total[0]) if total else Totals(0, 0, 0)),
    )


def totals_of(row: UsageRow) -> Totals:
    return Totals(row.requests, row.input_tokens + row.output_tokens, round(row.cost_nano_usd / 1_000))


def entry_of(row: UsageRow) -> UsageEntry:
    return UsageEntry(
        group=row.group,
        requests=row.requests,
        failures=row.failures,
        refused=row.refused,
        fallbacks=row.fallbacks,
        input_tokens=row.input_tokens,
        cached_tokens=row.cached_tokens,
        output_tokens=row.output_tokens,
        reasoning_tokens=row.reasoning_tokens,
        cost_usd=usd_number(row.cost_nano_usd),
        cost_nano_usd=row.cost_nano_usd,
        unpriced_requests=row.unpriced,
        estimated_requests=row.estimated,
        carbon_g=row.carbon_g,
        carbon_low_g=row.carbon_low_g,
        carbon_high_g=row.carbon_high_g,
        carbon_unknown_requests=row.carbon_unknown,
        mean_seconds=row.mean_seconds,
        p50_seconds=row.p50_seconds,
        p95_seconds=row.p95_seconds,
    )


def headings(by: Grouping) -> tuple[str, ...]:
    """The heading of every column of the table; all but the first hold numbers."""
    return (
        by,
        "requests",
        "failed",
        "refused",
        "fallbacks",
        "input",
        "cached",
        "output",
        "USD",
        "gCO2e",
        "p50 s",
        "p95 s",
    )


def cells(entry: UsageEntry) -> tuple[str, ...]:
    """One row of the table. A sum over requests of which some are unknown is a lower bound, and says so."""
    return (
        entry.group or "-",
        f"{entry.requests:,}",
        f"{entry.failures:,}",
        f"{entry.refused:,}",
        f"{entry.fallbacks:,}",
        marked(f"{entry.input_tokens:,}", entry.estimated_requests),
        f"{entry.cached_tokens:,}",
        marked(f"{entry.output_tokens:,}", entry.estimated_requests),
        lower_bound(format_usd(entry.cost_nano_usd), entry.unpriced_requests, entry.requests),
        lower_bound(grams(entry), entry.carbon_unknown_requests, entry.requests),
        seconds(entry.p50_seconds),
        seconds(entry.p95_seconds),
    )


def grams(entry: UsageEntry) -> str:
    """Expected, and in brackets the band."""
    return f"{entry.carbon_g:.3g} ({entry.carbon_low_g:.2g}-{entry.carbon_high_g:.2g})"


def marked(figure: str, estimated: int) -> str:
    return f"~{figure}" if estimated else figure


def lower_bound(figure: str, unknown: int, requests: int) -> str:
    if unknown == requests:
        return "unknown"
    return f">= {figure}" if unknown else figure


def seconds(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.2f}"


def iso(unix: float) -> str:
    """Unix seconds as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
