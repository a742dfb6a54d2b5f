"""Micro-benchmark of the scoring core, called from Python: `python -m loadtest.bench_core [--json]`.

Medians over many short rounds; the contenders take turns, so that a busy machine slows all of them. Ratios travel
between machines, microseconds do not: the aims are those of one quiet 2-core x86-64 machine, and only `--strict` makes
a missed one an error.
"""

import argparse
import functools
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator

from msgspec import Struct, to_builtins

from core import _scorer_cy, _scorer_np
from loadtest.random_catalog import random_situation

SIZES = (40, 200, 1000)
TOP = 8
ROUNDS = 60
SECONDS_PER_ROUND = 0.001

RANK_AIM_US = {40: 1.5, 1000: 5.0}
RANK_AIM_RATIO = {1000: 10.0}  # to the numpy twin
DECIDE_AIM_US = {40: 3.0, 1000: 20.0}


class Row(Struct, frozen=True):
    """One operation at one size; times are medians in microseconds."""

    operation: str
    targets: int
    compiled_us: float
    numpy_us: float
    product_us: float  # the bare `weights @ utility`
    aim_us: float | None
    aim_ratio: float | None

    @property
    def times_faster(self) -> float:
        return self.numpy_us / self.compiled_us

    @property
    def meets_aim(self) -> bool:
        in_time = self.aim_us is None or self.compiled_us < self.aim_us
        return in_time and (self.aim_ratio is None or self.times_faster >= self.aim_ratio)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--json", action="store_true", help="write the figures as JSON")
    arguments.add_argument("--strict", action="store_true", help="exit with 1 when an aim is missed")
    chosen = arguments.parse_args()
    rows = [row for n in SIZES for row in measure(n)]
    print(json.dumps([to_builtins(row) for row in rows], indent=1) if chosen.json else as_table(rows))
    if chosen.strict and not all(row.meets_aim for row in rows):
        sys.exit(1)


def measure(n: int) -> Iterator[Row]:
    """Times `rank` and the whole `decide` over `n` targets, top 8."""
    situation = random_situation(n, seed=1)
    arguments = situation[1:]
    compiled, plain = _scorer_cy.Scorer(situation.matrix), _scorer_np.Scorer(situation.matrix)
    weights, eligible = situation.policy.weights, situation.allowed
    utility = compiled.table(*arguments).utility
    rank_us, rank_np_us, decide_us, decide_np_us, product_us = medians_us(
        functools.partial(_scorer_cy.rank, utility, weights, eligible, TOP),
        functools.partial(_scorer_np.rank, utility, weights, eligible, TOP),
        functools.partial(compiled.decide, *arguments, TOP),
        functools.partial(plain.decide, *arguments, TOP),
        functools.partial(weights.__matmul__, utility),
    )
    yield Row("rank", n, rank_us, rank_np_us, product_us, RANK_AIM_US.get(n), RANK_AIM_RATIO.get(n))
    yield Row("decide", n, decide_us, decide_np_us, product_us, DECIDE_AIM_US.get(n), None)


def medians_us(*contenders: Callable[[], object]) -> list[float]:
    """Median microseconds of one call of each, over rounds in which they take turns."""
    counts = [max(1, round(SECONDS_PER_ROUND / seconds_per_call(contender, 20))) for contender in contenders]
    rounds = [
        [seconds_per_call(contender, count) for contender, count in zip(contenders, counts, strict=True)]
        for _ in range(ROUNDS)
    ]
    return [statistics.median(column) * 1e6 for column in zip(*rounds, strict=True)]


def seconds_per_call(contender: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        contender()
    return (time.perf_counter() - start) / count


def as_table(rows: list[Row]) -> str:
    """Markdown, so that it can be pasted where results are kept."""
    lines = [
        "| top 8, called from Python | targets | compiled, µs | numpy twin, µs | times faster "
        "| compiled / bare matrix-vector product | aim |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        aims = [f"< {row.aim_us:g} µs"] if row.aim_us else []
        aims += [f"{row.aim_ratio:g} times faster"] if row.aim_ratio else []
        verdict = ("met: " if row.meets_aim else "MISSED: ") + ", ".join(aims) if aims else ""
        lines.append(
            f"| {row.operation} | {row.targets:,} | {row.compiled_us:.2f} | {row.numpy_us:.1f} "
            f"| {row.times_faster:.1f} | {row.compiled_us / row.product_us:.1f} | {verdict} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
