"""A settings file to typed settings. All its mistakes are found in one pass; any of them refuses the file."""

from collections.abc import Collection, Mapping
from pathlib import Path

from msgspec import Struct

from gateway.errors import SettingsError
from gateway.settings.finding import Finding
from gateway.settings.nodes import Document
from gateway.settings.provider_rules import doubts
from gateway.settings.rules import broken_rules
from gateway.settings.schema import Settings
from gateway.settings.shape import Shape

MAX_BYTES = 1_048_576


class LoadedSettings(Struct, frozen=True):
    """Valid settings, and what is possible in them but hardly meant."""

    settings: Settings
    warnings: tuple[str, ...] = ()  # `file:line:column: key message`
    is_blank: bool = False  # the file holds nothing, not even a comment


def load_file(path: Path, environ: Mapping[str, str], known_providers: Collection[str]) -> LoadedSettings:
    """Read and validate a file. Raises SettingsError with every finding."""
    return load_text(read_text(path), str(path), environ, known_providers)


def read_text(path: Path) -> str:
    """The file's text. Raises SettingsError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise SettingsError([f"{path}: does not exist; steelyard init writes a new one"]) from None
    except OSError as error:
        raise SettingsError(
            [f"{path}: cannot be read: {error.strerror}; name a file that this user may read"]
        ) from error
    if len(content) > MAX_BYTES:
        raise SettingsError([f"{path}: is larger than {MAX_BYTES} bytes; that is no settings file"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        found = SettingsError([f"{path}:{line}:{column}: this is not UTF-8 text; store the file as UTF-8"])
    raise found  # outside the except clause: its error would carry the content


def load_text(text: str, file: str, environ: Mapping[str, str], known_providers: Collection[str]) -> LoadedSettings:
    """Validate the text of a settings file. Raises SettingsError with every finding."""
    document = Document(file, text)
    if not document.is_whole:
        raise refusal(document.findings)
    shape = Shape(document.value)
    for mistake in shape.mistakes:
        document.find(mistake)
    for mistake in broken_rules(shape.settings, environ, known_providers):
        if not shape.strikes_out(mistake):
            document.find(mistake)
    if document.findings:
        raise refusal(document.findings)
    doubtful = (
        document.finding(mistake)
        for name, provider in shape.settings.providers.items()
        for mistake in doubts(("providers", name), name, provider, known_providers)
    )
    return LoadedSettings(shape.settings, tuple(str(finding) for finding in doubtful), not text.strip())


def refusal(findings: list[Finding]) -> SettingsError:
    """The error that lists them, in the order of the file."""
    return SettingsError([str(finding) for finding in sorted(findings, key=lambda one: (one.line, one.column))])
