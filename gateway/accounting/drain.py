"""The drainer: a thread that brings receipts from the journal to the ledger, and never lets a request wait for it."""

import logging
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Condition, Event, Thread

from gateway.accounting.journal import Journal
from gateway.accounting.ledger import Ledger
from gateway.accounting.segments import Claim, claim_abandoned, read_lines, segment_name
from gateway.errors import LedgerUnavailable

LOG = logging.getLogger("steelyard.accounting")

ROUND_SECONDS = 0.5
SYNC_SECONDS = 1.0
ADOPT_SECONDS = 30.0
PRUNE_SECONDS = 3_600.0
LONGEST_WAIT_SECONDS = 30.0  # between two tries of a ledger that fails
BATCH = 100  # receipts per transaction: some 3 ms of work, a third of it under the interpreter lock
PRUNE_BATCH = 2_000
DAY_SECONDS = 86_400.0
UNREADABLE = "unreadable.jsonl"


class Drainer:
    """Drains a journal, and what killed processes left beside it, into a ledger.

    retention_days: older receipts are deleted from the ledger; 0 keeps all. now: Unix seconds.
    """

    def __init__(
        self, journal: Journal, ledger: Ledger, retention_days: int = 0, now: Callable[[], float] = time.time
    ) -> None:
        self._journal = journal
        self._ledger = ledger
        self._retention_days = retention_days
        self._now = now
        self._intake = Intake(journal.folder, ledger)
        self._thread = Thread(target=self._run, name="drainer", daemon=True)
        self._wake = Event()
        self._stopping = False
        self._rounds = Condition()
        self._begun = 0  # number of the round under way
        self._done = 0  # number of the last round that brought everything over
        self._trouble = ""  # what stands in the way now
        self._next_sync = self._next_adoption = self._next_prune = 0.0  # monotonic seconds
        self._synced: tuple[int, Path | None] = (0, None)  # receipts appended at the last fsync, and the segment then

    @property
    def set_aside(self) -> int:
        """Lines that were no receipts, torn ones included."""
        return self._intake.set_aside

    def start(self) -> None:
        """Begin; the first thing done is to bring over what killed processes left."""
        self._thread.start()

    def flush(self, timeout: float) -> bool:
        """Wait until all that was appended before this call is in the ledger; False if `timeout` seconds are over."""
        with self._rounds:
            mine = self._begun + 1
            self._wake.set()
            return self._rounds.wait_for(lambda: self._done >= mine, timeout)

    def stop(self, timeout: float = 10.0) -> bool:
        """Drain the rest, close journal and ledger; False if that took longer than `timeout` seconds.

        What could not be drained stays in the journal's folder for the next start.
        """
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        wait = ROUND_SECONDS
        while not self._stopping:
            wait = ROUND_SECONDS if self._round() else min(2 * wait, LONGEST_WAIT_SECONDS)
            self._wake.wait(wait)
            self._wake.clear()
        self._journal.finish_segment()
        self._round()
        self._journal.close()
        if self._journal.spilled:
            LOG.error("%d receipts are lost: the journal could not be written", self._journal.spilled)
        try:
            self._ledger.close()
        except LedgerUnavailable as error:
            LOG.warning("%s", error)

    def _round(self) -> bool:
        """One pass over all there is to do; whether everything that was appended before is in the ledger now."""
        with self._rounds:
            self._begun += 1
        trouble = ""
        try:
            if not self._journal.retry():
                trouble = f"the journal {self._journal.folder} cannot be written; receipts wait in memory"
            self._drain()
        # Whatever it is, the thread must live: receipts wait in the journal until somebody has looked at the log.
        except Exception as error:
            trouble = str(error) or type(error).__name__
            if not isinstance(error, LedgerUnavailable | OSError) and trouble != self._trouble:
                LOG.exception("the drainer failed")
        self._report(trouble)
        with self._rounds:
            if not trouble:
                self._done = self._begun
            self._rounds.notify_all()
        return not trouble

    def _drain(self) -> None:
        clock = time.monotonic()
        if clock >= self._next_adoption:
            adopt(self._intake)
            self._next_adoption = clock + ADOPT_SECONDS
        if (claim := self._journal.claim) is not None:
            unfinished = segment_name(self._journal.number)  # read before the list, which may already hold later ones
            segments = claim.segments()
            if clock >= self._next_sync or self._stopping:
                self._fsync(claim, segments)
                self._next_sync = clock + SYNC_SECONDS
            self._intake.drain(segments, unfinished)
        if self._retention_days and clock >= self._next_prune:
            oldest = self._now() - self._retention_days * DAY_SECONDS
            if self._ledger.prune(oldest, PRUNE_BATCH) < PRUNE_BATCH:
                self._next_prune = clock + PRUNE_SECONDS

    def _fsync(self, claim: Claim, segments: list[Path]) -> None:
        """Make what was appended safe from a power cut."""
        appended, last = self._journal.appended, self._synced[1]
        if appended == self._synced[0]:
            return
        for segment in segments:
            if last is None or segment >= last:
                fsync(segment)
        os.fsync(claim.lock)  # the folder: new segments have names
        self._synced = (appended, segments[-1] if segments else None)

    def _report(self, trouble: str) -> None:
        """Log when the state changes, not every half second."""
        if trouble and not self._trouble:
            LOG.warning("%s; receipts are kept and brought over later", trouble)
        elif self._trouble and not trouble:
            LOG.warning("receipts reach the ledger again; what stood in the way: %s", self._trouble)
        self._trouble = trouble


