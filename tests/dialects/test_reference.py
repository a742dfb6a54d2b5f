"""docs/formats.md says what the translators do."""

from pathlib import Path

from gateway.dialects.formats import OUTBOUND
from gateway.dialects.reference import FEATURES, TITLES, losses_of, reference


def test_the_page_is_what_the_translators_say() -> None:
    page = Path(__file__).parents[2] / "docs" / "formats.md"
    assert page.read_text() == reference(), "run: python -m gateway.dialects.reference > docs/formats.md"


def test_every_format_has_a_title_and_text_and_tools_reach_all() -> None:
    for name, outbound in OUTBOUND.items():
        assert TITLES[name]
        for feature in ("text; system and developer messages", "tools, calls, results"):
            assert losses_of(name, outbound, FEATURES[feature]) == ()
