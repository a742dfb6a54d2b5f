"""What every endpoint shares: the live snapshot, the pool, admission, callers and the sinks for receipts."""

from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path

from gateway.accounting.receipt import Receipt
from gateway.counters.neighbours import Neighbours
from gateway.execution.hedge_budget import HedgeBudget
from gateway.execution.retry_budget import RetryBudget
from gateway.live import Live, Snapshot
from gateway.routing.plan import Decision
from gateway.routing.session import SessionMemory
from gateway.server.auth import Callers
from gateway.server.decisions import Decisions
from gateway.server.ids import Ids
from gateway.server.limits import Gate
from gateway.server.memory import stated_limit
from gateway.server.replays import REPLAY, Replays
from gateway.server.shadow import Shadows
from gateway.settings.schema import ServerSettings
from gateway.transport.send import Transport

CALM = 0.5  # share of the requests that may be in flight
MOST_REPLAYS = 10_000
MOST_REPLAYED_BYTES = 64 * 2**20


class State:
    """One per process. `sinks` receive each finished receipt in order; the first is the journal."""

    def __init__(
        self,
        live: Live,
        transport: Transport,
        sinks: Sequence[Callable[[Receipt], None]],
        neighbours: Neighbours | None = None,
    ) -> None:
        """neighbours: the other workers of this host; the limits of `server` are divided among all."""
        self.live = live
        self.neighbours = neighbours or Neighbours()
        self.transport = transport
        self.decisions = Decisions()
        self.ids = Ids()
        self.retries = RetryBudget()
        self.hedges = HedgeBudget()
        self.sessions = SessionMemory()
        self.replays = Replays(MOST_REPLAYS, MOST_REPLAYED_BYTES, self.neighbours.number)
        self.neighbours.on(REPLAY, self.replays.asked_by_another)
        self.gate = Gate(0)
        self.callers = Callers(live.current.settings.keys)
        self.is_ready = True
        draws_for = self.neighbours.count if self.neighbours.number == 0 else 0
        place = Path(live.current.settings.ledger.path)
        self.shadows = Shadows(place, self.record, self._is_calm, draws_for)
        self._sinks = tuple(sinks)
        self._follow(live.current)
        live.on_swap(self._follow)

    def record(self, receipt: Receipt, decision: Decision | None) -> None:
        """Hand a finished receipt to everyone who wants it. Called before the answer's last byte leaves."""
        self.decisions.keep(decision, receipt)
        for sink in self._sinks:
            sink(receipt)

    def _follow(self, snapshot: Snapshot) -> None:
        server, workers = snapshot.settings.server, self.neighbours.count
        self.gate.max_in_flight = ceil(server.max_in_flight / workers)
        self.gate.max_memory_bytes = memory_limit(server) // workers
        self.callers = Callers(snapshot.settings.keys)
        self.shadows.follow(snapshot)

    def _is_calm(self) -> bool:
        """Whether there is room for more than what callers ask for."""
        return self.is_ready and self.gate.in_flight <= CALM * self.gate.max_in_flight


def memory_limit(settings: ServerSettings) -> int:
    """Bytes that the process may use; 0 for no limit."""
    return settings.max_memory_mib * 2**20 or stated_limit()
