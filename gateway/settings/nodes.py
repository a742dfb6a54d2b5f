"""YAML text to plain values, each with its line and column. Refuses what YAML would silently accept."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from gateway.settings.finding import Finding, Mistake, Path, Position
from gateway.settings.scalars import scalar
from gateway.settings.shown import KEY_LIKE, dotted

MAX_DEPTH = 20
MAX_NODES = 50_000  # aliases counted as often as they are used: an alias bomb has more
UNREAD = object()  # stands where a value could not be read; its finding is made already
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # without libyaml it is slow, not wrong
# Sections without keys, whose lines may be shown as they stand.
OPEN_SECTIONS = tuple((name,) for name in ("server", "routers", "default_router", "catalog", "ledger", "metadata"))
REPEATED = re.compile(r" ?'[^']{2,}'")  # the pure Python parser repeats names of anchors and tags


class Unreadable(Exception):
    """The document makes no sense from here on."""


class Document:
    """The values of one file, and where each of them stands.

    Built from parser events, not by PyYAML's composer: that one recurses in C, where a file of 100,000 brackets ends
    the process, and gives aliases no place of their own.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.value: Any = None
        self.findings: list[Finding] = []
        self.is_whole = True  # False: reading stopped at the last finding
        self._lines = text.splitlines()
        self._places: dict[Path, Position] = {(): (1, 1)}
        self._key_places: dict[Path, Position] = {}
        self._private_lines: set[int] = set()
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        try:
            self._events: Iterator[Any] = yaml.parse(text, LOADER)
            self.value = self._document()
        except (yaml.YAMLError, UnicodeError) as error:
            self._stop(*explained(error, self._lines))
        except Unreadable as error:
            self._stop(error.args[0], error.args[1])
        if not self.is_whole:  # what the rest of the file is, is not known: any line may hold a key
            self.findings = [finding_without_excerpt(finding) for finding in self.findings]

    def find(self, mistake: Mistake) -> None:
        """Note a mistake."""
        self.findings.append(self.finding(mistake))

    def finding(self, mistake: Mistake) -> Finding:
        """A mistake with its place: that of its path, or of the nearest part of it that is in the file."""
        path = mistake.path
        while path not in self._places:
            path = path[:-1]
        place = self._key_places.get(path, self._places[path]) if mistake.at_key else self._places[path]
        return Finding(self.file, *place, dotted(mistake.path), mistake.message, self._excerpt(place[0]))

    def _excerpt(self, line: int) -> str:
        """The line, "" when it holds, or may hold, a key."""
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        return "" if line in self._private_lines or KEY_LIKE.search(text) else text.replace("\t", " ")

    def _stop(self, place: Position, message: str) -> None:
        self.is_whole = False
        self.findings.append(Finding(self.file, *place, "", message))

    def _document(self) -> Any:
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        value = self._node(next(self._events), ())
        next(self._events)  # the end of the document
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            raise Unreadable(place_of(following), "a second document (---) begins here; one is expected")
        return value

    def _node(self, event: Any, path: Path) -> Any:
        self._enter(event, path)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        before = self._nodes
        value = self._content(event, path)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._nodes - before)
        return value

    def _enter(self, event: Any, path: Path) -> None:
        self._places[path] = place_of(event)
        if path[:1] not in OPEN_SECTIONS and not isinstance(event, yaml.CollectionStartEvent):
            self._private_lines.update(range(event.start_mark.line + 1, event.end_mark.line + 2))
        self._count(1, event)
        if len(path) > MAX_DEPTH:
            raise Unreadable(place_of(event), f"the nesting is deeper than {MAX_DEPTH} levels; no setting is")

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise Unreadable(place_of(event), f"there are more than {MAX_NODES} values up to here, aliases included")

    def _alias(self, event: yaml.AliasEvent, path: Path) -> Any:
        if event.anchor not in self._anchors:
            return self._refused(path, "refers to an anchor (*...) that is not complete above it")
        value, nodes = self._anchors[event.anchor]
        self._count(nodes, event)
        return value

    def _content(self, event: Any, path: Path) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            try:
                return scalar(event)
            except ValueError as error:
                return self._refused(path, str(error))
        value = self._mapping(path) if isinstance(event, yaml.MappingStartEvent) else self._sequence(path)
        return self._refused(path, "has a YAML tag (!...); tags are not used here") if event.tag else value

    def _sequence(self, path: Path) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            values.append(self._node(event, (*path, len(values))))
        return values

    def _mapping(self, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, path)
            if key is None:
                self._node(next(self._events), (*path, "?"))
                continue
            inner = (*path, key)
            if key in values:
                self._twice(event, inner)
                self._node(next(self._events), (*path, "?"))
                continue
            self._key_places[inner] = place_of(event)
            values[key] = self._node(content := next(self._events), inner)
            if isinstance(content, yaml.CollectionStartEvent):
                self._places[inner] = place_of(event)
        return values

    def _key(self, event: Any, path: Path) -> str | None:
        """The key as text; None, with a finding, when it is something else."""
        if not isinstance(event, yaml.ScalarEvent):
            self._node(event, (*path, "?"))
            self._no_key(event, path, "is not text; put it in quotes")
            return None
        self._count(1, event)
        try:
            key = scalar(event)
        except ValueError as error:
            self._no_key(event, path, str(error))
            return None
        if isinstance(key, str):
            return key
        self._no_key(event, path, "is a number, true, false or empty to YAML; put it in quotes")
        return None

    def _no_key(self, event: Any, path: Path, message: str) -> None:
        self._refuse_at(place_of(event), path, f"has a key that {message}")

    def _twice(self, event: Any, path: Path) -> None:
        line, column = self._key_places[path]
        self._refuse_at(place_of(event), path, f"stands here again, after {line}:{column}; keep one of them")

    def _refuse_at(self, place: Position, path: Path, message: str) -> None:
        self.findings.append(Finding(self.file, *place, dotted(path), message))

    def _refused(self, path: Path, message: str) -> Any:
        self._refuse_at(self._places[path], path, message)
        return UNREAD


def place_of(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1


def finding_without_excerpt(finding: Finding) -> Finding:
    return Finding(finding.file, finding.line, finding.column, finding.key, finding.message)


def explained(error: yaml.YAMLError | UnicodeError, lines: list[str]) -> tuple[Position, str]:
    """Where the parser stopped, and why; never with text of the file."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return (1, 1), "this is not YAML: it holds a character that no text has"
    mark = error.problem_mark or error.context_mark
    line, column = (0, 0) if mark is None else (mark.line, mark.column)
    if line < len(lines) and "\t" in lines[line][: column + 1]:
        return (line + 1, column + 1), "this is not valid YAML: there is a tab; indent with spaces"
    message = f"this is not valid YAML: {REPEATED.sub('', error.problem or '')}"
    if error.context and error.context_mark is not None:
        start = error.context_mark
        message += f", {REPEATED.sub('', error.context)} that begins at {start.line + 1}:{start.column + 1}"
    return (line + 1, column + 1), message
