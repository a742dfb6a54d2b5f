"""What shadow evaluations have cost today, a day being one of UTC. The ledger knows it from one process to the next."""

import asyncio
from pathlib import Path
from time import time

from gateway.accounting.sqlite_ledger import SqliteLedger
from gateway.settings.names import SHADOW

DAY_SECONDS = 86_400
NANO_PER_USD = 1_000_000_000


class DayBudget:
    """Begins anew each day."""

    def __init__(self, place: Path) -> None:
        """place: of the ledger."""
        self._place = place
        self._day = 0  # since 1970; 0: what was spent today is not known yet
        self._spent_nano_usd = 0
        self._asking = asyncio.Lock()

    @property
    def spent_usd(self) -> float:
        """Today, as far as this process knows."""
        return self._spent_nano_usd / NANO_PER_USD

    def pay(self, nano_usd: int) -> None:
        """Something was bought."""
        self._spent_nano_usd += nano_usd

    def is_used_up(self, usd: float) -> bool:
        """Whether nothing is left today of so much."""
        today = int(time() // DAY_SECONDS)
        if self._day and today != self._day:
            self._day, self._spent_nano_usd = today, 0
        return self._spent_nano_usd >= usd * NANO_PER_USD

    async def recall(self) -> None:
        """Ask the ledger, once, what a process before this one has spent of today. Raises LedgerUnavailable."""
        async with self._asking:
            if self._day:
                return
            now = time()
            day = int(now // DAY_SECONDS)
            usage = SqliteLedger(self._place).usage
            rows = await asyncio.to_thread(usage, day * DAY_SECONDS, now, "total", SHADOW)
            self._day, self._spent_nano_usd = day, sum(row.cost_nano_usd for row in rows)
