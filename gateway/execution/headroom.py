"""What good answers say of the requests and tokens that a key still has, and what follows for the next request.

Sources: developers.openai.com/api/docs/guides/rate-limits (a reset is when the limit is whole again, so it fills up
until then), console.groq.com/docs/rate-limits (per day and per minute), inference-docs.cerebras.ai/support/rate-limits
(names that end in -day and -minute), all read 2026-11-23. What a header says makes a target less likely, never
impossible: it may be stale, shared with others or absurd.
"""

from collections.abc import Mapping

from msgspec import Struct

from gateway.providers.wait import reset_seconds

RESERVE = 0.1  # share of a limit under which availability falls, as far as 0 when nothing is left
UNSTATED_SECONDS = 5.0  # until the reset, where none is stated or it cannot be read

# (remaining, limit, reset)
NAMES = tuple(
    (f"x-ratelimit-remaining-{what}", f"x-ratelimit-limit-{what}", f"x-ratelimit-reset-{what}")
    for what in ("requests", "tokens", "requests-day", "tokens-minute")
) + tuple(
    (f"anthropic-ratelimit-{what}-remaining", f"anthropic-ratelimit-{what}-limit", f"anthropic-ratelimit-{what}-reset")
    for what in ("requests", "tokens", "input-tokens", "output-tokens")
)


class Shortage(Struct, frozen=True, gc=False):
    """A limit of which less than the reserve is left."""

    share: float  # of the reserve, 0-1; at `since`
    since: float  # monotonic second
    until: float  # when the limit is whole again

    def factor(self, now: float) -> float:
        """What availability is multiplied by, 0-1. A limit with something left fills up evenly; an empty one is empty
        until its reset, for some fill up at once then and not before.
        """
        if now >= self.until:
            return 1.0
        if self.share <= 0.0:
            return 0.0
        return self.share + (1.0 - self.share) * (now - self.since) / (self.until - self.since)


class Headroom:
    """The shortages of all targets of one snapshot, by column and key. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._short: dict[tuple[int, int], Shortage] = {}

    def heard(self, column: int, key: int, headers: Mapping[str, str], now: float, now_unix: float) -> None:
        """A good answer came; what it says replaces what was known of the same key."""
        worst: Shortage | None = None
        for remaining, limit, reset in NAMES:
            left = headers.get(remaining)
            if left is not None and (share := share_left(left, headers.get(limit))) < 1.0:
                wait = reset_seconds(headers.get(reset, ""), headers.get("date", ""), now_unix)
                found = Shortage(share, now, now + (UNSTATED_SECONDS if wait is None else wait))
                if worst is None or (found.share, -found.until) < (worst.share, -worst.until):
                    worst = found
        if worst is not None:
            self._short[column, key] = worst
        elif self._short:
            self._short.pop((column, key), None)

    def is_spent(self, column: int, key: int, now: float) -> bool:
        """Whether this key will be refused, by what was last heard."""
        short = self._short.get((column, key))
        return short is not None and short.factor(now) <= 0.0

    def factors(self, key_counts: Mapping[int, int], now: float) -> dict[int, float]:
        """What the availability of each column that is short is multiplied by: that of its best key.

        key_counts: column -> number of its provider's keys, where it is not one.
        """
        for which in [which for which, short in self._short.items() if short.until <= now]:
            del self._short[which]
        by_column: dict[int, list[float]] = {}
        for (column, _), short in self._short.items():
            by_column.setdefault(column, []).append(short.factor(now))
        return {
            column: max(factors) if len(factors) == key_counts.get(column, 1) else 1.0
            for column, factors in by_column.items()
        }

    def adopt(self, column: int, old: "Headroom", before: int) -> None:
        """Take over what an earlier snapshot had heard of a target."""
        self._short.update({(column, key): short for (place, key), short in old._short.items() if place == before})


def share_left(remaining: str, limit: str | None) -> float:
    """Share of the reserve that is left, 0-1; 1 where a header cannot be read or the limit is not known."""
    try:
        left = float(remaining)
        if left <= 0.0:
            return 0.0
        share = left / (RESERVE * float(limit)) if limit is not None else 1.0
    except (ValueError, ZeroDivisionError):
        return 1.0
    return share if 0.0 < share < 1.0 else 1.0  # nothing of an endless or negative limit is believed
