"""What a process and its children have used, read from /proc. Linux only."""

import os
from pathlib import Path

from msgspec import Struct

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

# Positions in /proc/PID/stat after the command name, which is in parentheses and may hold anything; see proc(5).
PARENT, USER, SYSTEM, REAPED_USER, REAPED_SYSTEM, RESIDENT_PAGES = 1, 11, 12, 13, 14, 21


class Usage(Struct, frozen=True):
    """Of a process, all its descendants, and the children that it has already buried."""

    cpu_seconds: float  # user + system, in steps of one clock tick, 10 ms as a rule
    resident_bytes: int  # pages shared between processes count once for each


def usage_of(pid: int) -> Usage:
    """What `pid` and its descendants have used so far. Raises ProcessLookupError when it has gone."""
    family = family_of(pid)
    ticks = sum(int(fields[n]) for fields in family for n in (USER, SYSTEM, REAPED_USER, REAPED_SYSTEM))
    pages = sum(int(fields[RESIDENT_PAGES]) for fields in family)
    return Usage(ticks / TICKS_PER_SECOND, pages * PAGE_BYTES)


def family_of(pid: int) -> list[list[str]]:
    """The stat fields of `pid` and of every process that descends from it."""
    everyone = {int(path.name): fields for path in PROC.glob("[0-9]*") if (fields := stat_fields(path))}
    if pid not in everyone:
        raise ProcessLookupError(f"no process {pid}")
    family = {pid}
    grown = True
    while grown:
        children = {child for child, fields in everyone.items() if int(fields[PARENT]) in family} - family
        family |= children
        grown = bool(children)
    return [everyone[member] for member in sorted(family)]


def stat_fields(process: Path) -> list[str]:
    """The fields after the command name; none when the process ended while we looked."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
