"""A settings file to typed settings. All its mistakes are found in one pass; any of them refuses the file."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from gateway.errors import SettingsError
from gateway.settings.nodes import Document, Path, Position
from gateway.settings.rules import Mistake, broken_rules, nearest
from gateway.settings.schema import Settings


class LoadedSettings(Struct, frozen=True):
    """Valid settings, and where in the file each of them stands."""

    settings: Settings
    positions: dict[Path, Position]
    warnings: tuple[str, ...] = ()


def load_file(path: FilePath, environ: Mapping[str, str], known_providers: Collection[str]) -> LoadedSettings:
    """Read and validate a file. Raises SettingsError with every finding."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: cannot be read: {error}; steelyard init writes a new one"]) from error
    return load_text(text, str(path), environ, known_providers)


def load_text(text: str, file: str, environ: Mapping[str, str], known_providers: Collection[str]) -> LoadedSettings:
    """Validate the text of a settings file. Raises SettingsError with every finding."""
    document = Document(file, text)
    if not document.findings:
        for path, message in mistakes_of_shape(document.value, Settings, ()):
            document.find(path, message)
    if not document.findings:
        settings = msgspec.convert(document.value, Settings)
        for path, message in broken_rules(settings, environ, known_providers):
            document.find(path, message)
    if document.findings:
        ordered = sorted(document.findings, key=lambda finding: (finding.line, finding.column))
        raise SettingsError([str(finding) for finding in ordered])
    return LoadedSettings(settings, document.positions)


def mistakes_of_shape(value: Any, kind: Any, path: Path) -> Iterator[Mistake]:
    """Unknown keys and wrong types, at every depth."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    origin = get_origin(kind)
    if isinstance(kind, type) and issubclass(kind, Struct):
        yield from mistakes_of_struct(value, kind, path)
    elif origin is dict and isinstance(value, dict):
        for key, inner in value.items():
            yield from mistakes_of_shape(inner, get_args(kind)[1], (*path, key))
    elif origin is tuple and isinstance(value, list):
        for place, inner in enumerate(value):
            yield from mistakes_of_shape(inner, get_args(kind)[0], (*path, place))
    else:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            yield path, f"is {shown(value, path)}; {expectation(error)}"


def mistakes_of_struct(value: Any, kind: type[Struct], path: Path) -> Iterator[Mistake]:
    if value is None and path == ():
        return
    if not isinstance(value, dict):
        yield path, f"is {shown(value, path)}; a block of settings is expected: {', '.join(kind.__struct_fields__)}"
        return
    types = {field.name: field.type for field in fields(kind)}
    for key, inner in value.items():
        if key in types:
            yield from mistakes_of_shape(inner, types[key], (*path, key))
        else:
            yield (*path, key), f"is not a setting; {nearest(key, types)}"
    for field in fields(kind):
        if field.required and field.name not in value:
            yield path, f"has no {field.name}, which it needs"


def shown(value: Any, path: Path) -> str:
    """The value as it stands in a message; never a key."""
    if "api_key" in path or "headers" in path:
        return "***"
    text = msgspec.json.encode(value).decode() if not isinstance(value, dict | list) else type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."


def expectation(error: msgspec.ValidationError) -> str:
    """msgspec's words for what should stand there."""
    text = str(error).split(" - at ")[0]
    if text.startswith("Expected `") and "`, got `" in text:
        return f"{text.removeprefix('Expected ').split(', got ')[0].replace('`', '')} is expected"
    return text[0].lower() + text[1:]
