import re
from pathlib import Path

import pytest

from gateway.settings.load import load_text
from gateway.settings.reference import reference_markdown
from gateway.settings.schema import Settings
from gateway.settings.template import commented_settings

ENVIRON = {"OPENAI_API_KEY": "test-value"}
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("found", [{}, {"openai": "OPENAI_API_KEY"}], ids=["no key", "a key"])
def test_the_written_file_changes_nothing_until_it_is_edited(found: dict[str, str]) -> None:
    loaded = load_text(commented_settings(found), "x.yaml", {}, ["openai"])
    assert loaded.settings == Settings()
    assert not loaded.is_blank


def test_taking_every_hash_away_leaves_a_file_whose_only_mistakes_are_placeholders() -> None:
    lines = commented_settings({"openai": "OPENAI_API_KEY"}).splitlines()
    bared = [re.sub(r"^#(?! \S)", "", line) for line in lines]  # "# Prose" stays a comment
    text = "\n".join(bared).replace("sha256: …", "sha256: " + "a" * 64)
    loaded = load_text(text, "x.yaml", ENVIRON, ["openai"])
    assert loaded.settings.providers["openai"].api_key == "env:OPENAI_API_KEY"
    assert loaded.settings.providers["my-vllm"].models[0].id == "qwen/qwen3-32b"
    assert loaded.settings.keys[0].routers == ("support",)
    assert loaded.settings.routers["support"].weights["latency"] == 0.5


def test_the_reference_page_is_current() -> None:
    page = (DOCS / "settings.md").read_text()
    assert page == reference_markdown(), "run: python -m gateway.settings.reference > docs/settings.md"
