"""Figures of a process for Prometheus: what is counted, and how it is written.

Written by ourselves: the text format is three lines a family, and a count here is one addition to a dict, where the
well-kept library takes a lock for each. Labels come from settings, the catalog and our own vocabularies, never from a
caller (S31). Format 0.0.4: prometheus.io/docs/instrumenting/exposition_formats, read 2026-11-23.
"""

from collections import Counter
from collections.abc import Callable, Mapping

from msgspec import Struct

from gateway.accounting.receipt import Receipt
from gateway.settings.names import SHADOW

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


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
SHADOWS = Family(
    "steelyard_shadow_evaluations_total", "counter", ("outcome",), "Requests drawn to be judged, by what came of it."
)


class Tally:
    """Counts finished receipts; a sink. Requests that were refused before a receipt was made are not among them.

    Of calls that no caller has asked for, such as a judge's, only the attempts are counted.
    """

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, ...]] = Counter()
        self.attempts: Counter[tuple[str, ...]] = Counter()
        self.faults: Counter[tuple[str, ...]] = Counter()

    def count(self, receipt: Receipt) -> None:
        """Take one receipt in."""
        if receipt.key != SHADOW:
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
        Family("steelyard_shadow_spent_usd", "gauge", (), "Spent today on shadow evaluations by this process."),
        Family("process_resident_memory_bytes", "gauge", (), "Memory that the process holds."),
        Family("process_open_fds", "gauge", (), "File descriptors that the process has open."),
    )
}
FAMILIES = (REQUESTS, ATTEMPTS, FAULTS, SHADOWS, *GAUGES.values())


Figures = dict[str, list[tuple[tuple[str, ...], float]]]  # by name of the family: label values, number


class Metrics:
    """All figures of the process. readings: one for each of GAUGES, asked when somebody looks."""

    def __init__(
        self, tally: Tally, readings: Mapping[str, Callable[[], float]], shadows: Counter[tuple[str, ...]]
    ) -> None:
        """shadows: outcome -> number of shadow evaluations."""
        if readings.keys() != GAUGES.keys():
            raise ValueError(f"no such metrics, or without a reading: {sorted(readings.keys() ^ GAUGES.keys())}")
        self._tally = tally
        self._readings = readings
        self._shadows = shadows

    def figures(self) -> Figures:
        """Those of this moment."""
        tally = self._tally
        counted = {
            REQUESTS.name: tally.requests,
            ATTEMPTS.name: tally.attempts,
            FAULTS.name: tally.faults,
            SHADOWS.name: self._shadows,
        }
        figures: Figures = {name: sorted(samples.items()) for name, samples in counted.items()}
        return figures | {name: [((), reading())] for name, reading in self._readings.items()}


def text_of(workers: Mapping[int, Figures]) -> str:
    """The figures of all workers of a host, by number, in Prometheus' text format; of one alone without its number."""
    lines = []
    for family in FAMILIES:
        lines.append(f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind}\n")
        for number, figures in sorted(workers.items()):
            own = {"worker": str(number)} if len(workers) > 1 else {}
            for values, figure in figures.get(family.name, ()):
                lines.append(written(family.name, own | dict(zip(family.labels, values, strict=True)), figure))
    return "".join(lines)


def written(name: str, labels: Mapping[str, str], figure: float) -> str:
    """One sample."""
    pairs = ",".join(f'{label}="{escaped(value)}"' for label, value in labels.items())
    return f"{name}{{{pairs}}} {figure}\n" if pairs else f"{name} {figure}\n"


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
