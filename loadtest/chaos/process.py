"""The process and its disk: killed, stopped, reloaded under load; callers who hang up; a full or locked disk."""

import contextlib
import resource
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from loadtest.chaos.books import ledger_figures
from loadtest.chaos.clock import turned
from loadtest.chaos.copies import copied_under_load
from loadtest.chaos.flood import Sent, flood, flooding
from loadtest.chaos.ground import Candidate, Ground
from loadtest.chaos.scenario import Figure, Scenario, Size, Stage, at_least, at_most, exactly, quantile, share
from loadtest.chaos.vitals import vitals_of

FIRST = Candidate("sim-alpha")
SETTLED_SECONDS = 20.0
MAY_BE_ON_THE_WAY = 1  # token that a provider wrote while the caller was hanging up
BAD_SETTINGS = "default_router: chaos\nrouters:\n  chaos: {weights: {quality: -1}}\n"
DISK_BYTES = 32 << 20
BALLAST = "ballast"


def killed(stage: Stage) -> list[Figure]:
    """`kill -9` again and again; started again by whoever watches over it."""
    with Ground(stage, [FIRST]) as ground:
        ground.good_text()
        mark = ground.calls.mark()
        seconds = stage.size.seconds * (stage.size.rounds + 1)
        shape = {"per_second": stage.size.per_second / 2, "seconds": seconds, "patience_seconds": 20.0}
        downs: list[tuple[float, float]] = []
        broken = 0
        with (
            flooding(ground.load(**shape), stage.folder, "whole") as whole,
            flooding(ground.load(**shape, stream=True), stage.folder, "streams") as streamed,
        ):
            for _ in range(stage.size.rounds):
                time.sleep(stage.size.seconds)
                went = time.time()
                ground.stop(signal.SIGKILL)
                broken += ground.books.integrity() != "ok"
                ground.start()
                downs.append((went, time.time()))
            sent = [*whole.sendings().sent, *streamed.sendings().sent]
        ground.calls.settled(mark)
        receipts = ground.books.receipts([one.decision for one in sent if one.is_answered])
        answered = {one.decision for one in sent if one.is_answered}
        unexplained = [one for one in sent if not one.is_answered and not overlaps(one, downs)]
        return [
            exactly("requests lost that were not open at a kill", 0, len(unexplained)),
            exactly("answers without a receipt", 0, len(answered - receipts.keys())),
            exactly("ledgers that were not well after a kill", 0, broken),
            at_most("until the next one answers", 2, max(up - down for down, up in downs), " s"),
        ]


def overlaps(one: Sent, downs: Sequence[tuple[float, float]]) -> bool:
    """Whether it was open, or began, while nobody was there."""
    return any(one.started <= up and one.ended >= down - 0.01 for down, up in downs)


def power_cuts(stage: Stage) -> list[Figure]:
    """Copies of ledger and journal, taken at random moments, without what had not come to the disk for sure."""
    with Ground(stage, [FIRST]) as ground:
        load = ground.load(per_second=stage.size.per_second, requests=10**9, seconds=stage.size.rounds * 0.12 + 2)
        with flooding(load, stage.folder) as under_way:
            copies = copied_under_load(ground, stage.size.rounds, Random(stage.seed))
            sent = under_way.sendings().sent
        asked = {one.decision for one in sent if one.decision}
        lost = sum(len(copy.missing(sent)) for copy in copies)
        return [
            exactly("copies that do not open, or are not well", 0, sum(copy.integrity != "ok" for copy in copies)),
            exactly("answers older than 1 s that are in neither", 0, lost),
            exactly("receipts of requests that nobody sent", 0, sum(len(copy.known - asked) for copy in copies)),
        ]


def stopped(stage: Stage) -> list[Figure]:
    """SIGTERM while streams are under way: they end, and so does the process. Then the same with a second signal."""
    tokens = int(20 * stage.size.seconds)
    paced = Candidate("sim-alpha", f"F73;gap=50;tokens={tokens}")
    with Ground(stage, [paced], server={"drain_seconds": 10 * stage.size.seconds + 60}) as ground:
        shape = {
            "stream": True,
            "max_tokens": 0,
            "requests": stage.size.at_once,
            "at_once": stage.size.at_once,
            "patience_seconds": 10 * stage.size.seconds + 60,
        }
        with flooding(ground.load(**shape), stage.folder, "first") as under_way:
            wait_for_calls(ground, 0, stage.size.at_once)
            code = ground.stop(seconds=10 * stage.size.seconds + 60)
            let_end = under_way.sendings().sent
        ground.start()
        mark = ground.calls.mark()
        with flooding(ground.load(**shape), stage.folder, "second") as under_way:
            wait_for_calls(ground, mark, stage.size.at_once)
            ground.send(signal.SIGTERM)
            time.sleep(0.5)
            asked = time.monotonic()
            second_code = ground.stop()
            took = time.monotonic() - asked
            cut_off = under_way.sendings().sent
        receipts = ground.books.receipts([one.decision for one in (*let_end, *cut_off)])
        told = sum(one.has_error for one in cut_off)
        return [
            at_least(
                "streams that ended whole", 100, share(sum(one.is_answered for one in let_end), len(let_end)), " %"
            ),
            exactly("exit code", 0, code),
            at_most("end after a second signal", 5, took, " s"),
            exactly("exit code then", 0, second_code),
            exactly("streams of those without an error event", 0, len(cut_off) - told),
            exactly("streams without a receipt", 0, sum(one.decision not in receipts for one in (*let_end, *cut_off))),
        ]