class Intake:
    """Brings segments into a ledger and deletes those that are finished, once the ledger has them for good."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.folder = folder
        self.set_aside = 0
        self._ledger = ledger
        self._offsets: dict[str, int] = {}
        self._left: set[Path] = set()  # abandoned folders that could not be drained, so that each is told of once

    def reload_offsets(self) -> None:
        """Read again how far each segment is drained. Not knowing costs time, but nothing is stored twice."""
        self._offsets = self._ledger.offsets()

    def drain(self, segments: Iterable[Path], unfinished: str = "") -> None:
        """Bring over what these segments hold. Those before the name `unfinished` go, without one all do."""
        finished = []
        for segment in segments:
            is_finished = not unfinished or segment.name < unfinished
            self._drain_segment(segment, is_finished)
            if is_finished:
                finished.append(segment)
        if finished and self._ledger.sync():
            self._ledger.forget([name_of(segment) for segment in finished])
            for segment in finished:
                self._offsets.pop(name_of(segment), None)
                segment.unlink()

    def leave(self, folder: Path, error: Exception) -> None:
        """Say that an abandoned folder could not be drained. It is tried again, without another word."""
        if folder not in self._left:
            self._left.add(folder)
            LOG.error("%s cannot be brought over and is left as it is: %s", folder, error or type(error).__name__)

    def _drain_segment(self, segment: Path, is_finished: bool) -> None:
        name, offsets = name_of(segment), self._offsets
        while (chunk := read_lines(segment, offsets.get(name, 0), BATCH)).lines:
            refused = self._ledger.write_lines(chunk.lines, {name: chunk.end})
            offsets[name] = chunk.end
            if refused:
                self._keep_unreadable(refused, segment)
        if is_finished and chunk.tail:
            # A power cut tore the last line; if only its newline is missing, it is whole.
            end = chunk.end + len(chunk.tail)
            if self._ledger.write_lines([chunk.tail], {name: end}):
                self.set_aside += 1
                LOG.warning("%s ends with a torn line of %d bytes; skipped", segment, len(chunk.tail))
            offsets[name] = end

    def _keep_unreadable(self, lines: list[bytes], segment: Path) -> None:
        """Nothing is thrown away: what is no receipt goes to a file where a person can look at it."""
        self.set_aside += len(lines)
        LOG.warning("%s holds %d lines that are no receipts; they are in %s", segment, len(lines), UNREADABLE)
        descriptor = os.open(self.folder / UNREADABLE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.writelines(line + b"\n" for line in lines)


def adopt(intake: Intake) -> None:
    """Bring over what processes that died have left in the journal's folder, and clear it away.

    One folder that makes trouble stops neither the others nor our own; a ledger that does is told to the caller.
    """
    for claim in claim_abandoned(intake.folder):
        try:
            intake.reload_offsets()  # the dead process knew more than we did
            intake.drain(claim.segments())
        except LedgerUnavailable:
            raise
        except Exception as error:
            intake.leave(claim.path, error)
        finally:
            claim.release()


def name_of(segment: Path) -> str:
    """A segment's name in the ledger: the writer's folder and the file, wherever the journal lies."""
    return f"{segment.parent.name}/{segment.name}"


def fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
