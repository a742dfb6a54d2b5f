"""Play cells: ask, listen, collect what the other sides say, check."""

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.simulator.log import Entry
from loadtest.chaos.caller import Heard, ask, fetch
from loadtest.chaos.cells import OFFER, Arrangement, Cell, Places, seats
from loadtest.chaos.checks import complaints, ending_of, is_refused
from loadtest.chaos.evidence import Evidence, by_mark
from loadtest.chaos.faults import GOOD_PATH, TOKENS, Ending, Timer
from loadtest.chaos.formats import CHAT, FORMATS, PROMPT, Format, Told, told_by
from loadtest.chaos.stage import FULL, GATEWAY_BATCH, SCALED, Times, gateway, simulators

AT_ONCE = 24  # cells that wait; the others go one after the other, so that their times mean something
WARM_UP = 3
BASELINE_REQUESTS = 15
PATIENCE_SECONDS = 60.0  # beyond all limits of the gateway
SETTLING_SECONDS = 2.0  # for the provider's log to learn that a stream is over
ALLOWED_SECONDS = 1.0  # of added latency: a gross bound, for this may be anybody's laptop
Baseline = dict[tuple[str, bool], float]  # format, stream -> seconds of the good path
Calls = dict[str, list[Entry]]  # by candidate
Tell = Callable[[str], None]


class Plan(Struct, frozen=True):
    """What to play, and against whom."""

    cells: Sequence[Cell]
    seed: int
    full: bool = False
    target: str = ""  # a gateway that runs already, in front of the simulated world at `port`
    key: str = ""  # for it
    port: int = 0  # of the simulated world; 0: free ones

    @property
    def times(self) -> Times:
        """The limits of our own gateway."""
        return FULL if self.full else SCALED


class Result(Struct, frozen=True):
    """What became of one cell."""

    cell: Cell
    wrong: list[str]  # nothing: passed
    added_ms: float | None  # over the good path and the limit that had to pass; None: there is nothing to compare


class Stand(Struct, frozen=True):
    """One gateway with its candidates, and where they are."""

    plan: Plan
    url: str
    places: Places
    references: dict[str, list[str]]  # spec -> text; of embeddings with a "+" before it

    @property
    def headers(self) -> dict[str, str]:
        """Sent with every request."""
        return {"authorization": f"Bearer {self.plan.key}"} if self.plan.key else {}


def play(plan: Plan, tell: Tell) -> list[Result]:
    """Every cell of the plan. Those that wait go last, and beside each other."""
    results: list[Result] = []
    ordered = sorted(plan.cells, key=lambda cell: cell.is_slow)
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as name,
        simulators(Path(name), ordered, plan.seed, plan.port) as places,
    ):
        references = references_of(plan, places)
        for start in range(0, len(ordered), GATEWAY_BATCH):
            batch = ordered[start : start + GATEWAY_BATCH]
            results += played(plan, batch, places, references, Path(name) / f"gateway-{start}")
            tell(f"{len(results)} of {len(ordered)} cells, {sum(bool(result.wrong) for result in results)} failed")
    return results


def played(
    plan: Plan, batch: Sequence[Cell], places: Places, references: dict[str, list[str]], folder: Path
) -> list[Result]:
    """One gateway's share of the cells."""
    if plan.target:
        return in_turn(Stand(plan, plan.target, places, references), batch, [])
    usual = good_path(batch)
    with gateway([*batch, *usual], places, plan.times, plan.full, folder) as child:
        return in_turn(Stand(plan, f"http://127.0.0.1:{child.port}", places, references), batch, usual)


def good_path(batch: Sequence[Cell]) -> list[Cell]:
    """A cell for every format and way of these, in which nothing goes wrong. Their numbers are beyond the matrix's."""
    ways = {(FORMATS.index(cell.format), cell.stream) for cell in batch}
    return [
        Cell(1_000_000 + 2 * number + stream, GOOD_PATH, FORMATS[number], stream, Arrangement.SINGLE)
        for number, stream in sorted(ways)
    ]


def in_turn(stand: Stand, batch: Sequence[Cell], usual: Sequence[Cell]) -> list[Result]:
    """Those that do not wait one after the other, then the others beside each other; then what the providers say."""
    baseline = measured(stand, usual)
    taken = [evidence_without_log(stand, cell) for cell in batch if not cell.is_slow]
    with ThreadPoolExecutor(AT_ONCE) as callers:
        taken += callers.map(lambda cell: evidence_without_log(stand, cell), [cell for cell in batch if cell.is_slow])
    log = {} if stand.plan.target else settled_log(stand)
    return [result_of(stand, seen, log, baseline) for seen in taken]


def measured(stand: Stand, usual: Sequence[Cell]) -> Baseline:
    """What each format takes in each way when nothing goes wrong."""
    found: Baseline = {}
    for cell in usual:
        times = [asked(stand, cell).seconds for _ in range(WARM_UP + BASELINE_REQUESTS)]
        found[cell.format.name, cell.stream] = statistics.median(times[WARM_UP:])
    return found


