"""docs/catalog.md counts what the bundled catalog knows, as it is now."""

from pathlib import Path

from gateway.catalog.evidence import page

PAGE = Path(__file__).parents[2] / "docs" / "catalog.md"


def test_the_page_counts_the_catalog_that_is_bundled() -> None:
    assert PAGE.read_text() == page(), "run: python -m gateway.catalog.evidence > docs/catalog.md"
