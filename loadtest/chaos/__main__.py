"""The fault matrix: every fault of a provider, in every format, streamed or not, in front of real processes.

`python -m loadtest.chaos` plays each cell once, against the simulator and a gateway of its own on loopback, and writes
docs/RELIABILITY.md. It fails when a cell does.
"""

import argparse
import random
import sys
import time
from pathlib import Path

from loadtest.chaos.cells import selected, shortened
from loadtest.chaos.foreign import OWN_PORT, description
from loadtest.chaos.formats import FORMATS
from loadtest.chaos.page import Run, page
from loadtest.chaos.play import Plan, Result, play
from loadtest.children import ROOT

PAGE = ROOT / "docs" / "RELIABILITY.md"
OPENAI = "openai_chat"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="faults, such as F29,F53 or F18;v=neg")
    parser.add_argument("--format", default="", help=f"of {', '.join(form.name for form in FORMATS)}; several by comma")
    parser.add_argument("--seed", type=int, default=1, help="of the simulator's words and of the order")
    parser.add_argument("--short", action="store_true", help="each fault in one format only; under a minute")
    parser.add_argument(
        "--full", action="store_true", help="stalls and sizes at their real lengths, the default limits"
    )
    parser.add_argument(
        "--target", default="", metavar="URL", help="another gateway; only what a caller sees is checked"
    )
    parser.add_argument("--key", default="", help="to send to --target")
    parser.add_argument("--port", type=int, default=OWN_PORT, help="of the simulated providers, with --target")
    parser.add_argument(
        "--describe", action="store_true", help="print what --target has to be configured with, and end"
    )
    parser.add_argument(
        "--write", type=Path, default=None, help="where to write the page; a whole run: docs/RELIABILITY.md"
    )
    return parser.parse_args()


def words(said: str) -> list[str]:
    return [word for word in said.split(",") if word]


def main() -> None:
    asked = arguments()
    formats = words(asked.format) or ([OPENAI] if asked.target or asked.describe else [])
    unknown = set(formats) - {form.name for form in FORMATS}
    if unknown:
        sys.exit(f"no format {', '.join(sorted(unknown))}")
    chosen = selected(words(asked.only), formats)
    if asked.short:
        chosen = shortened(chosen, asked.seed)
    if not chosen:
        sys.exit(f"no cell of the matrix is {asked.only}")
    if asked.describe:
        sys.stdout.write(description(chosen, asked.port, asked.full))
        return
    random.Random(asked.seed).shuffle(chosen)
    port = asked.port if asked.target else 0
    plan = Plan(chosen, asked.seed, asked.full, asked.target, asked.key, port)
    started = time.monotonic()
    results = play(plan, lambda line: print(line, file=sys.stderr, flush=True))
    run = Run(results, plan, time.monotonic() - started)
    is_whole = not (asked.only or formats or asked.short or asked.target)
    where = asked.write or (PAGE if is_whole else None)
    if where is not None:
        where.write_text(page(run))
    sys.exit(verdict(results))


def verdict(results: list[Result]) -> int:
    """Name every cell that failed; 1 when there is one."""
    failed = sorted((result for result in results if result.wrong), key=lambda result: result.cell.number)
    for result in failed:
        print(f"{result.cell}: {'; '.join(result.wrong)}")
    print(f"{len(results) - len(failed)} of {len(results)} cells passed")
    return 1 if failed else 0


if __name__ == "__main__":
    main()
