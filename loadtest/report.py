"""What the samples of both phases add up to, whether it is good enough, and how it compares with last time."""

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct

from loadtest.reading import Sample

LIMIT_MS = 20.0  # of added latency at the 99th percentile
WORTH_A_WARNING = 1.25  # times the baseline
SHOWN_FAILURES = 5
NOISY = 0.1  # of the machine, used by others


class Quantiles(Struct, frozen=True):
    """Of one kind of duration, in milliseconds."""

    p50: float
    p95: float
    p99: float

    def minus(self, other: "Quantiles") -> "Quantiles":
        """Quantile by quantile."""
        return Quantiles(self.p50 - other.p50, self.p95 - other.p95, self.p99 - other.p99)


class Phase(Struct, frozen=True):
    """One target under the load. The warm-up counts for failures only."""

    requests: int
    streams: int
    chunks: int
    failures: int
    faults: list[str]  # the first few
    total: Quantiles  # from due to the last byte
    first_token: Quantiles  # of streams, from due
    chunk_gap: Quantiles  # of streams, between two chunks


class Cost(Struct, frozen=True):
    """What the gateway's process used."""

    cpu_micros_per_request: float  # streams and whole answers mixed, as they came
    resident_mib: float  # after the load
    start_seconds: float  # from its start to its first answer
    receipts: int  # in its ledger, after its end


class Summary(Struct, frozen=True):
    """The whole run."""

    straight: Phase
    gateway: Phase
    added_total: Quantiles
    added_first_token: Quantiles
    added_chunk_gap: Quantiles
    overhead: Quantiles  # by the gateway's own account: x-steelyard-overhead-ms
    sent: int  # to the gateway, the warm-up included
    cost: Cost
    others_share: float  # of the machine's CPU, used by processes that are not of the test

    @property
    def worst_added_p99_ms(self) -> float:
        """The largest of the three views on what the gateway adds to a request; nan when one of them is."""
        return float(np.max([self.added_total.p99, self.added_first_token.p99, self.overhead.p99]))

    def verdict(self) -> list[str]:
        """Why the run is a failure; empty when it is none."""
        reasons = [
            f"{name}: {phase.failures} failed, such as {fault}"
            for name, phase in (("straight", self.straight), ("gateway", self.gateway))
            for fault in phase.faults[:1]
        ]
        if not self.worst_added_p99_ms <= LIMIT_MS:  # so that a nan fails
            reasons.append(f"added latency p99 is {self.worst_added_p99_ms:.1f} ms; {LIMIT_MS:.0f} ms is the limit")
        if self.cost.receipts != self.sent:
            reasons.append(f"the ledger holds {self.cost.receipts} receipts of {self.sent} requests")
        return reasons


def summarise(straight: Sequence[Sample], gateway: Sequence[Sample], cost: Cost, others_share: float = 0.0) -> Summary:
    """Both phases side by side."""
    before, after = phase_of(straight), phase_of(gateway)
    return Summary(
        straight=before,
        gateway=after,
        added_total=after.total.minus(before.total),
        added_first_token=after.first_token.minus(before.first_token),
        added_chunk_gap=after.chunk_gap.minus(before.chunk_gap),
        overhead=quantiles([sample.overhead_ms for sample in good(gateway) if sample.overhead_ms is not None]),
        sent=len(gateway),
        cost=cost,
        others_share=others_share,
    )


def phase_of(samples: Sequence[Sample]) -> Phase:
    counted = list(good(samples))
    faults = [f"{sample.payload}: {sample.error}" for sample in samples if sample.error]
    gaps = gaps_of(samples)
    return Phase(
        requests=len(counted),
        streams=sum(sample.stream for sample in counted),
        chunks=len(gaps),
        failures=len(faults),
        faults=faults[:SHOWN_FAILURES],
        total=quantiles([sample.total_ms for sample in counted]),
        first_token=quantiles(first_tokens_of(samples)),
        chunk_gap=quantiles(gaps),
    )


def good(samples: Sequence[Sample]) -> Iterator[Sample]:
    """Those that count: complete answers after the warm-up."""
    return (sample for sample in samples if sample.is_warm and not sample.error)


