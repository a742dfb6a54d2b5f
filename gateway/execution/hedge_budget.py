"""How many second calls the whole process may make for the sake of speed: at most one for twenty requests."""

REQUESTS_PER_CALL = 20
MOST_SAVED = 10  # calls: when a provider slows down for everybody, no more than these are made at once


class HedgeBudget:
    """Earns with every request that may be hedged, and pays with every call that is made besides. Needs no clock.

    It starts empty, so at no time have the calls been more than 5 % of the requests.
    """

    __slots__ = ("_saved",)

    def __init__(self) -> None:
        self._saved = 0  # requests

    @property
    def has_room(self) -> bool:
        """Whether one more call may be made."""
        return self._saved >= REQUESTS_PER_CALL

    def earn(self) -> None:
        """A request came that may be hedged."""
        self._saved = min(self._saved + 1, REQUESTS_PER_CALL * MOST_SAVED)

    def pay(self) -> None:
        """A second call is made."""
        self._saved -= REQUESTS_PER_CALL
