"""How long a replay takes: 100,000 past requests in a ledger, decided again by two sets of rules, over all targets."""

import os
import sys
import tempfile
from collections.abc import Iterator
from math import inf
from pathlib import Path
from time import perf_counter

import msgspec
import numpy as np

from core.predictor import TASKS
from gateway import bootstrap
from gateway.accounting.past import past_requests
from gateway.accounting.receipt import Receipt
from gateway.accounting.sqlite_ledger import SqliteLedger
from gateway.catalog.columns import Targets
from gateway.providers.table import load_table
from gateway.replay.compare import compare
from gateway.replay.engine import Rules
from gateway.routing.replayable import ENCODE, VERSION, Replayable, marks_of, packed_view
from gateway.settings.schema import RouterSettings, Settings
from gateway.wire.delta import Usage

REQUESTS = 100_000
PER_VIEW = 10  # requests that share their live figures
TOUCHED = 30  # targets of which something is known
BATCH = 5_000
DUE_SECONDS = 10.0


def rules_of(settings: Settings) -> Rules:
    """Over every provider of the table, as if each had a key."""
    keys = {provider.key_env[0]: "pretended" for provider in load_table().values() if provider.key_env}
    chat = bootstrap.first_snapshot(settings, keys).chat
    return Rules(chat.targets, chat.selector)


def receipts(targets: Targets) -> Iterator[Receipt]:
    """Made-up requests with figures of real sizes."""
    rng, marks, n = np.random.default_rng(1), marks_of(targets), len(targets.ids)
    view = b""
    for number in range(REQUESTS):
        if number % PER_VIEW == 0:
            availability = targets.prior.availability.copy()
            availability[rng.integers(0, n, TOUCHED)] *= np.float32(rng.random())
            view = packed_view(targets.prior._replace(availability=availability), targets.prior, marks)
        read, written = np.exp(rng.uniform(np.log(20.0), np.log((30_000.0, 2_000.0)))).tolist()
        packed = Replayable(VERSION, read, written, 0.0, 0.0, 0, True, False, (), None, 0.0, False, (), b"", view)
        yield Receipt(
            id=f"dec_{number}", time=float(number), key="", router="auto", dialect="openai_chat", requested="auto",
            target=targets.ids[0], model="", provider="", status=200, outcome="ok", stream=True, fallback=False,
            usage=Usage(), cost_nano_usd=1, cost_estimated=False, carbon_g=None, seconds=1.0, first_token_seconds=None,
            overhead_seconds=0.0, task=TASKS[number % len(TASKS)], session="", catalog_version="1",
            decided=ENCODE(packed),
        )  # fmt: skip


def main() -> int:
    """Exit status: 1 when it takes longer than it may."""
    before = rules_of(Settings())
    after = rules_of(Settings(routers={"auto": RouterSettings(weights={"cost": 0.5, "quality": 0.5})}))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        ledger, batch = SqliteLedger(path), []
        for receipt in receipts(before.targets):
            batch.append(msgspec.json.encode(receipt))
            if len(batch) == BATCH:
                ledger.write_lines(batch, {})
                batch.clear()
        ledger.close()
        started = perf_counter()
        past = list(past_requests(path, 0.0, inf, "auto", REQUESTS))
        read = perf_counter()
        found = compare("auto", past, before, after)
        seconds = (read - started, (perf_counter() - read) / 2)
        size = os.path.getsize(path)
    told = f"{found.requests:,} requests x {len(before.targets.ids):,} targets"
    print(f"{told}: read in {seconds[0]:.1f} s, decided in {seconds[1]:.1f} s a set of rules; {found.changed:,} change")
    print(f"{size / REQUESTS:,.0f} bytes of ledger a request, of which {len(past[0].decided)} to decide it again")
    return 0 if sum(seconds) < DUE_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
