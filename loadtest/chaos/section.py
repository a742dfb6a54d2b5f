"""One part of docs/RELIABILITY.md: its scenarios with what they had to reach and what they did."""

import datetime
import platform
from collections.abc import Iterator, Sequence

from loadtest.chaos.scenario import Played
from loadtest.cores import two_cores

TITLES = {
    "populations": "Many requests, and providers that fail in numbers",
    "load": "Load, and for how long",
    "process": "The process and its disk",
}


def section(part: str, scenarios: Sequence[Played], seed: int) -> str:
    """Headline, table and notes."""
    reached = [figure.passed for one in scenarios for figure in one.figures]
    seconds = sum(one.seconds for one in scenarios)
    headline = (
        f"**{sum(reached)} of {len(reached)} figures reached.** {today()}, seed {seed}, {seconds:.0f} s on "
        f"{machine()}, which gateway, providers and callers share.\n"
    )
    head = ["| id | what happens | how much | figure | due | measured | |", "|---|---|---|---|---|--:|---|"]
    rows = [row for one in scenarios for row in rows_of(one)]
    notes = [f"- {one.id}: {one.note}" for one in scenarios if one.note]
    return "\n".join([f"## {TITLES[part]}", "", headline, *head, *rows, "", *notes, ""])


def rows_of(one: Played) -> Iterator[str]:
    """A row per figure; what the scenario is stands in the first one only."""
    shared = f"| {one.id} | {one.title} | {one.size} |"
    if one.broken or one.skipped:
        said = f"broke off: {one.broken}" if one.broken else f"not played here: {one.skipped}"
        yield f"{shared} {said.replace('|', ',')} | | | {'**miss**' if one.broken else '-'} |"
        shared = "| | | |"
    for figure in one.figures:
        verdict = "pass" if figure.passed else "miss, see below" if figure.is_known else "**miss**"
        yield f"{shared} {figure.name} | {figure.due} | {figure.measured} | {verdict} |"
        shared = "| | | |"


def today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def machine() -> str:
    """What it ran on."""
    cores = 2 if two_cores()[0] is not None else 1
    return f"{cores} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
