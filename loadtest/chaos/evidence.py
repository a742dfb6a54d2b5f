"""What is known of one cell once it has been played: the caller's side, the provider's log, the gateway's receipt."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from gateway.simulator.log import Entry
from loadtest.chaos.caller import Heard
from loadtest.chaos.cells import Cell, Seat
from loadtest.chaos.formats import Told

LOG = msgspec.json.Decoder(list[Entry])
MARK = "x-seat-"


class Evidence(Struct, frozen=True):
    """Everything that the checks look at."""

    cell: Cell
    seats: list[Seat]
    heard: Heard
    told: Told  # empty when the status is not 200
    reference: list[str]  # the text of a good answer, token by token
    bad_reference: list[str]  # of the answer that the faulty provider gives, where it gives one
    calls: Mapping[str, list[Entry]]  # mark -> what that candidate received
    receipt: dict[str, Any] | None  # None: it cannot be seen from outside
    is_outside: bool = False  # a foreign gateway: its calls and receipts are not ours to see

    def calls_of(self, is_bad: bool) -> list[Entry]:
        """Of the candidates with the fault, or of the one that is well."""
        return [entry for seat in self.seats if seat.is_bad is is_bad for entry in self.calls.get(seat.mark, ())]

    @property
    def is_good(self) -> bool:
        """A whole answer came."""
        return self.heard.status == 200 and not self.told.errors


def by_mark(logs: Iterable[bytes]) -> dict[str, list[Entry]]:
    """The simulators' logs, by candidate."""
    found: dict[str, list[Entry]] = {}
    for entry in [entry for log in logs for entry in LOG.decode(log)]:
        for name in entry.header_names:
            if name.startswith(MARK):
                found.setdefault(name, []).append(entry)
    return found
