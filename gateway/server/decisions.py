"""The last decisions, kept whole in memory so that each can be explained candidate by candidate."""

from collections import OrderedDict

from msgspec import Struct

from gateway.accounting.receipt import Receipt
from gateway.routing.plan import Decision

CAPACITY = 1_000  # a decision refers to arrays shared with others of the same 100 ms, so this is about 3 MB


class Remembered(Struct, frozen=True, gc=False):
    decision: Decision | None  # None: refused before anything was decided
    receipt: Receipt


class Decisions:
    """Bounded; the oldest leaves first. Older receipts are in the ledger, without the losers' figures."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, Remembered] = OrderedDict()

    def keep(self, decision: Decision | None, receipt: Receipt) -> None:
        self._kept[receipt.id] = Remembered(decision, receipt)
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)

    def find(self, decision_id: str) -> Remembered | None:
        return self._kept.get(decision_id)
