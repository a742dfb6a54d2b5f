"""docs/RELIABILITY.md: a run of the matrix, for people."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from gateway.simulator.faults.table import FAULTS
from loadtest.chaos.faults import TABLE, Row
from loadtest.chaos.formats import FORMATS
from loadtest.chaos.play import Plan, Result
from loadtest.chaos.scenario import Played
from loadtest.chaos.section import machine, section, today

TITLES = {
    "openai_chat": "Chat",
    "openai_responses": "Responses",
    "anthropic_messages": "Messages",
    "gemini": "Gemini",
    "openai_completions": "Completions",
    "openai_embeddings": "Embeddings",
}
ADDRESSES = {
    "OK": "nothing goes wrong",
    "F01": "nothing listens on the port",
    "F02": "the provider's name does not resolve",
    "F03": "the port's backlog is full: SYNs are dropped",
    "F04": "plain text where TLS is expected",
    "F06": "RST on accept",
}
LONGEST_COMPLAINT = 240  # characters
OWN_NAME = re.compile(r"(chaos/cell-\d+@)?seat-\d+-\d+: |dec_[0-9a-f]+|chatcmpl-[a-z]+-\d+")  # differ from cell to cell
INTRODUCTION = """\
# What callers see of a provider's faults

Written by `make chaos`; change nothing here by hand. Everything is played with real processes on loopback: the
[simulator](simulator.md), a gateway, and callers. What was called and billed is the simulator's own log, what was
booked is the ledger.
"""
MATRIX = """\
## Single faults

Every fault that the simulator can play meets every format that callers speak, streamed and not, three times: at the
first of two candidates, at both, and at the only one. Each cell is one request, to candidates that no other cell uses.
"""
CHECKED = """\
### What is checked

Status and body in the caller's format; every character of the text; one finish, one ending, or one error and no
ending; which candidates were called how often, by the simulator's own log; that the receipt holds the tokens and the
money that the provider billed for the answer (where it cannot say, our own count, near it and marked as estimated);
that no key of ours, no traceback, no HTML and none of the provider's own headers are in the answer.

| a request should get | when the fault is at the first candidate |
|---|---|
| the answer | it is survived: the text is that of this very provider |
| the next candidate's answer | it comes before the first word; nobody left: an error in the caller's format |
| the provider's refusal | the request is at fault; nobody else is asked |
| the beginning, then an error | the stream broke: all whole tokens that were written, one error event, no ending |

"""
HOW = """\
## Again

```
make chaos                                                   # all of it, and this page
.venv/bin/python -m loadtest.chaos --part populations        # or faults, load, process; several by comma
.venv/bin/python -m loadtest.chaos --only F29,F53 --format openai_chat
.venv/bin/python -m loadtest.chaos --short                   # what CI plays
.venv/bin/python -m loadtest.chaos --full                    # real lengths, real sizes, default limits; some hours
.venv/bin/python -m loadtest.chaos --part load --only soak --soak 480   # minutes
```