def wait_for_calls(ground: Ground, after: int, count: int) -> None:
    """Until so many more calls have come to the provider. Raises TimeoutError."""
    deadline = time.monotonic() + SETTLED_SECONDS
    while ground.calls.mark() < after + count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {ground.calls.mark() - after} of {count} calls came")
        time.sleep(0.1)


def reloads(stage: Stage) -> list[Figure]:
    """New settings again and again, a fifth of them with a mistake."""
    with Ground(stage, [FIRST, Candidate("sim-delta")]) as ground:
        text = ground.good_text()
        pause = stage.size.seconds
        load = ground.load(per_second=stage.size.per_second, seconds=pause * stage.size.rounds + 2, text=text)
        bad = 0
        with flooding(load, stage.folder) as under_way:
            for number in range(stage.size.rounds):
                is_bad = number % 5 == 4
                bad += is_bad
                ground.candidates.reverse()
                ground.write_settings(BAD_SETTINGS if is_bad else ground.settings())
                ground.send(signal.SIGHUP)
                time.sleep(pause)
            sent = under_way.sendings().sent
        named = ground.logs.count("steelyard.yaml:3:")
        return [
            exactly("requests that failed", 0, sum(not one.is_answered for one in sent)),
            at_least("bad settings refused with file and line", bad, named),
            *ledger_figures(ground.books, sent, [])[:1],
        ]


def disk_full(stage: Stage) -> list[Figure]:
    """No byte more fits where ledger and journal are, for a while."""
    state = stage.folder / ".steelyard"
    state.mkdir()
    with small_disk(state) as is_small, Ground(stage, [FIRST]) as ground:
        load = ground.load(per_second=stage.size.per_second, seconds=stage.size.seconds, text=ground.good_text())
        flood(ground.load(at_once=1, requests=10), stage.folder, "before")
        with nothing_fits(state, ground.pid, is_small):
            sent = flood(load, stage.folder).sent
        after = flood(ground.load(at_once=1, requests=10), stage.folder, "after").sent
        answered = [one.decision for one in (*sent, *after) if one.is_answered]
        receipts = ground.books.receipts(answered)
        return [
            exactly("requests that failed", 0, len(sent) + len(after) - len(answered)),
            exactly("answers without a receipt afterwards", 0, len(set(answered) - receipts.keys())),
            exactly("ledgers that are not well", 0, int(ground.books.integrity() != "ok")),
        ]


@contextlib.contextmanager
def small_disk(state: Path) -> Iterator[bool]:
    """A disk of 32 MiB there, if we may mount one."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(state)], capture_output=True, check=False
    )
    try:
        yield mounted.returncode == 0
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", str(state)], check=True)


@contextlib.contextmanager
def nothing_fits(state: Path, pid: int, is_small: bool) -> Iterator[None]:
    """Fill the small disk; without one, forbid the process to let any file grow."""
    if not is_small:
        usual = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, usual[1]))
        try:
            yield
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)
        return
    ballast = state / BALLAST
    with ballast.open("wb", buffering=0) as filling, contextlib.suppress(OSError):
        while filling.write(bytes(4096)):
            pass
    try:
        yield
    finally:
        ballast.unlink()


def locked(stage: Stage) -> list[Figure]:
    """Somebody else holds the ledger's lock."""
    with Ground(stage, [FIRST]) as ground:
        load = ground.load(per_second=stage.size.per_second, seconds=stage.size.seconds, text=ground.good_text())
        before = flood(load, stage.folder, "before").sent
        holder = sqlite3.connect(ground.books.path, isolation_level=None, timeout=10)
        with contextlib.closing(holder):
            holder.execute("BEGIN EXCLUSIVE")
            during = flood(load, stage.folder).sent
            holder.execute("ROLLBACK")
        usual, then = (quantile([one.seconds for one in sent], 0.99) for sent in (before, during))
        return [
            exactly("requests that failed", 0, sum(not one.is_answered for one in (*before, *during))),
            at_most("added, 99th percentile", 5, 1000 * (then - usual), " ms"),
            *ledger_figures(ground.books, during, [])[:1],
        ]


