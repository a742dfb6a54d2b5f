"""What tokens cost and emit at a target."""

from msgspec import Struct

from gateway.accounting.carbon import NO_CARBON, Carbon, carbon_of
from gateway.execution.lines import Line
from gateway.wire.delta import Usage


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


NOTHING_SPENT = Spent(Usage(), 0, NO_CARBON)


def priced(usage: Usage, line: Line, images: int) -> Spent:
    """This usage at this target's prices. images: of the input, 0 or more."""
    carbon = None if line.emission is None else carbon_of(usage, line.emission)
    return Spent(usage, line.prices.cost_nano_usd(usage, images), carbon)
