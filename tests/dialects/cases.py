"""Translations as files: what goes in, a line of dashes, what comes out."""

from pathlib import Path

from msgspec import Struct

from gateway.framing.aws_events import write_message

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

    @property
    def stream(self) -> bytes:
        """The given stream as it comes over the wire; one of AWS's has a line `type {payload}` per message."""
        if self.format == "bedrock_converse":
            return b"".join(map(aws_message, self.given.splitlines()))
        return self.given.encode() + b"\n\n"


def aws_message(line: str) -> bytes:
    kind, _, payload = line.partition(" ")
    named = ":exception-type" if kind.endswith("Exception") else ":event-type"
    what = "exception" if named == ":exception-type" else "event"
    return write_message({named: kind, ":content-type": "application/json", ":message-type": what}, payload.encode())


def load_cases() -> list[Case]:
    """Every case, in the order of their paths."""
    return [read(path) for path in sorted(ROOT.glob("*/*/*.case"))]


def read(path: Path) -> Case:
    given, rule, expected = path.read_text().partition(f"\n{RULE}\n")
    assert rule, f"{path} has no line of {len(RULE)} dashes"
    return Case(path.parts[-3], path.parts[-2], path.stem, given, expected)
