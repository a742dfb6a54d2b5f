"""The simulator's own log, followed while a scenario runs: it keeps the latest 20,000 calls only."""

import threading
import time
from types import TracebackType

import msgspec

from gateway.simulator.log import Entry
from loadtest.chaos.caller import fetch

LOG = msgspec.json.Decoder(list[Entry])
LOOK_SECONDS = 1.0
SETTLING_SECONDS = 10.0  # for the last calls to end


class CallLog:
    """Every call of a simulator since it was entered."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._entries: dict[int, Entry] = {}
        self._after = 0  # every call up to this one has ended
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._follow)

    def __enter__(self) -> "CallLog":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def mark(self) -> int:
        """The number of the latest call, to ask for those after it."""
        self._look()
        return max(self._entries, default=0)

    def settled(self, after: int = 0) -> list[Entry]:
        """All calls with a higher number, once none is open any more, or 10 s later."""
        deadline = time.monotonic() + SETTLING_SECONDS
        while True:
            self._look()
            found = [entry for number, entry in sorted(self._entries.items()) if number > after]
            if all(entry.outcome != "open" for entry in found) or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def _follow(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        with self._lock:
            for entry in LOG.decode(fetch(self._url, f"/_sim/log?after={self._after}")):
                self._entries[entry.number] = entry
            while (known := self._entries.get(self._after + 1)) is not None and known.outcome != "open":
                self._after += 1
