"""Translations as files: what goes in, a line of dashes, what comes out."""

from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).parents[1] / "fixtures" / "dialects"
RULE = "-" * 10


class Case(Struct, frozen=True):
    """fixtures/dialects/<format>/<operation>/<name>.case"""

    format: str
    operation: str
    name: str
    given: str
    expected: str

    def __str__(self) -> str:
        return f"{self.format}-{self.operation}-{self.name}"


def load_cases() -> list[Case]:
    """Every case, in the order of their paths."""
    return [read(path) for path in sorted(ROOT.glob("*/*/*.case"))]


def read(path: Path) -> Case:
    given, rule, expected = path.read_text().partition(f"\n{RULE}\n")
    assert rule, f"{path} has no line of {len(RULE)} dashes"
    return Case(path.parts[-3], path.parts[-2], path.stem, given, expected)
