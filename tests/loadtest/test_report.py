"""What the samples add up to, and what makes the load test fail."""

from math import nan
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from loadtest.picture import draw
from loadtest.reading import Sample
from loadtest.report import Cost, Quantiles, compare, quantiles, summarise, table
from loadtest.run import Plan, Record, compared

COST = Cost(cpu_micros_per_request=800.0, resident_mib=55.0, start_seconds=0.6, receipts=200)


def phase(added_ms: float, overhead_ms: float | None = None) -> list[Sample]:
    """A hundred streams and a hundred whole answers, each so much slower than straight."""
    return [
        Sample(
            number=number,
            payload="pi/000",
            stream=number % 2 == 0,
            is_warm=True,
            total_ms=500.0 + number + added_ms,
            first_token_ms=200.0 + added_ms if number % 2 == 0 else None,
            gaps_ms=[4.0, 5.0, 6.0] if number % 2 == 0 else [],
            overhead_ms=overhead_ms,
        )
        for number in range(200)
    ]


def test_what_is_added_is_the_difference_of_the_quantiles() -> None:
    summary = summarise(phase(0.0), phase(2.5, overhead_ms=0.4), COST)
    added = [summary.added_total, summary.added_first_token, summary.overhead, summary.added_chunk_gap]
    assert [msgspec.structs.astuple(each) for each in added] == [
        pytest.approx((each,) * 3) for each in (2.5, 2.5, 0.4, 0.0)
    ]
    assert (summary.gateway.requests, summary.gateway.streams, summary.gateway.chunks) == (200, 100, 300)
    assert summary.verdict() == []


@pytest.mark.parametrize(("added", "overhead"), [(20.5, 0.4), (2.5, 20.5)])
def test_more_than_twenty_milliseconds_at_p99_fails(added: float, overhead: float) -> None:
    (reason,) = summarise(phase(0.0), phase(added, overhead), COST).verdict()
    assert reason == "added latency p99 is 20.5 ms; 20 ms is the limit"


@pytest.mark.parametrize("is_warm", [True, False])
@pytest.mark.parametrize("where", ["straight", "gateway"])
def test_one_failed_request_fails_even_in_the_warm_up(where: str, is_warm: bool) -> None:
    phases = {"straight": phase(0.0), "gateway": phase(1.0, 0.4)}
    phases[where][7] = replace(phases[where][7], error="status 502: gone", is_warm=is_warm)
    assert summarise(phases["straight"], phases["gateway"], COST).verdict() == [
        f"{where}: 1 failed, such as pi/000: status 502: gone"
    ]


def test_a_run_that_measured_nothing_fails() -> None:
    assert summarise(phase(0.0), phase(1.0, overhead_ms=None), COST).verdict() == [
        "added latency p99 is nan ms; 20 ms is the limit"
    ]


def test_a_request_without_a_receipt_fails() -> None:
    summary = summarise(phase(0.0), phase(1.0, overhead_ms=0.4), replace(COST, receipts=199))
    assert summary.verdict() == ["the ledger holds 199 receipts of 200 requests"]


def test_the_warm_up_is_not_measured() -> None:
    cold = [replace(sample, is_warm=False, total_ms=9_000.0) for sample in phase(0.0)]
    assert summarise(phase(0.0) + cold, phase(0.0, 0.1), COST).added_total == Quantiles(0.0, 0.0, 0.0)


def test_quantiles_of_nothing_are_not_zero() -> None:
    assert msgspec.structs.astuple(quantiles([])) == pytest.approx((nan,) * 3, nan_ok=True)


def test_a_regression_of_more_than_a_quarter_is_called_worse() -> None:
    before = summarise(phase(0.0), phase(10.0, overhead_ms=4.0), COST)
    now = summarise(phase(0.0), phase(14.0, overhead_ms=4.4), replace(COST, cpu_micros_per_request=1_100.0))
    worse = [delta.name for delta in compare(now, before) if delta.is_worse]
    assert worse == [
        "added first token p50",
        "added first token p99",
        "added total p50",
        "added total p99",
        "CPU per request",
    ]


def test_noise_is_not_a_regression() -> None:
    before = summarise(phase(0.0), phase(0.1, overhead_ms=0.05), COST)
    now = summarise(phase(0.0), phase(0.4, overhead_ms=0.10), COST)
    assert not any(delta.is_worse for delta in compare(now, before))


def test_the_comparison_warns_in_words(tmp_path: Path) -> None:
    before = summarise(phase(0.0), phase(1.0, overhead_ms=0.4), COST)
    now = summarise(phase(0.0), phase(1.0, overhead_ms=0.4), replace(COST, resident_mib=90.0))
    path = tmp_path / "baseline.json"
    assert compared(now, path) == "no baseline yet; --update-baseline writes one"
    path.write_bytes(msgspec.json.encode(Record("2026-11-22", {}, Plan(40, 15, 2, 3, 120, 1), before)))
    assert compared(before, path).endswith("+0 %")
    assert compared(now, path).endswith("warning: more than 25 % worse than the baseline: resident memory")


def test_the_table_shows_every_quantile() -> None:
    text = table(summarise(phase(0.0), phase(2.5, overhead_ms=0.4), COST))
    assert "first token, added" in text
    assert "200 requests, 100 of them streams with 300 chunks; failed: 0 through the gateway, 0 straight" in text


def test_figures_from_a_busy_machine_come_with_a_warning() -> None:
    quiet, busy = (summarise(phase(0.0), phase(2.5, 0.4), COST, others_share=share) for share in (0.02, 0.47))
    assert table(quiet).endswith("other processes used 2% of the machine meanwhile")
    assert table(busy).endswith("other processes used 47% of the machine meanwhile: these figures say little")


@pytest.mark.parametrize("name", ["run.svg", "run.png"])
def test_the_picture_is_drawn(tmp_path: Path, name: str) -> None:
    straight, gateway = phase(0.0), phase(2.5, overhead_ms=0.4)
    draw(summarise(straight, gateway, COST), straight, gateway, tmp_path / name)
    assert (tmp_path / name).stat().st_size > 10_000


def test_a_run_in_which_everything_failed_can_still_be_drawn(tmp_path: Path) -> None:
    failed = [replace(sample, error="gone") for sample in phase(0.0)]
    draw(summarise(failed, failed, COST), failed, failed, tmp_path / "run.svg")
    assert (tmp_path / "run.svg").exists()
