"""What every endpoint shares: the live snapshot, the pool, admission, callers and the sinks for receipts."""

from collections.abc import Callable, Sequence

from gateway.accounting.receipt import Receipt
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
from gateway.server.replays import Replays
from gateway.settings.schema import ServerSettings
from gateway.transport.send import Transport

MOST_REPLAYS = 10_000
MOST_REPLAYED_BYTES = 64 * 2**20


class State:
    """One per process. `sinks` receive each finished receipt in order; the first is the journal."""

    def __init__(self, live: Live, transport: Transport, sinks: Sequence[Callable[[Receipt], None]]) -> None:
        self.live = live
        self.transport = transport
        self.decisions = Decisions()
        self.ids = Ids()
        self.retries = RetryBudget()
        self.hedges = HedgeBudget()
        self.sessions = SessionMemory()
        self.replays = Replays(MOST_REPLAYS, MOST_REPLAYED_BYTES)
        self.gate = Gate(live.current.settings.server.max_in_flight, memory_limit(live.current.settings.server))
        self.callers = Callers(live.current.settings.keys)
        self.is_ready = True
        self._sinks = tuple(sinks)
        live.on_swap(self._follow)

    def record(self, receipt: Receipt, decision: Decision | None) -> None:
        """Hand a finished receipt to everyone who wants it. Called before the answer's last byte leaves."""
        self.decisions.keep(decision, receipt)
        for sink in self._sinks:
            sink(receipt)

    def _follow(self, snapshot: Snapshot) -> None:
        self.gate.max_in_flight = snapshot.settings.server.max_in_flight
        self.gate.max_memory_bytes = memory_limit(snapshot.settings.server)
        self.callers = Callers(snapshot.settings.keys)


def memory_limit(settings: ServerSettings) -> int:
    """Bytes that the process may use; 0 for no limit."""
    return settings.max_memory_mib * 2**20 or stated_limit()
