"""Plain values to typed settings: unknown keys, wrong types and missing keys, at every depth, all found in one pass."""

import math
from typing import Any, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo, fields

from gateway.settings.finding import Mistake, Path
from gateway.settings.kinds import bare, expectation
from gateway.settings.names import nearest
from gateway.settings.nodes import UNREAD
from gateway.settings.schema import Settings
from gateway.settings.shown import shown

# For keys that must be given and are missing or wrong: the rest of their block is read all the same.
PLACEHOLDERS: dict[Any, Any] = {str: "", float: math.nan}


class Shape:
    """What `value` says, as Settings. A part that is wrong is left at its default, and its path is kept in `struck`.

    So the rules can be held against all the rest of the file at once.
    """

    def __init__(self, value: Any) -> None:
        self.mistakes: list[Mistake] = []
        self.struck: list[Path] = []
        self.settings: Settings = self._block(value, Settings, ())

    def strikes_out(self, mistake: Mistake) -> bool:
        """Could this mistake be a mere consequence of one that was found already?"""
        return any(
            mistake.path[: len(path)] == path
            or path[: len(mistake.path)] == mistake.path
            or (mistake.given and mistake.given[: len(path)] == path)
            for path in self.struck
        )

    def _strike(self, path: Path, message: str, *, at_key: bool = False) -> Any:
        self.mistakes.append(Mistake(path, message, at_key=at_key))
        self.struck.append(path)
        return UNREAD

    def _read(self, value: Any, kind: Any, path: Path) -> Any:
        """The value as `kind`; UNREAD, with a mistake, when it is not."""
        plain = bare(kind)
        if value is UNREAD:
            self.struck.append(path)
        if isinstance(plain, type) and issubclass(plain, Struct):
            return self._block(value, plain, path)
        if value is UNREAD:
            return UNREAD
        if get_origin(plain) is dict:
            return self._mapping(value, get_args(plain)[1], path)
        if get_origin(plain) is tuple:
            return self._list(value, get_args(plain)[0], path)
        return self._scalar(value, kind, path)

    def _block(self, value: Any, kind: type[Struct], path: Path) -> Any:
        """The block, whatever stands there: it may have a name that others refer to."""
        known = {field.name: field for field in fields(kind)}
        given = {field.name: PLACEHOLDERS[bare(field.type)] for field in known.values() if field.required}
        if value is None:  # everything in it is commented out
            value = {}
        if isinstance(value, dict):
            given |= self._fields(value, known, path)
        elif value is not UNREAD:
            subject = "" if path else "the whole file "
            self._strike(path, f"{subject}is {shown(value, path)}; a block of settings is expected: {', '.join(known)}")
        return kind(**given)

    def _fields(self, value: dict[str, Any], known: dict[str, FieldInfo], path: Path) -> dict[str, Any]:
        """What the block says, without what is wrong in it."""
        for name, field in known.items():
            if field.required and name not in value:
                self._strike((*path, name), "is missing, and is needed here")
        for key in value:
            if key not in known:
                self._strike((*path, key), f"is not a setting; {nearest(key, known)}", at_key=True)
        read = {key: self._read(inner, known[key].type, (*path, key)) for key, inner in value.items() if key in known}
        return {key: inner for key, inner in read.items() if inner is not UNREAD}

    def _mapping(self, value: Any, kind: Any, path: Path) -> Any:
        if value is None:
            return {}
        if not isinstance(value, dict):
            return self._strike(path, f"is {shown(value, path)}; a mapping of names is expected")
        read = {key: self._read(inner, kind, (*path, key)) for key, inner in value.items()}
        return {key: inner for key, inner in read.items() if inner is not UNREAD}

    def _list(self, value: Any, kind: Any, path: Path) -> Any:
        if value is None:
            return ()
        if not isinstance(value, list):
            return self._strike(path, f"is {shown(value, path)}; a list is expected: [first, second]")
        return tuple(self._item(inner, kind, (*path, place)) for place, inner in enumerate(value))

    def _item(self, value: Any, kind: Any, path: Path) -> Any:
        """An element; a wrong one keeps its place, so that the others keep theirs."""
        read = self._read(value, kind, path)
        return PLACEHOLDERS[bare(kind)] if read is UNREAD else read

    def _scalar(self, value: Any, kind: Any, path: Path) -> Any:
        if isinstance(value, str) and "${" in value and path[-1] != "api_key":
            return self._strike(path, "holds ${...}; variables are not expanded in this file: write the value out")
        try:
            if not isinstance(value, float) or math.isfinite(value):
                return msgspec.convert(value, kind)
        except msgspec.ValidationError:
            pass
        return self._strike(path, f"is {shown(value, path)}; {expectation(kind)}{hint(value, kind)}")


def hint(value: Any, kind: Any) -> str:
    """How the same words would be right, if they would."""
    if bare(kind) is str:
        return "; put it in quotes" if isinstance(value, bool | int | float) else ""
    if not isinstance(value, str):
        return ""
    try:
        msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        return ""
    return "; take the quotes away"
