"""One mistake in a settings file: where, what, and what to do."""

from msgspec import Struct


class Finding(Struct, frozen=True):
    file: str
    line: int  # from 1
    column: int  # from 1
    key: str  # dotted, "" when the file as a whole is meant
    message: str
    excerpt: str = ""  # the line, as it stands in the file

    def __str__(self) -> str:
        """`file:line:column: key message`, then the line with a caret under the column."""
        told = f"{self.file}:{self.line}:{self.column}: {self.key + ' ' if self.key else ''}{self.message}"
        if not self.excerpt.strip() or "api_key" in self.key:
            return told
        return f"{told}\n    {self.excerpt}\n    {' ' * (self.column - 1)}^"
