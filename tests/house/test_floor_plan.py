"""The floor plan of the house: a module imports from lower floors and from its own room, never sideways, never up."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOOR = {
    "core": 0,
    **dict.fromkeys(["errors", "child", "wire", "framing"], 1),
    **dict.fromkeys(["settings", "dialects", "transport", "counters"], 2),
    **dict.fromkeys(["catalog", "providers"], 3),
    **dict.fromkeys(["routing", "accounting"], 4),
    **dict.fromkeys(["execution", "learning", "replay", "telemetry"], 5),
    "live": 6,
    **dict.fromkeys(["server", "simulator"], 7),
    "bootstrap": 8,
    "cli": 9,
    "__main__": 10,
}
PURE = ("core", "gateway/wire", "gateway/framing", "gateway/dialects", "gateway/providers", "gateway/routing")
FILES = [
    path for top in ("core", "gateway") for path in sorted((ROOT / top).rglob("*.py")) if path.name != "__init__.py"
]


def room_of(dotted: str) -> str | None:
    """`gateway.wire.prompt` is in room `wire`; `core.scorer` in `core`; the rest of the world in none."""
    parts = dotted.split(".")
    if parts[0] == "core":
        return "core"
    return parts[1] if parts[0] == "gateway" and len(parts) > 1 and parts[1] != "__version__" else None


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_from_lower_floors(path: Path) -> None:
    room = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    assert room in FLOOR, f"{path} stands in a room without a floor"
    for dotted in imported(ast.parse(path.read_text())):
        other = room_of(dotted)
        assert other is None or other == room or FLOOR[other] < FLOOR[room], f"{path} may not import {dotted}"


@pytest.mark.parametrize("folder", PURE)
def test_pure_rooms_never_await(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        waits = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.AsyncFunctionDef | ast.Await)]
        assert not waits, f"{path}:{waits[0].lineno} is asynchronous"