def first_tokens_of(samples: Sequence[Sample]) -> list[float]:
    """Milliseconds to the first token of every stream that counts."""
    return [sample.first_token_ms for sample in good(samples) if sample.first_token_ms is not None]


def gaps_of(samples: Sequence[Sample]) -> list[float]:
    """Milliseconds between the chunks of every stream that counts."""
    return [gap for sample in good(samples) for gap in sample.gaps_ms]


def quantiles(milliseconds: Sequence[float]) -> Quantiles:
    """nan when nothing was measured."""
    if not milliseconds:
        return Quantiles(np.nan, np.nan, np.nan)
    p50, p95, p99 = np.quantile(np.asarray(milliseconds), [0.5, 0.95, 0.99]).tolist()
    return Quantiles(p50, p95, p99)


def table(summary: Summary) -> str:
    """The run, for the eye."""
    rows = [
        ("first token, straight", summary.straight.first_token),
        ("first token, gateway", summary.gateway.first_token),
        ("first token, added", summary.added_first_token),
        ("total, straight", summary.straight.total),
        ("total, gateway", summary.gateway.total),
        ("total, added", summary.added_total),
        ("between chunks, straight", summary.straight.chunk_gap),
        ("between chunks, gateway", summary.gateway.chunk_gap),
        ("between chunks, added", summary.added_chunk_gap),
        ("overhead, gateway's own account", summary.overhead),
    ]
    gateway, cost, others = summary.gateway, summary.cost, summary.others_share
    noise = f"other processes used {others:.0%} of the machine meanwhile"
    return "\n".join(
        [
            f"{'milliseconds':34}{'p50':>10}{'p95':>10}{'p99':>10}",
            *(f"{name:34}{q.p50:>10.2f}{q.p95:>10.2f}{q.p99:>10.2f}" for name, q in rows),
            "",
            f"{gateway.requests:,} requests, {gateway.streams:,} of them streams with {gateway.chunks:,} chunks; "
            f"failed: {gateway.failures} through the gateway, {summary.straight.failures} straight",
            f"gateway: {cost.cpu_micros_per_request:,.0f} µs CPU per request, {cost.resident_mib:.1f} MiB resident, "
            f"first answer {cost.start_seconds:.2f} s after its start, {cost.receipts:,} receipts",
            noise + (": these figures say little" if others > NOISY else ""),
        ]
    )


class Delta(Struct, frozen=True):
    """One figure beside the baseline's. Smaller is better for all of them."""

    name: str
    unit: str
    now: float
    before: float
    noise: float  # a difference below this means nothing

    @property
    def is_worse(self) -> bool:
        """Whether it is a regression worth a warning."""
        return self.now > WORTH_A_WARNING * self.before and self.now - self.before > self.noise

    def __str__(self) -> str:
        share = f"{(self.now / self.before - 1) * 100:+.0f} %" if self.before > 0 else ""
        mark = "  WORSE" if self.is_worse else ""
        return f"{self.name:34}{self.before:>10.2f}{self.now:>10.2f} {self.unit:4}{share:>8}{mark}"


def compare(now: Summary, before: Summary) -> list[Delta]:
    """Every figure that is meant to stay small, beside the baseline's."""
    return [
        Delta("added first token p50", "ms", now.added_first_token.p50, before.added_first_token.p50, 0.5),
        Delta("added first token p99", "ms", now.added_first_token.p99, before.added_first_token.p99, 3.0),
        Delta("added total p50", "ms", now.added_total.p50, before.added_total.p50, 1.0),
        Delta("added total p99", "ms", now.added_total.p99, before.added_total.p99, 3.0),
        Delta("added between chunks p99", "ms", now.added_chunk_gap.p99, before.added_chunk_gap.p99, 1.0),
        Delta("own overhead p50", "ms", now.overhead.p50, before.overhead.p50, 0.1),
        Delta("own overhead p99", "ms", now.overhead.p99, before.overhead.p99, 1.0),
        Delta("CPU per request", "µs", now.cost.cpu_micros_per_request, before.cost.cpu_micros_per_request, 50.0),
        Delta("resident memory", "MiB", now.cost.resident_mib, before.cost.resident_mib, 2.0),
        Delta("start", "s", now.cost.start_seconds, before.cost.start_seconds, 0.2),
    ]
