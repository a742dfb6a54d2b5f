"""The parts of a run beside the fault matrix: play their scenarios one after the other, each in a folder of its own."""

import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from loadtest.chaos.load import SCENARIOS as LOAD
from loadtest.chaos.populations import SCENARIOS as POPULATIONS
from loadtest.chaos.process import SCENARIOS as PROCESS
from loadtest.chaos.scenario import Figure, NotHere, Played, Scenario, Stage
from loadtest.children import ROOT

PARTS: Mapping[str, Sequence[Scenario]] = {"populations": POPULATIONS, "load": LOAD, "process": PROCESS}
OUT = ROOT / "loadtest" / "out"


def play_part(
    part: str, chosen: Sequence[Scenario], seed: int, full: bool, tell: Callable[[str], None]
) -> list[Played]:
    """Every scenario, and its figures to `loadtest/out`."""
    found = []
    for scenario in chosen:
        found.append(played(part, scenario, seed, full))
        for line in lines_of(found[-1]):
            tell(line)
    OUT.mkdir(exist_ok=True)
    record = {"part": part, "seed": seed, "full": full, "time": time.time(), "scenarios": found}
    (OUT / f"chaos-{part}.json").write_bytes(msgspec.json.format(msgspec.json.encode(record)))
    return found


def played(part: str, scenario: Scenario, seed: int, full: bool) -> Played:
    """One scenario. What breaks it is part of the result, so that the others are still played."""
    size = scenario.size(full)
    started = time.monotonic()
    broken = skipped = ""
    figures = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        try:
            found = scenario.play(Stage(Path(folder), seed, full, size))
            figures = [replace(one, is_known=not one.passed and one.name in scenario.known_misses) for one in found]
        except NotHere as missing:
            skipped = str(missing)
        except Exception as error:
            traceback.print_exc()
            broken = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - started
    return Played(part, scenario.id, scenario.title, str(size), figures, seconds, scenario.note, broken, skipped)


def lines_of(one: Played) -> list[str]:
    """For a terminal."""
    verdict = "skipped: " + one.skipped if one.skipped else "pass" if one.passed else "MISS"
    head = f"{one.part} {one.id}: {one.title} ({one.size}): {verdict}, {one.seconds:.0f} s"
    broken = [f"    broke off: {one.broken}"] if one.broken else []
    return [head, *broken, *(line_of(figure) for figure in one.figures)]


def line_of(figure: Figure) -> str:
    verdict = "pass" if figure.passed else "known" if figure.is_known else "MISS"
    return f"    {verdict:5}  {figure.name}: {figure.measured} (due {figure.due})"
