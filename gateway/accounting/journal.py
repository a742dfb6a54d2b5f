"""The journal: every receipt on disk before its last byte leaves, for a few microseconds of the request's time.

Fast mode: a line is written but not synced. A killed process loses nothing, because the kernel has the line; a crash of
the operating system or a power cut may lose what was appended since the drainer's last fsync, one second at most.
"""

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from time import monotonic

import msgspec

from gateway.accounting.receipt import Receipt
from gateway.accounting.segments import Claim, claim_own, segment_name

SEGMENT_BYTES = 8 << 20
SEGMENT_SECONDS = 60.0
SPILL_BYTES = 16 << 20  # some 4,000 receipts


class Journal:
    """Appends receipts to segments of this process's own. Any thread may append."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float] = monotonic,
        segment_bytes: int = SEGMENT_BYTES,
        segment_seconds: float = SEGMENT_SECONDS,
        spill_bytes: int = SPILL_BYTES,
    ) -> None:
        self.folder = folder
        self.claim: Claim | None = None  # taken at the first append
        self.number = 1  # of the segment that is being written, or will be next; all before it are finished
        self.appended = 0  # receipts, spilled and lost ones included
        self.failures = 0  # writes that failed
        self.lost = 0  # receipts that found the spill full
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._segment_seconds = segment_seconds
        self._spill_bytes = spill_bytes
        self._lock = Lock()
        self._encode_into = msgspec.json.Encoder().encode_into
        self._buffer = bytearray(8_192)
        self._spill: deque[bytes] = deque()
        self._spilled_bytes = 0
        self._file = -1
        self._size = 0  # bytes of whole lines in the current segment
        self._opened = 0.0

    @property
    def current(self) -> Path | None:
        """The segment being written, if there is one."""
        return None if self.claim is None or self._file < 0 else self.claim.path / segment_name(self.number)

    @property
    def spilled(self) -> int:
        """Receipts that wait in memory because the disk refused them."""
        return len(self._spill)

    @property
    def is_full(self) -> bool:
        """Whether the spill has no room left: from here on receipts are lost."""
        return self._spilled_bytes >= self._spill_bytes

    def append(self, receipt: Receipt) -> None:
        """Write one receipt. When it returns, the kernel has it; if the disk refuses, it waits in memory."""
        with self._lock:
            self.appended += 1
            line = self._buffer
            try:
                self._encode_into(receipt, line)
            except UnicodeEncodeError:  # a lone surrogate from somebody's JSON
                line[:] = msgspec.json.encode(without_surrogates(msgspec.to_builtins(receipt)))
            line += b"\n"
            if not self._write_spilled() or not self._write(line):
                self._keep(bytes(line))

    def retry(self) -> bool:
        """Write what waits in memory; False when the disk still refuses."""
        if not self._spill:
            return True
        with self._lock:
            return self._write_spilled()

    def finish_segment(self) -> None:
        """Close the current segment; the next append opens another."""
        with self._lock:
            self._close_segment()

    def close(self) -> None:
        """Close the segment and release the folder, which goes if the drainer has emptied it."""
        with self._lock:
            self._close_segment()
            claim, self.claim = self.claim, None
        if claim is not None:
            claim.release()

    def _write(self, line: bytes | bytearray) -> bool:
        try:
            if self._file < 0 or self._is_due():
                self._open_segment()
            written = os.write(self._file, line)
            if written == len(line):
                self._size += written
                return True
            self._take_back_half_line()
        except OSError:
            pass
        self.failures += 1
        if self._size:  # the fault may be the file's (its size limit, a bad block): go on in another
            self._close_segment()
        return False

    def _take_back_half_line(self) -> None:
        try:
            os.ftruncate(self._file, self._size)
        except OSError:  # then it stays a torn last line
            self._close_segment()

    def _is_due(self) -> bool:
        return self._size >= self._segment_bytes or (
            self._size > 0 and self._clock() - self._opened >= self._segment_seconds
        )

    def _open_segment(self) -> None:
        self._close_segment()
        if self.claim is not None and not self.claim.path.exists():  # somebody has tidied up
            self.claim.release()
            self.claim = None
        if self.claim is None:
            self.claim = claim_own(self.folder)
        path = self.claim.path / segment_name(self.number)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._opened = self._clock()

    def _close_segment(self) -> None:
        file, self._file, self._size = self._file, -1, 0
        if file < 0:
            return
        try:
            os.close(file)
        except OSError:  # closed it is all the same, and its number may soon be another file's. Source: close(2)
            self.failures += 1
        self.number += 1  # only now: the drainer deletes what is finished

    def _write_spilled(self) -> bool:
        while self._spill:
            if not self._write(self._spill[0]):
                return False
            self._spilled_bytes -= len(self._spill.popleft())
        return True

    def _keep(self, line: bytes) -> None:
        if self.is_full:
            self.lost += 1
            return
        self._spill.append(line)
        self._spilled_bytes += len(line)


def without_surrogates(value: object) -> object:
    """The same value with every lone surrogate replaced by "?", for it has no UTF-8."""
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {without_surrogates(name): without_surrogates(item) for name, item in value.items()}
        case list() | tuple():
            return [without_surrogates(item) for item in value]
    return value
