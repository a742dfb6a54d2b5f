"""What tokens cost and emit at a target."""

from collections.abc import Sequence

from msgspec import Struct

from gateway.accounting.carbon import Carbon, carbon_of
from gateway.execution.lines import Line
from gateway.wire.delta import Usage

COUNTS = tuple(name for name in Usage.__struct_fields__ if name != "estimated")


class Spent(Struct, frozen=True, gc=False):
    """What an answer used, cost and emitted."""

    usage: Usage
    cost_nano_usd: int | None  # None: no price is known
    carbon: Carbon | None  # None: nobody has measured the model

    def with_earlier(self, parts: Sequence["Spent"]) -> "Spent":
        """All of an answer whose earlier parts came from others: each of them read the prompt, and was paid for it."""
        whole = self
        for part in parts:
            carbon = None if whole.carbon is None or part.carbon is None else whole.carbon.plus(part.carbon)
            cost = total(whole.cost_nano_usd, part.cost_nano_usd)
            whole = Spent(added(whole.usage, part.usage), cost, carbon)
        return whole


NOTHING_SPENT = Spent(Usage(), 0, None)


def priced(usage: Usage, line: Line, images: int) -> Spent:
    """This usage at this target's prices. images: of the input, 0 or more."""
    carbon = None if line.emission is None else carbon_of(usage, line.emission)
    return Spent(usage, line.prices.cost_nano_usd(usage, images), carbon)


def added(one: Usage, other: Usage) -> Usage:
    """The tokens of both."""
    counts = (getattr(one, name) + getattr(other, name) for name in COUNTS)
    return Usage(**dict(zip(COUNTS, counts, strict=True)), estimated=one.estimated or other.estimated)


def total(one: int | None, other: int | None) -> int | None:
    """The money of both, in nano-dollars; unknown as soon as one part is."""
    return None if one is None or other is None else one + other