def asked(stand: Stand, cell: Cell) -> Heard:
    patience = 2 * stand.plan.times.total + PATIENCE_SECONDS
    body = cell.format.body(cell.model, cell.stream)
    return ask(stand.url, cell.format.path(cell.model, cell.stream), body, stand.headers, patience)


def evidence_without_log(stand: Stand, cell: Cell) -> Evidence:
    """Ask, and read the receipt while the gateway still has it in mind."""
    heard = asked(stand, cell)
    if cell.row.is_repeatable:
        heard = asked(stand, cell)
    told = told_by(cell.format, cell.stream, heard.body) if heard.status == 200 else Told()
    plus = "" if cell.format.writes else "+"
    reference = stand.references[plus + GOOD_PATH.spec]
    return Evidence(
        cell=cell,
        seats=seats(cell, stand.places, stand.plan.full),
        heard=heard,
        told=told,
        reference=reference,
        bad_reference=stand.references.get(plus + cell.row.spec, reference),
        calls={},
        receipt=None if stand.plan.target else receipt_of(stand.url, heard),
        is_outside=bool(stand.plan.target),
    )


def receipt_of(url: str, heard: Heard) -> dict[str, Any] | None:
    """As GET /v1/decisions shows it."""
    decision = heard.header("x-steelyard-decision")
    if not decision:
        return None
    try:
        receipt: dict[str, Any] = json.loads(fetch(url, f"/v1/decisions/{decision}"))["receipt"]
    except LookupError:
        return None
    return receipt


def settled_log(stand: Stand) -> Calls:
    """The providers' log, once nothing is open in it any more, or nothing more is to be expected."""
    deadline = time.monotonic() + SETTLING_SECONDS
    is_paced = any(cell.is_paced for cell in stand.plan.cells)
    hosts = [stand.places.simulator, *([stand.places.paced] if is_paced else [])]
    while True:
        logs = [fetch(f"http://{host}", "/_sim/log") for host in hosts]
        if all(b'"outcome":"open"' not in log for log in logs) or time.monotonic() > deadline:
            return by_mark(logs)
        time.sleep(0.05)


def result_of(stand: Stand, taken: Evidence, log: Calls, baseline: Baseline) -> Result:
    seen = replace(taken, calls=log)
    wrong = complaints(seen)
    added = added_ms(stand.plan.times, seen, baseline)
    if added is not None and added > 1000 * ALLOWED_SECONDS:
        wrong.append(f"{added:.0f} ms more than the good path and the limits together")
    return Result(seen.cell, wrong, added)


def added_ms(times: Times, seen: Evidence, baseline: Baseline) -> float | None:
    """Over the good path, less the limits that had to pass: one for each candidate that was waited for.

    Of a stream that breaks: from the break to the end of the answer, where the provider's log has the moment.
    """
    cell, ending = seen.cell, ending_of(seen)
    calls = seen.calls_of(is_bad=True)
    if ending is Ending.CUT:
        entry = calls[0] if calls else None
        if entry is None or entry.ended_ms is None or entry.outcome == "gone":
            return None
        return 1000 * (seen.heard.ended - entry.started) - entry.ended_ms
    usual = baseline.get((cell.format.name, cell.stream))
    if usual is None or cell.row.own_text or cell.is_paced or cell.row.timer(cell.stream) in (Timer.OWN, Timer.HEAVY):
        return None
    goes_on = ending in (Ending.NEXT, Ending.LARGER)
    attempts = 2 if goes_on and is_refused(seen) and cell.arrangement is Arrangement.ALL else 1
    return 1000 * (seen.heard.seconds - usual - attempts * times.waits(cell))


def references_of(plan: Plan, places: Places) -> dict[str, list[str]]:
    """What the simulated models say when asked straight: well, and with the faults that change their words."""
    embeddings = next(form for form in FORMATS if not form.writes)
    found = {"OK": straight(CHAT, "OK", places), "+OK": straight(embeddings, "OK", places)}
    for row in {cell.row.spec: cell.row for cell in plan.cells if cell.row.own_text}.values():
        found[row.spec] = straight(CHAT, row.full if plan.full and row.full else row.spec, places)
    return found


def straight(form: Format, spec: str, places: Places) -> list[str]:
    """The text of an answer of the simulator itself, token by token."""
    offer = OFFER["sim/coder-pro@sim-alpha" if form.writes else "sim/embed-small@sim-alpha"]
    body = form.body(f"{offer.upstream_name}:{spec};tokens={TOKENS}", form.streams)
    heard = ask(f"http://{places.simulator}/sim-alpha", form.path("", form.streams), body, {}, PATIENCE_SECONDS)
    told = told_by(form, form.streams, heard.body)
    if heard.status != 200 or told.malformed:
        raise RuntimeError(f"the simulator does not answer {PROMPT!r} with {spec}: {heard.body[:200]!r}")
    return told.pieces or [told.text]
