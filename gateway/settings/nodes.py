"""YAML text to plain values, each with its line and column. Refuses what YAML would silently accept."""

from typing import Any

import yaml

from gateway.settings.finding import Finding

Path = tuple[str | int, ...]
Position = tuple[int, int]  # line and column, from 1

MAX_DEPTH = 20
MAX_NODES = 100_000  # an alias bomb has more


class Document:
    """The values of one file, and where each of them stands."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.lines = text.splitlines()
        self.positions: dict[Path, Position] = {(): (1, 1)}
        self.findings: list[Finding] = []
        self.value: Any = None
        self._nodes = 0
        try:
            root = yaml.compose(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
            self._find(place, "", f"this is not valid YAML: {error.problem or error.context}")
            return
        except yaml.YAMLError as error:
            self._find((1, 1), "", f"this is not valid YAML: {str(error).splitlines()[0]}")
            return
        self.value = {} if root is None else self._value(root, ())

    def at(self, path: Path) -> Position:
        """Line and column of the value at `path`, or of the nearest part of it that is in the file."""
        while path not in self.positions:
            path = path[:-1]
        return self.positions[path]

    def find(self, path: Path, message: str) -> None:
        """Note a mistake at `path`."""
        self._find(self.at(path), dotted(path), message)

    def _find(self, place: Position, key: str, message: str) -> None:
        line, column = place
        excerpt = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        self.findings.append(Finding(self.file, line, column, key, message, excerpt))

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self._nodes += 1
        self.positions[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if len(path) > MAX_DEPTH or self._nodes > MAX_NODES:
            self.find(path, "is nested too deep or refers to itself; write it out plainly")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, place)) for place, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            inner = (*path, key)
            if key in values:
                self.find(inner, "stands here for the first time and again below; keep one of them")
                self.positions[inner] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
                continue
            values[key] = self._value(value_node, inner)
            if isinstance(value_node, yaml.MappingNode | yaml.SequenceNode):
                self.positions[inner] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        return values

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        try:
            return yaml.SafeLoader("").construct_object(node)
        except (yaml.YAMLError, ValueError):
            self.find(path, f"is {node.value!r}, which is no plain value; put it in quotes")
            return None


def dotted(path: Path) -> str:
    """("keys", 0, "name") as people write it: keys[0].name"""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