The single faults can be pointed at any gateway that speaks OpenAI's format. `--describe` prints the models that it has
to offer and the candidates of each, in order; `--target http://127.0.0.1:4000` then starts the providers (`--port`) and
asks it. Of a foreign gateway only what its callers see is checked: no calls, no receipts. The other parts kill, stop
and reload the gateway, and read its ledger, so they are played with our own.
"""


class Run(Struct, frozen=True):
    """A run that has ended."""

    results: list[Result]
    plan: Plan
    seconds: float


def page(run: Run | None, parts: Mapping[str, Sequence[Played]], seed: int) -> str:
    """The whole page. run: of the single faults, where they were played."""
    said = [INTRODUCTION]
    if run is not None:
        failed = sorted((result for result in run.results if result.wrong), key=lambda result: result.cell.number)
        said += [MATRIX, headline(run, len(failed)), CHECKED, *table(run.results), failures(failed)]
    said += [section(part, scenarios, seed) for part, scenarios in parts.items()]
    return "\n".join([*said, HOW])


def headline(run: Run, failed: int) -> str:
    """When, where, with what luck."""
    count, plan, times = len(run.results), run.plan, run.plan.times
    lengths = "real lengths" if plan.full else "shortened"
    return (
        f"**{count - failed:,} of {count:,} cells pass.** {today()}, seed {plan.seed}, {run.seconds:.0f} s on "
        f"{machine()}. Stalls and sizes: {lengths}; the gateway's limits are {times.connect:g} s to connect, "
        f"{times.first_token:g} s to the first token, {times.idle:g} s idle.\n"
    )


def table(results: Sequence[Result]) -> Iterator[str]:
    """A row per fault, a column per format: whole answers / streams."""
    used = [form for form in FORMATS if any(result.cell.format is form for result in results)]
    yield "### The matrix"
    yield ""
    yield (
        "Each entry is whole answers / streams. `pass`: all three arrangements did; else how many failed. Added: the "
        "slowest of those that have a figure, in ms over the good path and the limits that had to pass; of a broken "
        "stream, from the break to the end of the answer.\n"
    )
    yield f"| id | the provider | a request should get | {' | '.join(TITLES[form.name] for form in used)} | added |"
    yield f"|---|---|---|{'---|' * len(used)}--:|"
    for row in TABLE:
        mine = [result for result in results if result.cell.row.spec == row.spec]
        if mine:
            entries = " | ".join(entry([one for one in mine if one.cell.format is form]) for form in used)
            yield f"| {row.spec} | {described(row)} | {due(row)} | {entries} | {slowest(mine)} |"
    yield ""


def described(row: Row) -> str:
    """The simulator's own words."""
    return ADDRESSES.get(row.id, FAULTS[row.id].summary if row.id in FAULTS else "").replace("|", ",")


def due(row: Row) -> str:
    """The ending, or both where they differ."""
    whole, stream = row.whole.value, row.stream.value
    return whole if whole == stream else f"{whole} / {stream}"


def entry(results: Sequence[Result]) -> str:
    """Of one format: "pass / 2 fail"."""
    said = []
    for stream in (False, True):
        mine = [result for result in results if result.cell.stream is stream]
        failed = sum(bool(result.wrong) for result in mine)
        if mine:
            said.append(f"**{failed} of {len(mine)} fail**" if failed else "pass")
    return " / ".join(said) or "-"


def slowest(results: Iterable[Result]) -> str:
    """Milliseconds, "" where nothing can be compared."""
    figures = [result.added_ms for result in results if result.added_ms is not None]
    return f"{max(figures):.0f}" if figures else ""


def failures(failed: Sequence[Result]) -> str:
    """Each cell that failed, and why; alike ones of a fault together."""
    if not failed:
        return "Nothing failed.\n"
    lines = ["### What failed", ""]
    for row in TABLE:
        mine = [result for result in failed if result.cell.row.spec == row.spec]
        if mine:
            lines += ["", f"**{row.spec}**, {described(row)}:", ""]
            alike: dict[str, list[str]] = {}
            for result in mine:
                alike.setdefault(reason(result), []).append(where(result))
            lines += [f"- {'; '.join(places)}: {said}" for said, places in alike.items()]
    return "\n".join(lines) + "\n"


def where(result: Result) -> str:
    """Format, way and arrangement."""
    cell = result.cell
    arrangement = {"first": "the first of two", "all": "both", "single": "the only one"}[cell.arrangement.value]
    return f"{TITLES[cell.format.name]}, {'streamed' if cell.stream else 'whole'}, {arrangement}"


def reason(result: Result) -> str:
    """What is wrong, on one line and without markup."""
    said = "; ".join(result.wrong).replace("|", ",").replace("\n", " ")
    said = OWN_NAME.sub("", said)
    return "`" + said.replace("`", "'")[:LONGEST_COMPLAINT] + "`"
