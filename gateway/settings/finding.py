"""One mistake in a settings file: where, what, and what to do."""

from typing import NamedTuple

from msgspec import Struct

Path = tuple[str | int, ...]  # ("keys", 0, "name"): the first key's name
Position = tuple[int, int]  # line and column, from 1


class Mistake(NamedTuple):
    """What is wrong with the setting at `path`."""

    path: Path
    message: str
    given: Path = ()  # the other setting that it was measured against; if that one is wrong, this may be right
    at_key: bool = False  # the key is meant, not its value


class Finding(Struct, frozen=True):
    """A mistake as people are told of it."""

    file: str
    line: int  # from 1
    column: int  # from 1
    key: str  # dotted, "" when the file as a whole is meant
    message: str
    excerpt: str = ""  # the line as it stands in the file, "" when it may hold a key

    def __str__(self) -> str:
        """`file:line:column: key message`, then the line with a caret under the column."""
        told = f"{self.file}:{self.line}:{self.column}: {self.key + ' ' if self.key else ''}{self.message}"
        if not self.excerpt.strip():
            return told
        return f"{told}\n    {self.excerpt}\n    {' ' * (self.column - 1)}^"
