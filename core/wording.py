"""What a prompt's wording says: the chance of each task, and whether it is harder than its task usually is.

Weights are in `data/`, made by `make train`; `data/README.md` says from what, and how far they can be trusted.
"""

import json
import math
import os
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from core.tasks import TASKS, TEXT_TASKS
from core.text import Features

__all__ = ["IMPLEMENTATION", "MODEL", "Correction", "Representer", "Wording", "likeliest", "read"]

IMPLEMENTATION: Literal["cython", "python"] = "python" if os.environ.get("STEELYARD_PURE") == "1" else "cython"

if IMPLEMENTATION == "python":
    from core._grams_np import Reader
    from core._representation_np import Correction, Representer
else:
    try:
        from core._grams_cy import Reader
        from core._representation_cy import Correction, Representer
    except ImportError as missing:
        raise ImportError(
            f"{missing.name} is not compiled for this Python; run `make build`, or set STEELYARD_PURE=1"
        ) from missing

DATA = Path(__file__).parent / "data"
DIFFICULTY = len(TEXT_TASKS)  # the table's columns are the tasks, then this one, then the mark
SEEN = DIFFICULTY + 1  # 1 in every row that training has met
ROWS = tuple(TASKS.index(name) for name in TEXT_TASKS)
LEAST_SHARE = 0.08  # a task less likely than that is left out, and the others share its part


class Model(NamedTuple):
    """What turns sums into odds. The table's bytes times `scales` are weights."""

    version: int
    corpus: str  # SHA-256 of the prompts that it was trained on
    sharpness: float  # by which log odds are multiplied, so that a share of 0.7 is right 7 times in 10
    scales: tuple[float, ...]  # [tasks, then difficulty]


class Wording(NamedTuple):
    """A prompt's wording, understood as far as it goes."""

    shares: tuple[tuple[int, float], ...]  # tasks and their chances, likeliest first; they add up to 1
    harder: float  # than the task usually is, as a difference of difficulties; 0 when nothing speaks for it
    familiar: float  # 0-1: share of the words, pairs and first words that training has met
    odds: list[float]  # [TEXT_TASKS] by the wording alone, whatever was learned; not normalised
    representation: bytes  # `core.representation`; b"" where nothing is learned


def load(folder: Path) -> Model:
    """The model that belongs to the folder's table."""
    stored = json.loads((folder / "wording.json").read_text())
    return Model(stored["version"], stored["corpus"], stored["sharpness"], tuple(stored["scales"]))


MODEL = load(DATA)
_FACTORS = tuple(scale * MODEL.sharpness for scale in MODEL.scales[:DIFFICULTY])
_HARDER = MODEL.scales[DIFFICULTY]
_reader = Reader(np.load(DATA / "wording.npy"))
_representer = Representer(MODEL.version, _FACTORS)


def read(
    opening: bytes, focus: bytes, features: Features | None = None, correction: Correction | None = None
) -> Wording:
    """Read the raw JSON of what a conversation opens with, b"" for nothing, and of what was asked last.

    correction: of what own labels have taught; it takes the prompt's features.
    """
    runs, run_count, words, word_count = sums = _reader.read(opening, focus)
    per_run, per_word = max(run_count, 1) ** -0.5, max(word_count, 1) ** -0.5
    known = words[SEEN] / max(word_count, 1)
    moved = odds = [
        math.exp(factor * (run * per_run + word * per_word))
        for factor, run, word in zip(_FACTORS, runs, words, strict=False)
    ]
    representation = b""
    if correction is not None and features is not None:
        representation = _representer.write(sums, known, features)
        moved = correction.moved(odds, representation)
    return Wording(
        likeliest(moved),
        _HARDER * (runs[DIFFICULTY] * per_run + words[DIFFICULTY] * per_word),
        known,
        odds,
        representation,
    )


def likeliest(odds: list[float]) -> tuple[tuple[int, float], ...]:
    """The tasks in question with their chances, likeliest first. odds: [TEXT_TASKS]."""
    least = LEAST_SHARE * sum(odds)
    kept = sorted([(-chance, task) for chance, task in zip(odds, ROWS, strict=True) if chance >= least])
    total = -sum([chance for chance, _ in kept])
    return tuple([(task, -chance / total) for chance, task in kept])
