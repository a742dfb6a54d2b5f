"""The table of faults as Markdown; `python -m gateway.simulator.faults.markdown docs/simulator.md` renews it there."""

import sys
from pathlib import Path

from gateway.simulator.faults.table import ANSWER_PARAMETERS, FAULTS, Fault

BEGIN, END = "<!-- faults: begin (generated) -->\n", "<!-- faults: end -->\n"


def table() -> str:
    """One row per fault."""
    rows = ["| id | what the provider does | asked without `stream` | parameters |", "| --- | --- | --- | --- |"]
    return "\n".join([*rows, *map(_row, FAULTS.values())]) + "\n"


def renewed(page: str) -> str:
    """`page` with the present table between its marks."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


def _row(fault: Fault) -> str:
    shown = {**fault.parameters, **(ANSWER_PARAMETERS if fault.id == "OK" else {})}
    parameters = " ".join(f"`{name}={value}`" for name, value in shown.items())
    where = " (script only)" if fault.port else ""
    return f"| {fault.id} | {fault.summary}{where} | {fault.document_summary or 'the same'} | {parameters} |"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text()))
