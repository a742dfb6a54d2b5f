"""Notices when the event loop is held up, by whom, and for how long. A thread asks the loop for a sign of life.

uvloop shows neither the length of its steps nor a hook between them. A sign is asked for 20 times a second; a step that
is shorter than the pause between two signs is met with a chance of its length by that pause.
"""

import asyncio
import logging
import sys
import traceback
from collections.abc import Callable
from threading import Event, Thread, get_ident
from time import monotonic
from types import FrameType

log = logging.getLogger("steelyard.loop")

PAUSE_SECONDS = 0.05
LONG_SECONDS = 0.02  # DESIGN: no step on the loop is longer
WORD_SECONDS = 60.0  # between two warnings
DEEPEST = 6  # innermost frames that a warning names


class LoopWatch:
    """Counts the steps over 20 ms that it meets. Made on the loop that it watches; `start` begins, `stop` ends it."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self.long_steps = 0
        self.longest_seconds = 0.0
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._loop_thread = get_ident()
        self._alive = Event()
        self._stopping = Event()
        self._next_word = -float("inf")
        self._unsaid = 0  # long steps since the last warning
        self._thread = Thread(target=self._run, name="loop watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a sign of life that is awaited is not waited for."""
        self._stopping.set()
        self._alive.set()

    def _run(self) -> None:
        while not self._stopping.wait(PAUSE_SECONDS):
            self._ask()

    def _ask(self) -> None:
        self._alive.clear()
        asked_at = self._now()
        try:
            self._loop.call_soon_threadsafe(self._alive.set)
        except RuntimeError:  # the loop is closed
            self._stopping.set()
            return
        if self._alive.wait(LONG_SECONDS):
            return
        frame = sys._current_frames().get(self._loop_thread)
        stack = place(frame) if frame is not None else "unknown"
        self._alive.wait()
        if not self._stopping.is_set():
            self.held_up(self._now() - asked_at, stack)

    def held_up(self, seconds: float, stack: str) -> None:
        """Count a step of at least `seconds`; say so, unless another was mentioned within the minute."""
        self.long_steps += 1
        self._unsaid += 1
        self.longest_seconds = max(self.longest_seconds, seconds)
        now = self._now()
        if now >= self._next_word:
            self._next_word = now + WORD_SECONDS
            log.warning(
                "the event loop was held up for %.0f ms (%d times since the last word) in %s",
                seconds * 1e3, self._unsaid, stack,
            )  # fmt: skip
            self._unsaid = 0


def place(frame: FrameType) -> str:
    """The innermost calls, outermost first: "app.py:73 __call__ > json.py:9 loads". Names code, no values."""
    found = traceback.StackSummary.extract(traceback.walk_stack(frame), limit=DEEPEST, lookup_lines=False)[::-1]
    return " > ".join(f"{one.filename.rpartition('/')[2]}:{one.lineno} {one.name}" for one in found)
