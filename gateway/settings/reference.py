"""The reference of every setting, from the schema itself: docs/settings.md is `python -m gateway.settings.reference`."""

import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from gateway.settings.schema import Settings

HEAD = """# Settings

Every key of `steelyard.yaml`. An empty file, or none, is valid: all parts have defaults. `steelyard init` writes a
commented file, `steelyard check` validates one. This page is made from the schema by
`python -m gateway.settings.reference > docs/settings.md`; `steelyard check --schema` prints it as JSON schema.
"""


class Setting(Struct, frozen=True):
    """One key: `kind` without its annotations, `inner` the block that it holds, if any."""

    name: str
    kind: Any
    inner: type[Struct] | None
    default: Any  # NODEFAULT when it must be given
    meaning: str


def settings_of(block: type[Struct]) -> Iterator[Setting]:
    """The keys of one block, in the order of the schema."""
    for field in fields(block):
        kind, meta = get_args(field.type)
        yield Setting(field.name, kind, block_in(kind), default_of(field), meta.description or "")


def block_in(kind: Any) -> type[Struct] | None:
    """The Struct that a key holds: itself, in a mapping or in a list."""
    candidates = [kind, *get_args(kind)]
    return next((one for one in candidates if isinstance(one, type) and issubclass(one, Struct)), None)


def default_of(field: FieldInfo) -> Any:
    return field.default_factory() if field.default_factory is not NODEFAULT else field.default


def kind_text(kind: Any) -> str:
    """The type as people say it."""
    text = str(kind) if get_origin(kind) else kind.__name__
    if isinstance(kind, type) and issubclass(kind, Struct):
        return "block"
    text = re.sub(r"gateway\.settings\.schema\.\w+", "block", text).replace("tuple[", "list[").replace(", ...]", "]")
    for code, word in (("str", "text"), ("float", "number"), ("int", "whole number"), ("bool", "true or false")):
        text = re.sub(rf"\b{code}\b", word, text)
    return text.replace("dict[text, ", "mapping[").replace(" | None", "")


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
        yield f"| `{one.name}` | {kind_text(one.kind)} | {default_text(one.default)} | {one.meaning} |\n"
    for one in settings:
        if one.inner is not None:
            nested = {"keys": "keys[]", "models": "models[]"}.get(one.name, one.name)
            name = f"{one.name}.NAME" if get_origin(one.kind) is dict else nested
            yield from section(one.inner, name if block is Settings else f"{title}.{name}")


def json_schema() -> str:
    """The JSON schema of the file, for editors."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Settings)), indent=2).decode()


if __name__ == "__main__":
    print(reference_markdown(), end="")
