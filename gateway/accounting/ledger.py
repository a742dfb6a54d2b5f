"""The ledger: where receipts stay, and what can be asked of them."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from gateway.accounting.receipt import Receipt

Grouping = Literal["router", "model", "provider", "target", "key", "task", "session", "outcome", "day", "hour", "total"]


class UsageRow(Struct, frozen=True):
    """What one group of requests used. Money in nano-dollars; seconds are those of requests that ended "ok"."""

    group: str  # a router's name, a day ("2026-11-22", UTC), ...; "" for requests without one
    requests: int
    failures: int  # ended "failed" or "cut"
    refused: int  # the caller's mistake
    fallbacks: int  # requests in which another than the first choice was asked
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nano_usd: int  # of the requests whose price is known
    unpriced: int  # requests without a known price
    estimated: int  # requests billed by our own count of tokens
    carbon_g: float  # gCO2e of the requests where it is known
    carbon_low_g: float  # and the ends of their bands, added up
    carbon_high_g: float
    carbon_unknown: int  # requests where it is not
    mean_seconds: float | None
    p50_seconds: float | None
    p95_seconds: float | None


class Ledger(Protocol):
    """A store of receipts. Writing is the drainer's, from one thread; reading is anybody's, from any.

    Every method raises LedgerUnavailable when the store cannot be reached.
    """

    def write(self, receipts: Sequence[Receipt]) -> None:
        """Store receipts; those whose id is stored already are left alone."""

    def write_lines(self, lines: Sequence[bytes], offsets: Mapping[str, int]) -> list[bytes]:
        """Store receipts as the journal has them, and how far its segments are drained, in one transaction.

        offsets: segment -> bytes. Returns the lines that are no receipts; they are not stored.
        """

    def offsets(self) -> dict[str, int]:
        """How far each segment of the journal is drained, in bytes."""

    def forget(self, segments: Sequence[str]) -> None:
        """Drop the offsets of segments that are about to be deleted."""

    def sync(self) -> bool:
        """Bring all that was written to the disk for good; False when readers delayed that."""

    def find(self, decision: str) -> Receipt | None:
        """The receipt of one decision, by its id."""

    def recent(
        self, limit: int, key: str | None = None, router: str | None = None, before: float | None = None
    ) -> list[Receipt]:
        """The newest receipts, newest first. before: Unix seconds, for the next page."""

    def usage(
        self, since: float, until: float, by: Grouping, key: str | None = None, router: str | None = None
    ) -> list[UsageRow]:
        """What requests that arrived in [since, until) used, in groups. Unix seconds.

        Days and hours come in their order, everything else by cost, the highest first.
        """

    def prune(self, before: float, limit: int) -> int:
        """Delete at most `limit` of the receipts older than `before` (Unix seconds); how many were deleted."""

    def close(self) -> None:
        """Give up what writing holds."""
