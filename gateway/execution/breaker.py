"""A circuit breaker per target, as a table of transitions. Time is an argument; the caller holds the clock."""

import enum


class State(enum.Enum):
    CLOSED = "closed"  # calls pass
    OPEN = "open"  # none pass until it has cooled
    HALF_OPEN = "half_open"  # one probe is under way


class Signal(enum.Enum):
    SUCCESS = "success"
    TRIP = "trip"  # a failure that crosses the threshold
    COOLED = "cooled"  # the wait is over and a call wants through


TRANSITIONS: dict[State, dict[Signal, State]] = {
    State.CLOSED: {Signal.SUCCESS: State.CLOSED, Signal.TRIP: State.OPEN},
    State.OPEN: {Signal.COOLED: State.HALF_OPEN, Signal.SUCCESS: State.CLOSED, Signal.TRIP: State.OPEN},
    State.HALF_OPEN: {Signal.SUCCESS: State.CLOSED, Signal.TRIP: State.OPEN},
}

CONSECUTIVE_FAILURES = 5
WINDOW_SECONDS = 10.0
WINDOW_CALLS = 10
FAILURE_SHARE = 0.5
FIRST_OPEN_SECONDS = 5.0
LONGEST_OPEN_SECONDS = 300.0
PROBE_SECONDS = 30.0  # a probe that never reports back frees its place after this


class Breaker:
    """Opens on 5 failures in a row, or when at least half of 10 or more calls within 10 s failed.

    It stays open for 5 s, doubled on each trip that follows without a success, up to 5 min; then one probe passes.
    """

    __slots__ = ("_calls", "_failures", "_in_a_row", "_open_until", "_probe_until", "_trips", "_window_from", "state")

    def __init__(self) -> None:
        self.state = State.CLOSED
        self._in_a_row = 0
        self._trips = 0
        self._open_until = 0.0
        self._probe_until = 0.0
        self._window_from = 0.0
        self._calls = 0
        self._failures = 0

    def is_out(self, now: float) -> bool:
        """True while no ordinary call should choose this target; asking changes nothing."""
        if self.state is State.CLOSED:
            return False
        return now < (self._open_until if self.state is State.OPEN else self._probe_until)

    def out_seconds(self, now: float) -> float:
        """Until a call may pass, 0 or more."""
        if self.state is State.CLOSED:
            return 0.0
        return max((self._open_until if self.state is State.OPEN else self._probe_until) - now, 0.0)

    def admits(self, now: float) -> bool:
        """May a call pass now? After cooling the first to ask becomes the probe; the next must wait for its outcome."""
        if self.state is State.CLOSED:
            return True
        if self.is_out(now):
            return False
        if self.state is State.OPEN:
            self._move(Signal.COOLED)
        self._probe_until = now + PROBE_SECONDS
        return True

    def succeeded(self, now: float) -> None:
        """A call was answered."""
        self._count(now, failed=False)
        self._in_a_row = 0
        self._trips = 0
        self._move(Signal.SUCCESS)

    def failed(self, now: float) -> None:
        """A call failed for a reason that says something about the target's health."""
        self._count(now, failed=True)
        self._in_a_row += 1
        if self.state is State.HALF_OPEN or self._over_threshold():
            self._trips += 1
            self._open_until = now + min(FIRST_OPEN_SECONDS * 2.0 ** (self._trips - 1), LONGEST_OPEN_SECONDS)
            self._in_a_row = self._calls = self._failures = 0
            self._move(Signal.TRIP)

    def released(self) -> None:
        """A call ended without saying anything about the target's health: were it the probe, another may be sent."""
        self._probe_until = 0.0

    def _over_threshold(self) -> bool:
        share_is_bad = self._calls >= WINDOW_CALLS and self._failures >= FAILURE_SHARE * self._calls
        return self._in_a_row >= CONSECUTIVE_FAILURES or share_is_bad

    def _count(self, now: float, *, failed: bool) -> None:
        if now - self._window_from > WINDOW_SECONDS:
            self._window_from = now
            self._calls = self._failures = 0
        self._calls += 1
        self._failures += failed

    def _move(self, signal: Signal) -> None:
        self.state = TRANSITIONS[self.state][signal]
