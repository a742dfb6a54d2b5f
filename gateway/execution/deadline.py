"""A watch over a stream: it interrupts the reader when the provider makes no progress."""

import asyncio
from typing import Literal


class ProgressWatch:
    """Cancels the current task when the provider has been silent for `idle_seconds`, or at `until`.

    One timer per stream: noting progress is an attribute write, and the timer moves itself on when it fires early. Time
    spent writing to a slow caller is not the provider's silence and does not count.
    """

    def __init__(self, idle_seconds: float, until: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._idle = idle_seconds
        self._until = until  # in loop time
        self.waiting_since: float | None = self._loop.time()
        self.caller_seconds = 0.0  # spent in the caller's turns
        self._caller_since = 0.0
        self.overdue: Literal["", "idle", "total"] = ""  # which limit made it interrupt
        self._timer = self._loop.call_at(min(self._loop.time() + idle_seconds, until), self._look)

    def provider_turn(self) -> None:
        """The caller has taken it; from now on we wait for the provider."""
        self.waiting_since = now = self._loop.time()
        self.caller_seconds += now - self._caller_since

    def caller_turn(self) -> None:
        """From now on we wait for the caller to take what we have."""
        self.waiting_since = None
        self._caller_since = self._loop.time()

    def stop(self) -> None:
        """End the watch; safe to call twice."""
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        idle_until = now + self._idle if self.waiting_since is None else self.waiting_since + self._idle
        if now >= min(idle_until, self._until) and self._task is not None:
            self.overdue = "total" if now >= self._until else "idle"
            self._task.cancel()
        else:
            self._timer = self._loop.call_at(min(idle_until, self._until), self._look)
