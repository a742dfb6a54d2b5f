"""Tables on standard output. One row is one line and no cell is ever cut: to be read, searched and pasted from.

At a terminal that is too narrow the columns that can be spared are left out, and a note says which. Anywhere else (a
pipe, a file) every column is there. Notes go to standard error: the output holds nothing but rows.
"""

import shutil
import sys
from collections.abc import Collection, Iterator, Sequence
from typing import Literal

import click
from msgspec import Struct

from gateway.telemetry.logs import escaped

GAP = "  "

Style = Literal["plain", "bold", "dim"]


class Column(Struct, frozen=True):
    """One column. spare: 0 is always shown; of the others the highest goes first when there is no room."""

    head: str
    spare: int = 0
    is_number: bool = False  # right-aligned


class Table:
    """Rows under a head. An empty cell shows as "-": no row has fewer words than the next.

    What callers have named (sessions, models) cannot break a row or steer the terminal: it is escaped.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._rows: list[tuple[Sequence[str], Style]] = []

    def add(self, *cells: str, style: Style = "plain") -> None:
        """Append a row, one cell for each column."""
        self._rows.append(([escaped(cell) or "-" for cell in cells], style))

    def print(self) -> None:
        """To standard output, as wide as it needs to be, or as a terminal allows."""
        note_left_out(self.print_rows())

    def print_rows(self) -> list[str]:
        """Print without a note. Returns the heads of the columns that there was no room for."""
        width = terminal_columns()
        for line, style in self.lines(width):
            say(line, style)
        return self.left_out(width)

    def lines(self, width: int | None) -> Iterator[tuple[str, Style]]:
        """The head and the rows, for `width` characters (None: any number), without space behind them."""
        widths, shown = self._widths(), self._fitting(width)
        for cells, style in [(self._heads(), "bold"), *self._rows]:
            padded = (
                cells[place].rjust(widths[place])
                if self._columns[place].is_number
                else cells[place].ljust(widths[place])
                for place in shown
            )
            yield GAP.join(padded).rstrip(), style

    def left_out(self, width: int | None) -> list[str]:
        """The heads of the columns that there is no room for."""
        shown = self._fitting(width)
        return [head for place, head in enumerate(self._heads()) if place not in shown]

    def _fitting(self, width: int | None) -> list[int]:
        """The places of the columns that fit."""
        widths, shown = self._widths(), list(range(len(self._columns)))
        while width is not None and sum(widths[place] for place in shown) + len(GAP) * (len(shown) - 1) > width:
            place = max(shown, key=lambda place: self._columns[place].spare)
            if self._columns[place].spare == 0:
                break
            shown.remove(place)
        return shown

    def _heads(self) -> list[str]:
        return [column.head for column in self._columns]

    def _widths(self) -> list[int]:
        """Of each column, in characters."""
        return [
            max(map(len, column)) for column in zip(self._heads(), *(cells for cells, _ in self._rows), strict=True)
        ]


def terminal_columns() -> int | None:
    """How wide the terminal is; None when the output is not one."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def say(text: str, style: Style = "plain") -> None:
    """A line of output."""
    click.echo(styled(text, style))


def note_left_out(heads: Collection[str]) -> None:
    if heads:
        note(f"no room for {', '.join(heads)}: widen the terminal or pipe this to see all")


def note(text: str) -> None:
    """A line about the output, for the person who reads it."""
    click.echo(styled(text, "dim"), err=True)


def styled(text: str, style: Style) -> str:
    return text if style == "plain" else click.style(text, bold=style == "bold" or None, dim=style == "dim" or None)
