"""Keys by reference: `env:NAME` or `file:/path`. The key itself never stands in a settings file, nor in a message."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

EXPECTATION = "env:NAME or file:/path is expected"
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A name in capitals may be repeated in a message; in lower case it could be a key that somebody put after env:.
REPEATABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
# How other programs write it: $NAME, ${NAME}, os.environ/NAME, env.NAME.
ELSEWHERE = re.compile(r"(?:\$\{?|os\.environ/|env\.)([A-Z_][A-Z0-9_]*)\}?")
MAX_FILE_BYTES = 65_536


def resolve(reference: str, environ: Mapping[str, str]) -> str:
    """The key that `reference` points to. Raises ValueError, whose message never holds a key."""
    kind, _, rest = reference.partition(":")
    if kind == "env":
        return from_environment(rest.strip(), environ)
    if kind == "file":
        return from_file(Path(rest.strip()))
    if (meant := ELSEWHERE.fullmatch(reference)) is not None:
        raise ValueError(f"is written as other programs write it; did you mean env:{meant[1]}?")
    raise ValueError(f"looks like a key itself; move it to the environment and refer to it: {EXPECTATION}")


def from_environment(name: str, environ: Mapping[str, str]) -> str:
    if not VARIABLE.fullmatch(name):
        raise ValueError("has no name of a variable after env:; put the key into a variable and write env:NAME")
    value = environ.get(name, "").strip()
    if not value:
        meant = f"env:{name}" if REPEATABLE.fullmatch(name) else "a variable"
        raise ValueError(f"refers to {meant}, which is not set; export it, or take this line out")
    return value


def from_file(path: Path) -> str:
    """The file's text without the space around it. Refuses files that others of this machine can read."""
    path = path.expanduser() if path.parts[:1] == ("~",) else path
    if not path.is_absolute():
        raise ValueError("has no absolute path after file:; write file:/path")
    try:
        # Without O_NONBLOCK a named pipe would hold up the whole server until somebody writes to it.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ValueError(f"refers to {path}, which is not a file")
            mode = stat.S_IMODE(status.st_mode)
            if mode & 0o077:
                raise ValueError(f"refers to {path}, which others can use (mode {mode:04o}); run: chmod 600 {path}")
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"refers to {path}, which cannot be read: {error.strerror}") from error
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"refers to {path}, which is larger than any key")
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        raise ValueError(f"refers to {path}, which is not text") from None  # the cause would carry the content
    if not text:
        raise ValueError(f"refers to {path}, which is empty")
    return text
