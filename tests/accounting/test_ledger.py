"""What every ledger promises. Add a backend to the fixture and the suite runs over it unchanged."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.accounting.carbon import Carbon
from gateway.accounting.ledger import Grouping, Ledger, UsageRow
from gateway.accounting.sqlite_ledger import SqliteLedger
from gateway.wire.delta import Usage
from tests.accounting.receipts import TYPICAL, a_receipt

NOON = 1_763_985_600.0  # 2025-11-24 12:00 UTC
EVER = (0.0, 4e9)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = SqliteLedger(tmp_path / "deep" / "ledger.db")
    yield opened
    opened.close()


def totals(ledger: Ledger) -> UsageRow:
    (row,) = ledger.usage(*EVER, by="total")
    return row


def test_a_receipt_is_found_as_it_was_written(ledger: Ledger) -> None:
    ledger.write([TYPICAL, a_receipt("dec_2", cost_nano_usd=None, carbon_g=None, first_token_seconds=None)])
    assert ledger.find("dec_1") == TYPICAL
    assert ledger.find("dec_3") is None


def test_an_empty_ledger_answers_every_question(ledger: Ledger) -> None:
    assert ledger.find("dec_1") is None
    assert ledger.recent(10) == []
    assert ledger.usage(*EVER, by="router") == []


def test_a_receipt_written_twice_counts_once(ledger: Ledger) -> None:
    ledger.write([TYPICAL, a_receipt("dec_2")])
    ledger.write([a_receipt("dec_2"), a_receipt("dec_3"), a_receipt("dec_3")])
    assert totals(ledger).requests == 3


def test_offsets_travel_with_the_lines_that_they_cover(ledger: Ledger) -> None:
    assert ledger.write_lines([msgspec.json.encode(TYPICAL)], {"w/1": 700, "w/2": 5}) == []
    assert ledger.write_lines([], {"w/1": 900}) == []
    assert ledger.offsets() == {"w/1": 900, "w/2": 5}
    ledger.forget(["w/1"])
    assert ledger.offsets() == {"w/2": 5}


def test_lines_that_are_no_receipts_are_given_back_and_the_rest_is_stored(ledger: Ledger) -> None:
    good = msgspec.json.encode(TYPICAL)
    beyond_64_bits = good.replace(b'"status":200', b'"status":%d' % 2**63)
    bad = [b"", b"{", b"null", b'{"id":"x"}', b"\xff\xfe", b"\x00" * 9, b'"\\ud800"', beyond_64_bits]
    assert ledger.write_lines([*bad[:4], good, *bad[4:]], {}) == bad
    assert totals(ledger).requests == 1


def test_a_receipt_with_a_figure_that_is_none_loses_only_its_details(ledger: Ledger) -> None:
    fields = json.loads(msgspec.json.encode(TYPICAL))
    fields["standings"] = [{"target": "a", "score": None}]
    assert ledger.write_lines([json.dumps(fields).encode()], {}) == []
    found = ledger.find("dec_1")
    assert found is not None
    assert (found.usage, found.attempts, found.standings) == (TYPICAL.usage, (), ())


BAND = Carbon(g=0.5, low_g=0.1, high_g=1.0, region="FRA", grid_g_per_kwh=44.0, source="ecologits")


def test_sums_keep_unknown_apart_from_zero(ledger: Ledger) -> None:
    ledger.write(
        [
            a_receipt("a", cost_nano_usd=10**15, carbon_g=1.5, seconds=1.0, fallback=False),
            a_receipt("b", cost_nano_usd=None, carbon_g=None, seconds=3.0, usage=Usage(5, 4, 0, 3, 2, estimated=True)),
            a_receipt("c", cost_nano_usd=1, carbon_g=0.5, carbon=BAND, seconds=60.0, outcome="cut"),
            a_receipt("d", cost_nano_usd=0, carbon_g=0.0, seconds=9.0, outcome="refused", usage=Usage()),
        ]
    )
    assert totals(ledger) == UsageRow(
        group="",
        requests=4,
        failures=1,
        refused=1,
        fallbacks=3,
        input_tokens=829,
        cached_tokens=260,
        output_tokens=363,
        reasoning_tokens=130,
        cost_nano_usd=10**15 + 1,
        unpriced=1,
        estimated=1,
        carbon_g=2.0,
        carbon_low_g=1.6,
        carbon_high_g=2.5,
        carbon_unknown=1,
        mean_seconds=2.0,
        p50_seconds=1.0,
        p95_seconds=3.0,
    )


def test_quantiles_are_those_of_each_group(ledger: Ledger) -> None:
    ledger.write([a_receipt(f"a{n}", router="a", seconds=float(n)) for n in range(1, 101)])
    ledger.write([a_receipt(f"b{n}", router="b", seconds=n / 10) for n in range(1, 11)])
    ledger.write([a_receipt("c", router="c", outcome="failed")])
    rows = {row.group: (row.p50_seconds, row.p95_seconds) for row in ledger.usage(*EVER, by="router")}
    assert rows == {"a": (50.0, 95.0), "b": (0.5, 1.0), "c": (None, None)}


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("router", ["green", "auto"]),
        ("model", ["openai/gpt-5-mini"]),
        ("provider", ["openai"]),
        ("target", ["openai/gpt-5-mini@openai"]),
        ("key", ["team", ""]),
        ("task", ["code_generation"]),
        ("session", ["s1"]),
        ("outcome", ["ok"]),
        ("day", ["2025-11-24", "2025-11-25"]),
        ("hour", ["2025-11-24T12:00Z", "2025-11-25T00:00Z"]),
        ("total", [""]),
    ],
)
def test_usage_is_grouped_by(ledger: Ledger, by: Grouping, groups: list[str]) -> None:
    ledger.write(
        [
            a_receipt("a", time=NOON + 3_599, router="auto", key="", cost_nano_usd=1),
            a_receipt("b", time=NOON + 43_200, router="green", cost_nano_usd=2),
        ]
    )
    assert [row.group for row in ledger.usage(*EVER, by=by)] == groups


def test_usage_is_of_the_time_the_key_and_the_router_asked_for(ledger: Ledger) -> None:
    ledger.write([a_receipt("a", time=10.0), a_receipt("b", time=20.0, key="x"), a_receipt("c", time=30.0, router="y")])

    def counted(since: float, until: float, key: str | None = None, router: str | None = None) -> int:
        return sum(row.requests for row in ledger.usage(since, until, "total", key, router))

    assert counted(10.0, 30.0) == 2
    assert counted(10.1, 30.1) == 2
    assert counted(0, 99, key="x") == 1
    assert counted(0, 99, router="y") == 1
    assert counted(0, 99, key="' OR ''='") == 0


def test_recent_receipts_come_newest_first_and_page_by_page(ledger: Ledger) -> None:
    ledger.write([a_receipt(f"d{n}", time=float(n), key="odd" if n % 2 else "even") for n in range(10)])
    assert [receipt.id for receipt in ledger.recent(3)] == ["d9", "d8", "d7"]
    assert [receipt.id for receipt in ledger.recent(3, before=7.0)] == ["d6", "d5", "d4"]
    assert [receipt.id for receipt in ledger.recent(2, key="even", router="auto")] == ["d8", "d6"]


def test_old_receipts_are_pruned_a_batch_at_a_time(ledger: Ledger) -> None:
    ledger.write([a_receipt(f"d{n}", time=float(n)) for n in range(10)])
    assert [ledger.prune(before=5.0, limit=3) for _ in range(3)] == [3, 2, 0]
    assert [receipt.id for receipt in ledger.recent(99)] == ["d9", "d8", "d7", "d6", "d5"]
    assert ledger.find("d4") is None


def test_all_that_was_written_can_be_synced(ledger: Ledger) -> None:
    ledger.write([TYPICAL])
    assert ledger.sync()