def hang_ups(stage: Stage) -> list[Figure]:
    """Callers who hang up: in the middle of a stream, after a random number of bytes, and before a whole answer."""
    candidates = [
        Candidate("sim-alpha", "F73;gap=20;tokens=40"),
        Candidate("sim-alpha", "F09;delay=1000", name="late", model="chaos/late"),
    ]
    with Ground(stage, candidates) as ground:
        flood(ground.load(stream=True, max_tokens=0, at_once=stage.size.at_once, requests=200), stage.folder, "warm")
        before, mark = vitals_of(ground.pid), ground.calls.mark()
        shape = {"at_once": stage.size.at_once, "requests": stage.size.requests, "leaving_share": 1.0}
        middle = flood(ground.load(stream=True, max_tokens=0, leaving_bytes=9_000, **shape), stage.folder).sent
        calls = ground.calls.settled(mark)
        mark = ground.calls.mark()
        early = {**shape, "models": {"chaos/late": 1.0}, "requests": stage.size.requests // 5, "leaving_bytes": 1}
        whole = flood(ground.load(**early), stage.folder, "whole").sent
        late_calls = ground.calls.settled(mark)
        by_id = {entry.id: entry for entry in calls}
        pairs = [(one, by_id[one.answer_id]) for one in middle if one.left and one.answer_id in by_id]
        gone = [1000 * (entry.started - one.ended) + entry.gone_ms for one, entry in pairs if entry.gone_ms is not None]
        receipts = ground.books.receipts([one.decision for one, _ in pairs if one.decision])
        booked = sum(receipts[one.decision].usage.output_tokens for one, _ in pairs if one.decision in receipts)
        billed = sum(entry.output_tokens for _, entry in pairs)
        too_little = sum(
            receipts[one.decision].usage.output_tokens < entry.output_tokens - MAY_BE_ON_THE_WAY
            for one, entry in pairs
            if one.decision in receipts
        )
        deadline = time.monotonic() + SETTLED_SECONDS
        while vitals_of(ground.pid).descriptors > before.descriptors + 5 and time.monotonic() < deadline:
            time.sleep(0.2)
        still = sum(entry.outcome not in ("gone", "done") for entry in (*calls, *late_calls))
        return [
            at_least("streams that were left in their middle", stage.size.requests / 2, len(gone)),
            at_most("from hanging up to the provider's knowing it, 99th percentile", 100, quantile(gone, 0.99), " ms"),
            at_most("tokens booked off those sent", 5, abs(share(booked - billed, billed)), " %"),
            exactly("receipts that book less than was sent", 0, too_little),
            exactly("hung up on without a receipt", 0, sum(one.decision not in receipts for one, _ in pairs)),
            exactly("waits for whole answers that went on", 0, sum(entry.outcome == "done" for entry in late_calls)),
            exactly("calls that are still open", 0, still),
            at_most("file descriptors more than before", 5, vitals_of(ground.pid).descriptors - before.descriptors),
            exactly("whole answers that nobody waited for and got", 0, sum(one.is_answered for one in whole)),
        ]


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "F105",
        "`kill -9` every so often, under load",
        Size(rounds=3, per_second=60, seconds=3),
        Size(rounds=120, per_second=400, seconds=5),
        killed,
    ),
    Scenario(
        "F105b",
        "a power cut: copies of ledger and journal at random moments",
        Size(rounds=100, per_second=100),
        Size(rounds=1_000, per_second=100),
        power_cuts,
        in_short=True,
    ),
    Scenario(
        "F106",
        "SIGTERM while streams are under way, then two of them",
        Size(at_once=100, seconds=5),
        Size(at_once=1_000, seconds=30),
        stopped,
        in_short=True,
    ),
    Scenario(
        "F107",
        "new settings under load, a fifth of them bad",
        Size(rounds=30, per_second=50, seconds=0.4),
        Size(rounds=100, per_second=200, seconds=0.6),
        reloads,
        in_short=True,
    ),
    Scenario(
        "F101",
        "the disk of ledger and journal is full",
        Size(per_second=50, seconds=5),
        Size(per_second=50, seconds=60),
        disk_full,
        in_short=True,
    ),
    Scenario(
        "F102",
        "the ledger is locked by somebody else",
        Size(per_second=50, seconds=7),
        Size(per_second=200, seconds=30),
        locked,
    ),
    Scenario(
        "F100",
        "the wall clock is turned by an hour, on and back",
        Size(per_second=50, seconds=3),
        Size(per_second=200, seconds=10),
        turned,
    ),
    Scenario(
        "F90-F91",
        "callers hang up, at random bytes of a stream and before a whole answer",
        Size(requests=1_000, at_once=40),
        Size(requests=10_000, at_once=40),
        hang_ups,
        in_short=True,
        note="A provider tells the usage with its last event, which a caller who hangs up never lets come. What is "
        "booked then is our own count of the text that came, as this target's whole streams have corrected it.",
    ),
)
