"""How much memory the process may use and uses, so that new work can be refused before the kernel ends everything."""

import os
from pathlib import Path

FULL = 0.85  # share of the limit above which nothing new is taken in
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
STATM = "/proc/self/statm"
DESCRIPTORS = "/proc/self/fd"
# Of the container or the service that we run in: control groups version 2, then version 1.
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
UNLIMITED = 2**60  # bytes; version 1 says "no limit" as a number near 2**63


def stated_limit(places: tuple[Path, ...] = LIMITS) -> int:
    """Bytes that the control group allows; 0 without a limit."""
    for place in places:
        try:
            text = place.read_text().strip()
        except OSError:
            continue
        limit = int(text) if text.isdecimal() else 0
        return limit if limit < UNLIMITED else 0
    return 0


def resident_bytes() -> int:
    """What the process holds now; 0 where the system does not tell."""
    try:
        with open(STATM, "rb") as file:
            return int(file.read().split()[1]) * PAGE_BYTES
    except OSError:
        return 0


def open_descriptors() -> int:
    """Files and sockets that the process has open; 0 where the system does not tell."""
    try:
        return len(os.listdir(DESCRIPTORS)) - 1  # without that of the folder itself
    except OSError:
        return 0


def is_full(limit_bytes: int) -> bool:
    """Whether nothing new is to be taken in. limit_bytes: 0 for none."""
    return limit_bytes > 0 and resident_bytes() > FULL * limit_bytes
