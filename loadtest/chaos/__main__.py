"""What providers, callers, operators and disks do to a gateway, played with real processes on loopback.

Four parts: faults (every fault of a provider, in every format, streamed or not), populations (providers that fail in
numbers), load (much at once, and for long), process (kills, signals, reloads, the disk). A whole run writes
docs/RELIABILITY.md; it fails when a cell or a figure is missed, unless the page says that it is known to be.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from loadtest.chaos.cells import Cell, selected, shortened
from loadtest.chaos.foreign import OWN_PORT, description
from loadtest.chaos.formats import FORMATS
from loadtest.chaos.page import Run, page
from loadtest.chaos.parts import PARTS, play_part
from loadtest.chaos.play import Plan, Result, play
from loadtest.chaos.scenario import Played, Scenario, Size
from loadtest.children import ROOT

PAGE = ROOT / "docs" / "RELIABILITY.md"
OPENAI = "openai_chat"
FAULTS = "faults"
ALL_PARTS = (FAULTS, *PARTS)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default="", help=f"of {', '.join(ALL_PARTS)}; several by comma; default: all")
    parser.add_argument("--only", default="", help="faults or scenarios, such as F29,F53, F18;v=neg or soak")
    parser.add_argument("--format", default="", help=f"of {', '.join(form.name for form in FORMATS)}; several by comma")
    parser.add_argument("--seed", type=int, default=1, help="of the simulator's words, of the order and of all chance")
    parser.add_argument("--short", action="store_true", help="each fault in one format, some scenarios; what CI plays")
    parser.add_argument(
        "--full", action="store_true", help="stalls, sizes and loads at their real lengths, the default limits"
    )
    parser.add_argument("--soak", type=float, default=0.0, metavar="MINUTES", help="of the soak; --full: 60")
    parser.add_argument(
        "--target", default="", metavar="URL", help="another gateway; single faults, and only what a caller sees"
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
    # What only the single faults know of asks for them alone.
    parts = words(asked.part) or ([FAULTS] if formats else list(ALL_PARTS))
    for kind, said, known in (("format", formats, [form.name for form in FORMATS]), ("part", parts, ALL_PARTS)):
        if unknown := set(said) - set(known):
            sys.exit(f"no {kind} {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if asked.target and parts != [FAULTS]:
        sys.exit(
            f"--target {asked.target} plays single faults only: the other parts stop and reload the gateway, so "
            "they are played with our own; leave --part out"
        )
    cells = chosen_cells(asked, formats) if FAULTS in parts else []
    scenarios = {part: chosen_scenarios(asked, part) for part in parts if part != FAULTS}
    if not cells and not any(scenarios.values()):
        sys.exit(f"neither a fault nor a scenario of {', '.join(parts)} is {asked.only}")
    if asked.describe:
        sys.stdout.write(description(cells, asked.port, asked.full))
        return
    run = played_faults(asked, cells) if cells else None
    played = {
        part: play_part(part, chosen, asked.seed, asked.full, tell) for part, chosen in scenarios.items() if chosen
    }
    is_whole = not (asked.only or formats or asked.short or asked.target or asked.part)
    where = asked.write or (PAGE if is_whole else None)
    if where is not None:
        where.write_text(page(run, played, asked.seed))
    sys.exit(verdict(run.results if run else [], [one for part in played.values() for one in part]))


def chosen_cells(asked: argparse.Namespace, formats: list[str]) -> list[Cell]:
    """Of the fault matrix."""
    chosen = selected(words(asked.only), formats)
    if asked.short:
        chosen = shortened(chosen, asked.seed)
    if not asked.describe:
        random.Random(asked.seed).shuffle(chosen)
    return chosen


def chosen_scenarios(asked: argparse.Namespace, part: str) -> list[Scenario]:
    """Of one of the other parts."""
    only = words(asked.only)
    chosen = [one for one in PARTS[part] if (one.id in only if only else one.in_short or not asked.short)]
    if not asked.soak:
        return chosen
    return [with_seconds(one, 60 * asked.soak) if one.id == "soak" else one for one in chosen]


def with_seconds(one: Scenario, seconds: float) -> Scenario:
    """The scenario, as long as that."""
    sizes: list[Size] = [replace(size, seconds=seconds) for size in (one.scaled, one.full)]
    return replace(one, scaled=sizes[0], full=sizes[1])


def played_faults(asked: argparse.Namespace, cells: Sequence[Cell]) -> Run:
    """The fault matrix."""
    plan = Plan(cells, asked.seed, asked.full, asked.target, asked.key, asked.port if asked.target else 0)
    started = time.monotonic()
    results = play(plan, tell)
    return Run(results, plan, time.monotonic() - started)


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def verdict(results: Sequence[Result], scenarios: Sequence[Played]) -> int:
    """Name every cell that failed and every figure that was missed; 1 when there is one."""
    failed = sorted((result for result in results if result.wrong), key=lambda result: result.cell.number)
    for result in failed:
        print(f"{result.cell}: {'; '.join(result.wrong)}")
    if results:
        print(f"{len(results) - len(failed)} of {len(results)} cells passed")
    missed = [one for one in scenarios if not one.passed]
    for one in missed:
        what = [
            f"{figure.name}: {figure.measured}, due {figure.due}"
            for figure in one.figures
            if not figure.passed and not figure.is_known
        ]
        print(f"{one.part} {one.id}: {'; '.join([one.broken] if one.broken else what)}")
    if scenarios:
        print(f"{len(scenarios) - len(missed)} of {len(scenarios)} scenarios reached all of their figures")
    return 1 if failed or missed else 0


if __name__ == "__main__":
    main()
