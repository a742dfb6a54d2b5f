"""python -m tests.fuzz --inputs 100000: damaged bytes against every parser, the same ones for the same --seed."""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from time import perf_counter

from tests.fuzz.running import Outcome, keep, run
from tests.fuzz.table import TARGETS

LAST_LINES = 6  # of a failure's traceback


def main(arguments: Sequence[str]) -> int:
    """Exit status: 1 when something failed."""
    asked = parser().parse_args(arguments)
    names = [name for name in TARGETS if not asked.target or any(name.startswith(wanted) for wanted in asked.target)]
    if not names:
        print(f"no such target; there are {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    started, inputs, failed = perf_counter(), 0, 0
    with ProcessPoolExecutor(asked.jobs) as pool:
        work = partial(run_named, count=asked.inputs, number=asked.seed)
        for future in as_completed([pool.submit(work, name) for name in names]):
            outcome = future.result()
            report(outcome)
            keep(outcome.failures)
            inputs += outcome.inputs
            failed += len(outcome.failures)
    seconds = perf_counter() - started
    print(f"{len(names)} targets, {inputs:,} inputs in {seconds:.0f} s, seed {asked.seed}: {failed} failures")
    return 1 if failed else 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="per target; the long run has 10000000")
    parser.add_argument(
        "--target", action="append", default=[], help="only those whose names begin so; may be repeated"
    )
    parser.add_argument("--seed", type=int, default=1, help="another one gives other inputs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    return parser


def run_named(name: str, count: int, number: int) -> Outcome:
    """In another process, which finds the target by its name."""
    return run(TARGETS[name], count, number)


def report(outcome: Outcome) -> None:
    speed = outcome.inputs / outcome.seconds
    print(f"{outcome.target:32} {outcome.inputs:>10,} inputs {speed:>9,.0f} per second", flush=True)
    for failure in outcome.failures:
        print(f"  {failure.kind}; kept as {failure.path}", flush=True)
        print("".join(f"    {line}\n" for line in failure.message.splitlines()[-LAST_LINES:]), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
