"""Figures of this process for Prometheus: what is counted, and how it is written.

Written by ourselves: the text format is three lines a family, and a count here is one addition to a dict, where the
well-kept library takes a lock for each. Labels come from settings, the catalog and our own vocabularies, never from a
caller (S31). Format 0.0.4: prometheus.io/docs/instrumenting/exposition_formats, read 2026-11-23.
"""

from collections import Counter
from collections.abc import Callable, Mapping

from msgspec import Struct

from gateway.accounting.receipt import Receipt

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Samples = Mapping[tuple[str, ...], float]  # by label values, in the order of the family's labels


class Family(Struct, frozen=True):
    """One metric. `kind` is "counter" (since the start) or "gauge" (now)."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


REQUESTS = Family("steelyard_requests_total", "counter", ("outcome",), "Finished requests, by how they ended.")
ATTEMPTS = Family(
    "steelyard_attempts_total", "counter", ("provider", "outcome"), "Tries of a provider, by how they ended."
)
FAULTS = Family("steelyard_faults_total", "counter", ("kind",), "Faults of providers, by kind.")


class Tally:
    """Counts finished receipts; a sink. Requests that were refused before a receipt was made are not among them."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, ...]] = Counter()
        self.attempts: Counter[tuple[str, ...]] = Counter()
        self.faults: Counter[tuple[str, ...]] = Counter()

    def count(self, receipt: Receipt) -> None:
        """Take one receipt in."""
        self.requests[(receipt.outcome,)] += 1
        for attempt in receipt.attempts:
            self.attempts[attempt.target.rpartition("@")[2], attempt.outcome] += 1
            if attempt.fault:
                self.faults[(attempt.fault,)] += 1


GAUGES = {
    family.name: family
    for family in (
        Family("steelyard_requests_in_flight", "gauge", (), "Requests that are being answered."),
        Family("steelyard_retries_left", "gauge", (), "Further tries that the retry budget allows now."),
        Family("steelyard_targets_out", "gauge", (), "Targets with an open breaker or a cooldown."),
        Family("steelyard_loop_long_steps_total", "counter", (), "Steps of the event loop over 20 ms that were met."),
        Family("steelyard_loop_longest_step_seconds", "gauge", (), "The longest of them since the start."),
        Family("steelyard_journal_failures_total", "counter", (), "Writes of the journal that failed."),
        Family("steelyard_journal_spilled", "gauge", (), "Receipts that wait in memory for the disk."),
        Family("steelyard_journal_lost_total", "counter", (), "Receipts that found no room to wait in."),
        Family("process_resident_memory_bytes", "gauge", (), "Memory that the process holds."),
        Family("process_open_fds", "gauge", (), "File descriptors that the process has open."),
    )
}
FAMILIES = (REQUESTS, ATTEMPTS, FAULTS, *GAUGES.values())


class Metrics:
    """All figures of the process. readings: one for each of GAUGES, asked when somebody looks."""

    def __init__(self, tally: Tally, readings: Mapping[str, Callable[[], float]]) -> None:
        if readings.keys() != GAUGES.keys():
            raise ValueError(f"no such metrics, or without a reading: {sorted(readings.keys() ^ GAUGES.keys())}")
        self._tally = tally
        self._readings = readings

    def text(self) -> str:
        """The figures of this moment in Prometheus' text format."""
        counted: list[tuple[Family, Samples]] = [
            (REQUESTS, self._tally.requests),
            (ATTEMPTS, self._tally.attempts),
            (FAULTS, self._tally.faults),
        ]
        read: list[tuple[Family, Samples]] = [
            (GAUGES[name], {(): reading()}) for name, reading in self._readings.items()
        ]
        return "".join(written(family, samples) for family, samples in [*counted, *read])


def written(family: Family, samples: Samples) -> str:
    """One family; counters without any sample yet are only announced."""
    lines = [f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind}\n"]
    for values, number in sorted(samples.items()):
        pairs = ",".join(f'{label}="{escaped(value)}"' for label, value in zip(family.labels, values, strict=True))
        lines.append(f"{family.name}{{{pairs}}} {number}\n" if pairs else f"{family.name} {number}\n")
    return "".join(lines)


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
