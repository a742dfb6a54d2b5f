"""The README and docs/ name everything that a person can type, set or call, and nothing that is not there."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gateway.cli.main import cli
from gateway.server.app import PATHS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCS = README + "".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def commands(group: click.Group, prefix: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield prefix + name


@pytest.mark.parametrize("command", list(commands(cli)))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"steelyard {command}" in README


@pytest.mark.parametrize("path", re.findall(r"/[\w/{}-]+", PATHS))
def test_every_endpoint_is_in_the_readme(path: str) -> None:
    assert path.replace("{name}", "<name>") in README


def test_every_make_target_is_in_the_readme() -> None:
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(targets) > 8
    missing = [target for target in targets if f"`make {target}`" not in README]
    assert not missing


def test_every_environment_variable_of_ours_is_documented() -> None:
    code = "".join((ROOT / path).read_text() for path in TRACKED if path.startswith(("core/", "gateway/", "setup.py"))
                   and path.endswith((".py", ".pyx")))  # fmt: skip
    names = set(re.findall(r"\bSTEELYARD_[A-Z_]+", code))
    assert names
    assert not {name for name in names if name not in DOCS}


def test_every_link_of_the_docs_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "loadtest" / "README.md"]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_nothing_names_a_machine_or_a_registry() -> None:
    forbidden = re.compile(rb"/(?:work|root|tmp/\w+)/[a-z]|pypi\.org|registry\.npmjs|files\.pythonhosted")
    own = Path(__file__).relative_to(ROOT).as_posix()
    texts = [
        path for path in TRACKED if path.endswith((".py", ".md", ".txt", ".yaml", ".toml", ".pyx", "Makefile", "run"))
    ]
    found = {path for path in texts if path != own and forbidden.search((ROOT / path).read_bytes())}
    assert not found
