"""docs/metrics.md has a row for every metric, with its kind and labels, and none for another."""

from pathlib import Path

from gateway.telemetry.metrics import FAMILIES

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()


def test_the_page_lists_exactly_the_metrics_there_are() -> None:
    rows = {
        tuple(cell.strip() for cell in line.split("|")[1:4]) for line in PAGE.splitlines() if line.startswith("| `")
    }
    labels = {family.name: ", ".join(f"`{label}`" for label in family.labels) for family in FAMILIES}
    assert rows == {(f"`{family.name}`", family.kind, labels[family.name]) for family in FAMILIES}
