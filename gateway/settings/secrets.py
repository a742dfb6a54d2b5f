"""Keys by reference: `env:NAME` or `file:/path`. The key itself never stands in a settings file."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

EXPECTATION = "env:NAME or file:/path is expected"


def resolve(reference: str, environ: Mapping[str, str]) -> str:
    """The key that `reference` points to. Raises ValueError, whose message never holds a key."""
    kind, _, rest = reference.partition(":")
    if kind == "env" and rest:
        return from_environment(rest, environ)
    if kind == "file" and rest:
        return from_file(Path(rest))
    raise ValueError(f"looks like a key itself; move it to the environment and refer to it: {EXPECTATION}")


def from_environment(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise ValueError(f"refers to env:{name}, which is not set; export it or remove the line")
    return value


def from_file(path: Path) -> str:
    """The file's text without its last newline. Refuses files that others of this machine can read."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise ValueError(f"refers to {path}, which others can read (mode {mode:04o}); run: chmod 600 {path}")
            text = file.read(65_536).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"refers to {path}, which cannot be read: {type(error).__name__}") from error
    if not text.strip():
        raise ValueError(f"refers to {path}, which is empty")
    return text.removesuffix("\n")
