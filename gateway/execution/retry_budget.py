"""How many further tries the whole process may spend: when everybody is down, trying on is what keeps them down."""

from math import exp

# Finagle's figures: a fifth of the requests, and ten a second besides, so that few requests are never held back.
SHARE = 0.2
PER_SECOND = 10.0
WINDOW_SECONDS = 10.0  # for which a request or a try is remembered, fading
# Calls while every target is out, to find out who is back: our fault matrix allows one for twenty requests.
PANIC_SHARE = 0.03
PANIC_PER_SECOND = 1.0


class RetryBudget:
    """Counts requests and their further tries, both fading. `now` is monotonic seconds.

    A request's first try is free, and so is its first fallback, or one provider's outage would use the budget up.
    """

    __slots__ = ("_panics", "_requests", "_since", "_tries")

    def __init__(self) -> None:
        self._requests = 0.0
        self._tries = 0.0
        self._panics = 0.0
        self._since = 0.0

    def request(self, now: float) -> None:
        """A request came."""
        self._fade(now)
        self._requests += 1.0

    def allows(self, now: float) -> bool:
        """Whether one more try may be spent; it is, if so."""
        if self.left(now) < 1.0:
            return False
        self._tries += 1.0
        return True

    def left(self, now: float) -> float:
        """How many tries it would allow now."""
        self._fade(now)
        return SHARE * self._requests + PER_SECOND * WINDOW_SECONDS - self._tries

    def allows_panic(self, now: float) -> bool:
        """Whether a target that is out may be called, because all are; it is, if so."""
        self._fade(now)
        if self._panics + 1.0 > PANIC_SHARE * self._requests + PANIC_PER_SECOND * WINDOW_SECONDS:
            return False
        self._panics += 1.0
        return True

    def _fade(self, now: float) -> None:
        kept = exp((self._since - now) / WINDOW_SECONDS)
        self._requests *= kept
        self._tries *= kept
        self._panics *= kept
        self._since = now
