"""What tokens cost and emit at a target."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from gateway.accounting.carbon import NO_CARBON, Carbon, carbon_of
from gateway.execution.lines import Line
from gateway.wire.delta import Usage

COUNTS = tuple(name for name in Usage.__struct_fields__ if name != "estimated")


class Spent(Struct, frozen=True, gc=False):
    """What an answer used, cost and emitted."""

    usage: Usage
    cost_nano_usd: int | None  # None: no price is known
    carbon: Carbon | None  # None: nobody has measured the model

    def plus(self, other: "Spent") -> "Spent":
        """The money and the carbon of both; the usage is this one's, since tokens of two models are no sum.

        Unknown as soon as one part is.
        """
        mine, others = self.cost_nano_usd, other.cost_nano_usd
        cost = None if mine is None or others is None else mine + others
        carbon = None if self.carbon is None or other.carbon is None else self.carbon.plus(other.carbon)
        return Spent(self.usage, cost, carbon)

    def with_earlier(self, parts: Sequence["Spent"]) -> "Spent":
        """All of an answer whose earlier parts came from others: each of them read the prompt, and was paid for it."""
        whole = self
        for part in parts:
            whole = replace(whole.plus(part), usage=added(whole.usage, part.usage))
        return whole


NOTHING_SPENT = Spent(Usage(), 0, NO_CARBON)


def added(one: Usage, other: Usage) -> Usage:
    """The tokens of both."""
    counts = (getattr(one, name) + getattr(other, name) for name in COUNTS)
    return Usage(**dict(zip(COUNTS, counts, strict=True)), estimated=one.estimated or other.estimated)


def priced(usage: Usage, line: Line, images: int) -> Spent:
    """This usage at this target's prices. images: of the input, 0 or more."""
    carbon = None if line.emission is None else carbon_of(usage, line.emission)
    return Spent(usage, line.prices.cost_nano_usd(usage, images), carbon)
