"""Which core runs what: the proxy under test has one to itself, everything else shares another."""

import os


def pinned(core: int | None, command: list[str]) -> list[str]:
    """The command, tied to one core; untied when there is no core to give away."""
    return command if core is None else ["taskset", "--cpu-list", str(core), *command]


def two_cores() -> tuple[int | None, int | None]:
    """The core of the proxy under test, and that of all else; None for both on a machine with one core."""
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)
