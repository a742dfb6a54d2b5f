"""The reference of every setting, from the schema: docs/settings.md is `python -m gateway.settings.reference`."""

from collections.abc import Iterator
from typing import Any, get_origin

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from gateway.settings.kinds import bare, block_in, in_words, metas_of
from gateway.settings.schema import Settings

HEAD = """# Settings

Every key of `steelyard.yaml`. An empty file, or none, is valid: all parts have defaults. `steelyard init` writes a
commented file, `steelyard check` validates one. This page is made from the schema by
`python -m gateway.settings.reference > docs/settings.md`; `steelyard check --schema` prints it as JSON schema.

A running server takes over a changed file within a second or two, or on SIGHUP; `server.host`, `server.port`,
`server.workers`, `server.worker_silence_seconds`, `server.max_connections`, `server.max_connections_per_address`,
`server.log_format`, `learning.path` and all of `ledger` and `catalog` need a restart. A file with a mistake changes
nothing, nor does one that is emptied or gone: the settings last read go on serving, and the log says why. A file with
nothing but a comment goes back to the defaults.
"""


class Setting(Struct, frozen=True):
    """One key of a block."""

    name: str
    kind: Any
    inner: type[Struct] | None  # the block that it holds, if any
    default: Any  # NODEFAULT when it must be given
    meaning: str


def settings_of(block: type[Struct]) -> Iterator[Setting]:
    """The keys of one block, in the order of the schema."""
    for field in fields(block):
        meaning = next(meta.description for meta in metas_of(field.type) if meta.description)
        yield Setting(field.name, field.type, block_in(field.type), default_of(field), meaning)


def default_of(field: FieldInfo) -> Any:
    return field.default_factory() if field.default_factory is not NODEFAULT else field.default


def default_text(default: Any) -> str:
    """The default as it would stand in the file."""
    if default is NODEFAULT:
        return "required"
    if default is None or isinstance(default, Struct) or default in ("", (), {}):
        return ""
    return f"`{msgspec.json.encode(default).decode()}`"


def reference_markdown() -> str:
    """docs/settings.md."""
    return HEAD + "".join(section(Settings, "The file"))


def section(block: type[Struct], title: str) -> Iterator[str]:
    settings = list(settings_of(block))
    yield f"\n## {title}\n\n{(block.__doc__ or '').strip()}\n\n| key | type | default | meaning |\n|---|---|---|---|\n"
    for one in settings:
        yield f"| `{one.name}` | {in_words(one.kind)} | {default_text(one.default)} | {one.meaning} |\n"
    for one in settings:
        if one.inner is not None:
            nested = {"keys": "keys[]", "models": "models[]"}.get(one.name, one.name)
            name = f"{one.name}.NAME" if get_origin(bare(one.kind)) is dict else nested
            yield from section(one.inner, name if block is Settings else f"{title}.{name}")


def json_schema() -> str:
    """The JSON schema of the file, for editors."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Settings)), indent=2).decode()


if __name__ == "__main__":
    print(reference_markdown(), end="")
