"""How many requests a provider takes at once with one key: found out by its refusals, as TCP finds out a line's width.

Source of the rule: additive increase, multiplicative decrease (Chiu and Jain, 1989).
"""

from math import inf

DECREASE = 0.8  # of what was under way when the provider had no room
IN_USE = 0.8  # share of the limit that has to be in use for an answer to say that there may be room for more
FORGOTTEN = 1_000.0  # a limit that has grown so far is none


class ConcurrencyLimit:
    """Requests under way with one key of one provider, and how many there may be."""

    __slots__ = ("limit", "under_way")

    def __init__(self) -> None:
        self.under_way = 0
        self.limit = inf

    @property
    def has_room(self) -> bool:
        return self.under_way < self.limit

    def began(self) -> None:
        """A request was sent."""
        self.under_way += 1

    def answered(self) -> None:
        """One was answered whole."""
        if self.limit < inf and self.under_way >= IN_USE * self.limit:
            self.limit += 1.0 / self.limit
            if self.limit > FORGOTTEN:
                self.limit = inf
        self.ended()

    def crowded(self) -> None:
        """One was refused because there are too many."""
        self.limit = max(1.0, DECREASE * min(self.limit, self.under_way))
        self.ended()

    def ended(self) -> None:
        """One ended in a way that says nothing of how many there may be."""
        self.under_way -= 1
