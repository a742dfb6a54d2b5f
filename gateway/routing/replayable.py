"""What it takes to make a decision again: the request's figures and what health knew, in some hundred bytes, no text.

Targets go by a number made of their ids, so that a later catalog, with other columns, can be asked the same.
"""

from zlib import crc32

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from core.matrix import LiveFigures, RequestFigures
from gateway.catalog.columns import Targets
from gateway.routing.plan import Decision

VERSION = 1
MARKS = np.dtype("<u4")
FIGURES = np.dtype("<f4")
MOST_PREFERRED = 512
SIZES = 4  # of prompts, each with live figures of its own


class Replayable(Struct, frozen=True, array_like=True):
    """A decision's inputs, but for the router, the model asked for and the task, which the receipt has."""

    version: int
    input_tokens: float
    output_tokens: float
    max_output_tokens: float
    images: float
    needs: int
    stream: bool
    writes: bool
    warm: tuple[tuple[int, float], ...]  # mark of a target -> tokens
    stay: int | None  # mark
    pick: float
    may_explore: bool
    chain: tuple[str, ...]  # models, as the caller named them
    preferred: bytes  # marks, of columns that came before all others
    view: bytes  # of the live figures, where they differ from the prior: marks, then one row for each field
    blend: tuple[tuple[int, float], ...] = ()  # rows of quality and their shares
    odds: float = 1.0


ENCODE = msgspec.msgpack.Encoder().encode
DECODE = msgspec.msgpack.Decoder(Replayable).decode


class Inputs(Struct, frozen=True):
    """The same, for the targets of one snapshot."""

    figures: RequestFigures
    live: LiveFigures
    stay: int | None  # column
    pick: float
    may_explore: bool
    chain: tuple[str, ...]
    preferred: frozenset[int]  # columns


def mark_of(target: str) -> int:
    """A number for a target's id. Two of a thousand targets share one in one catalog of ten thousand."""
    return crc32(target.encode())


class Packer:
    """Packs decisions. Remembers the last live figures, which all decisions of 100 ms and one size of prompt share."""

    def __init__(self) -> None:
        self._targets: Targets | None = None
        self._marks = np.empty(0, MARKS)
        self._views: list[tuple[LiveFigures, bytes]] = []  # the newest first

    def pack(self, decision: Decision, chain: tuple[str, ...]) -> bytes:
        """Some 150 bytes, and some 16 for each target that anything is known of."""
        figures, targets = decision.profile.figures, decision.targets
        if targets is not self._targets:
            self._targets, self._marks = targets, marks_of(targets)
            self._views.clear()
        marks, preferred = self._marks, sorted(decision.preferred)[:MOST_PREFERRED]
        return ENCODE(
            Replayable(
                VERSION,
                figures.input_tokens,
                figures.output_tokens,
                figures.max_output_tokens,
                figures.images,
                figures.needs,
                figures.stream,
                figures.writes,
                tuple((int(marks[column]), tokens) for column, tokens in figures.warm),
                None if decision.stay is None else int(marks[decision.stay]),
                decision.pick,
                decision.may_explore,
                chain,
                marks[preferred].tobytes() if preferred else b"",
                self._packed(decision.live, targets.prior),
                figures.blend,
                figures.odds,
            )
        )

    def _packed(self, live: LiveFigures, prior: LiveFigures) -> bytes:
        for known, packed in self._views:
            if known is live:
                return packed
        packed = packed_view(live, prior, self._marks)
        self._views = [(live, packed), *self._views[: SIZES - 1]]
        return packed


class Unpacker:
    """Unpacks decisions for one snapshot's targets; remembers the last live figures."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._columns = {mark: column for column, mark in enumerate(marks_of(targets).tolist())}
        self._view: bytes | None = None
        self._live = targets.prior

    def unpack(self, packed: bytes, task: int) -> Inputs:
        """task: row of the quality matrix. Targets that are gone are left out. Raises ValueError if it is none."""
        try:
            found = DECODE(packed)
        except msgspec.MsgspecError as error:
            raise ValueError(f"this decision cannot be made again: {error}") from error
        if found.version != VERSION:
            raise ValueError(f"this decision was written by another version of Steelyard ({found.version})")
        if found.view != self._view:
            self._view, self._live = found.view, self._unpacked_view(found.view)
        columns = self._columns
        figures = RequestFigures(
            found.input_tokens,
            tuple((columns[mark], tokens) for mark, tokens in found.warm if mark in columns),
            found.output_tokens,
            found.max_output_tokens,
            found.images,
            task,
            found.needs,
            found.stream,
            found.writes,
            found.blend,
            found.odds,
        )
        preferred = np.frombuffer(found.preferred, MARKS).tolist() if found.preferred else ()
        return Inputs(
            figures,
            self._live,
            None if found.stay is None else columns.get(found.stay),
            found.pick,
            found.may_explore,
            found.chain,
            frozenset(columns[mark] for mark in preferred if mark in columns),
        )

    def _unpacked_view(self, packed: bytes) -> LiveFigures:
        fields = len(LiveFigures._fields)
        if len(packed) % (MARKS.itemsize + fields * FIGURES.itemsize):
            raise ValueError("this decision cannot be made again: its live figures are not whole")
        count = len(packed) // (MARKS.itemsize + fields * FIGURES.itemsize)
        marks = np.frombuffer(packed, MARKS, count)
        rows = np.frombuffer(packed, FIGURES, count * fields, count * MARKS.itemsize).reshape(fields, count)
        known = [(place, self._columns[mark]) for place, mark in enumerate(marks.tolist()) if mark in self._columns]
        places, columns = [place for place, _ in known], [column for _, column in known]
        arrays = []
        for name, row in zip(LiveFigures._fields, rows, strict=True):
            array = np.array(getattr(self._targets.prior, name))
            array[columns] = row[places].astype(array.dtype)
            array.flags.writeable = False
            arrays.append(array)
        return LiveFigures(*arrays)


def marks_of(targets: Targets) -> NDArray[np.uint32]:
    """[n] the number of each column's target."""
    return np.array([mark_of(target) for target in targets.ids], MARKS)


def packed_view(live: LiveFigures, prior: LiveFigures, marks: NDArray[np.uint32]) -> bytes:
    """Marks of the columns where anything differs, then their figures field by field."""
    differs = np.zeros(marks.shape, np.bool_)
    for now, before in zip(live, prior, strict=True):
        differs |= now != before
    columns = np.flatnonzero(differs)
    rows = [now[columns].astype(FIGURES).tobytes() for now in live]
    return b"".join((marks[columns].tobytes(), *rows))
