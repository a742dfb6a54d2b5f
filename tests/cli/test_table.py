"""Tables at every width."""

from pathlib import Path

import pytest

from gateway.cli.render import number
from gateway.cli.table import Column, Table
from tests.cli.commands import on_terminal

TABLE = Table([Column("id"), Column("usd", is_number=True), Column("window", 1), Column("abilities", 2)])
TABLE.add("openai/gpt-5@openai", "1.25", "400,000", "tools,images")
TABLE.add("x@y", "10", "", "")
WHOLE = [
    "id                    usd  window   abilities",
    "openai/gpt-5@openai  1.25  400,000  tools,images",
    "x@y                    10  -        -",
]


def text(width: int | None) -> list[str]:
    return [line for line, _ in TABLE.lines(width)]


@pytest.mark.parametrize(
    ("width", "left_out"),
    [(None, []), (48, []), (47, ["abilities"]), (34, ["abilities"]), (33, ["window", "abilities"])],
)
def test_a_narrow_terminal_loses_the_columns_that_can_be_spared(width: int | None, left_out: list[str]) -> None:
    assert TABLE.left_out(width) == left_out
    assert text(width)[0].split() == [head for head in ("id", "usd", "window", "abilities") if head not in left_out]


def test_with_room_every_cell_is_in_line() -> None:
    assert text(None) == text(200) == WHOLE


def test_what_cannot_be_spared_is_whole_at_any_width() -> None:
    assert [line.split() for line in text(5)] == [["id", "usd"], ["openai/gpt-5@openai", "1.25"], ["x@y", "10"]]


def test_a_cell_can_neither_break_its_row_nor_steer_the_terminal() -> None:
    table = Table([Column("session")])
    table.add("one\ntwo\x1b[31m")
    assert [line for line, _ in table.lines(None)] == ["session", r"one\ntwo\u001b[31m"]


def test_a_terminal_of_80_columns_shows_whole_ids_and_no_line_runs_over(tmp_path: Path) -> None:
    shown = on_terminal(tmp_path, "catalog", "list", "gpt-5-mini", COLUMNS="80", NO_COLOR="1").splitlines()
    rows = [line for line in shown if line.startswith("openai/")]
    assert [row.split()[0] for row in rows if row.startswith("openai/gpt-5-mini@openrouter ")]
    assert all("@" in row.split()[0] and len(row) <= 80 for row in rows)
    assert any("no room for cached $/M, abilities" in line for line in shown)


@pytest.mark.parametrize(("environ", "is_styled"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_only_a_terminal_that_may_be_styled_is(tmp_path: Path, environ: dict[str, str], is_styled: bool) -> None:
    assert ("\x1b[1m" in on_terminal(tmp_path, "catalog", "list", "gpt-5-mini", **environ)) == is_styled


@pytest.mark.parametrize(
    ("figure", "told"),
    [
        (None, ""),
        (0.0, "0"),
        (1.25, "1.25"),
        (128_000.0, "128,000"),
        (1234.5678, "1235"),
        (12_345.678, "12,350"),
        (0.000317, "0.000317"),
        (4.414e-05, "0.00004414"),
        (-0.5, "-0.5"),
    ],
)
def test_a_figure_has_neither_needless_digits_nor_an_exponent(figure: float | None, told: str) -> None:
    assert number(figure) == told
