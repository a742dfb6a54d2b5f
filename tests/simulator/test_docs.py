"""The page says what the code does."""

from pathlib import Path

from gateway.simulator.faults.markdown import renewed

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"


def test_the_table_of_faults_is_current() -> None:
    page = PAGE.read_text()
    assert renewed(page) == page, "run: python -m gateway.simulator.faults.markdown docs/simulator.md"
