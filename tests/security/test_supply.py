"""What is installed beside our own code (S28): few packages, each pinned by hash, none with a hole that is known."""

import importlib.metadata
import re
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCKS = {name: (ROOT / "deploy" / name).read_text() for name in ("requirements.txt", "requirements-dev.txt")}
MOST_PACKAGES = 26  # what we name, and all that it needs
ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)([^#]*)", re.MULTILINE)
# The first release without the hole.
FLOORS = {
    "starlette": "1.3.1",  # CVE-2026-48710, -54282: a Host or path that changes request.url; CVE-2025-62727: ranges
    "aiohttp": "3.14.1",  # CVE-2026-22815, trailers without bounds, and what came after it
    "h11": "0.16.0",  # CVE-2025-43859: chunks without their line ends
    "idna": "3.7",  # CVE-2024-3651: quadratic time for a name
    "cryptography": "44.0.1",  # CVE-2024-12797, of the OpenSSL inside
}


def entries(lock: str) -> dict[str, tuple[str, str]]:
    """Package -> its version, and what follows it: a marker and the hashes."""
    return {found[1].lower(): (found[2], found[3]) for found in ENTRY.finditer(LOCKS[lock])}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_by_hash_and_comes_from_no_url(lock: str) -> None:
    assert len(entries(lock)) > 20
    for name, (_, rest) in entries(lock).items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", rest), name
    assert not re.search(r"^\s*(-e|--index|--extra|--find|--trusted|git\+|https?:|file:)|@ ", LOCKS[lock], re.MULTILINE)


def test_there_are_no_more_packages_than_we_have_counted() -> None:
    assert len(entries("requirements.txt")) <= MOST_PACKAGES


@pytest.mark.parametrize("name", FLOORS)
def test_no_package_is_older_than_the_last_hole_that_was_found_in_it(name: str) -> None:
    floor = Version(FLOORS[name])
    assert Version(entries("requirements.txt")[name][0]) >= floor
    assert Version(importlib.metadata.version(name)) >= floor


def test_what_is_installed_is_what_is_pinned() -> None:
    pinned = {
        name: version for name, (version, rest) in entries("requirements.txt").items() if "sys_platform" not in rest
    }
    assert {name: importlib.metadata.version(name) for name in pinned} == pinned


def test_no_package_that_runs_with_us_starts_by_itself_or_lies_about_whose_it_is() -> None:
    """A .pth file runs whenever Python starts; a module of another package's name replaces it."""
    owners: dict[str, str] = {}
    for name in entries("requirements.txt"):
        for file in importlib.metadata.files(name) or []:
            top = file.parts[0]
            assert not top.endswith(".pth"), f"{name} installs {top}"
            assert top not in ("gateway", "core", "tests", "sitecustomize.py", "usercustomize.py"), f"{name}: {top}"
            if top not in ("..", "__pycache__"):
                assert owners.setdefault(top, name) == name, f"{name} and {owners[top]} both install {top}"


def test_a_build_asks_nobody() -> None:
    source = (ROOT / "setup.py").read_text()
    assert not re.search(r"\b(urllib|http|socket|requests|subprocess|ftplib)\b", source)
