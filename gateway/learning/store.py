"""Versions of learned weights in a folder, one of which may be in use. Every write is whole or not at all."""

import os
import re
from pathlib import Path

import msgspec

from gateway.catalog.learned import LearnedWeights
from gateway.errors import SettingsError

CURRENT = "current"  # a file that holds the name of the version in use
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
NONE = "none"  # in place of a name: the catalog alone

DECODE = msgspec.json.Decoder(LearnedWeights).decode


class WeightStore:
    """A folder of versions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def pointer(self) -> Path:
        """The file that changes when another version is taken into use."""
        return self.folder / CURRENT

    def names(self) -> list[str]:
        """All versions, the newest last."""
        return sorted(path.stem for path in self.folder.glob("*.json")) if self.folder.is_dir() else []

    def current_name(self) -> str:
        """The version in use; "" for none."""
        try:
            return self.pointer.read_text().strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError([f"{self.pointer} cannot be read ({error}); delete it to go without"]) from error

    def current(self) -> LearnedWeights | None:
        """The version in use. Raises SettingsError when it is named but cannot be read."""
        name = self.current_name()
        return self.load(name) if name else None

    def load(self, name: str) -> LearnedWeights:
        """Raises SettingsError, which lists what there is."""
        if not NAME.fullmatch(name) or name not in self.names():
            known = ", ".join(self.names()) or "none yet; steelyard learn makes them"
            raise SettingsError([f"there are no learned weights {name!r} in {self.folder}; there are: {known}"])
        path = self.folder / f"{name}.json"
        try:
            return DECODE(path.read_bytes())
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            told = f"{path} cannot be read ({error}); take another version: steelyard weights use"
            raise SettingsError([told]) from error

    def save(self, weights: LearnedWeights) -> None:
        """Keep a version; it is not in use yet."""
        self._write(self.folder / f"{weights.name}.json", msgspec.json.format(msgspec.json.encode(weights)))

    def use(self, name: str) -> None:
        """Take a version into use, or none of them. Raises SettingsError."""
        if name == NONE:
            self.pointer.unlink(missing_ok=True)
            return
        self.load(name)
        self._write(self.pointer, f"{name}\n".encode())

    def _write(self, path: Path, content: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
