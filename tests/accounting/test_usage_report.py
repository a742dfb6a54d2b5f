"""Usage as people and programs read it."""

from datetime import UTC, datetime

import msgspec
import pytest

from gateway.accounting.ledger import UsageRow
from gateway.accounting.usage_report import cells, entry_of, headings, parse_since, report
from gateway.errors import InvalidRequest

NOW = datetime(2026, 11, 22, 22, 0, tzinfo=UTC).timestamp()
USED = (500_000, 100_000, 90_000, 10, 1_234_000_000, 0, 0)
ROW = UsageRow("auto", 1_200, 3, 7, 40, *USED, 12.345, 8, 30.2, 0, 0.9, 0.8, 2.5)


@pytest.mark.parametrize(
    ("text", "seconds_ago"),
    [
        ("30m", 1_800),
        ("24h", 86_400),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("0m", 0),
        ("2026-11-22", 79_200),
        ("2026-11-22T21:00:00Z", 3_600),
        ("2026-11-22T21:00:00+01:00", 7_200),
        ("2026-11-22T21:00", 3_600),
        ("999999w", NOW),
        ("0001-01-01", NOW),
    ],
)
def test_since_is_a_span_or_a_date(text: str, seconds_ago: float) -> None:
    assert parse_since(text, NOW) == NOW - seconds_ago


@pytest.mark.parametrize("text", ["", "7", "7 days", "-7d", "1.5h", "yesterday", "2026-13-01", "9999999d", "d", "7D"])
def test_anything_else_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"since is .*; a span such as 30m, 24h, 7d or 2w, or a date such as"):
        parse_since(text, NOW)


def test_a_date_in_the_future_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="lies in the future; now is 2026-11-22T22:00:00Z"):
        parse_since("2026-11-23", NOW)


def test_the_report_states_money_exactly_and_readably() -> None:
    made = msgspec.json.decode(msgspec.json.encode(report("router", NOW - 60, NOW, [ROW], [ROW])))
    assert (made["by"], made["since"], made["until"]) == ("router", "2026-11-22T21:59:00Z", "2026-11-22T22:00:00Z")
    assert list(made["groups"]) == [made["total"]]
    assert (made["total"]["cost_usd"], made["total"]["cost_nano_usd"]) == (1.234, 1_234_000_000)


def test_a_report_of_no_requests_has_no_total() -> None:
    assert report("day", 0, NOW, [], []).total is None


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (ROW, "auto 1,200 3 7 40 500,000 100,000 90,000 1.234 12.3 (8-30) 0.80 2.50"),
        (
            UsageRow("", 2, 0, 1, 0, 5, 0, 6, 0, 7_000, 1, 1, 0.5, 0.2, 1.0, 1, None, None, None),
            "- 2 0 1 0 ~5 0 ~6 >= 0.000007 >= 0.5 (0.2-1) - -",
        ),
        (
            UsageRow("x", 2, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0.0, 0.0, 0.0, 2, None, None, None),
            "x 2 2 0 0 0 0 0 unknown unknown - -",
        ),
    ],
)
def test_the_table_never_shows_unknown_as_zero(row: UsageRow, shown: str) -> None:
    assert " ".join(cells(entry_of(row))) == shown
    assert len(cells(entry_of(row))) == len(headings("router"))
