"""What tokens cost and emit at a target."""

from typing import TypeVar

from msgspec import Struct

from gateway.catalog.columns import Targets
from gateway.execution.lines import Line
from gateway.wire.delta import Usage

Number = TypeVar("Number", int, float)


class Spent(Struct, frozen=True, gc=False):
    """What an answer used, cost and emitted."""

    usage: Usage
    cost_nano_usd: int | None  # None: no price is known
    carbon_g: float | None

    def plus(self, other: "Spent") -> "Spent":
        """The money and the carbon of both; the usage is this one's, since tokens of two models are no sum."""
        return Spent(self.usage, total(self.cost_nano_usd, other.cost_nano_usd), total(self.carbon_g, other.carbon_g))


NOTHING_SPENT = Spent(Usage(), 0, 0.0)


def priced(usage: Usage, line: Line, images: int, targets: Targets) -> Spent:
    """This usage at this target's prices. images: of the input, 0 or more."""
    return Spent(usage, line.prices.cost_nano_usd(usage, images), carbon_g(usage, line, targets))


def carbon_g(usage: Usage, line: Line, targets: Targets) -> float | None:
    """gCO2e of this usage, by the target's grams per token. Nobody has measured models that make embeddings."""
    if targets.models[line.column].embeds:
        return None
    fresh, cached, output = targets.matrix.carbon[:, line.column].tolist()
    fresh_tokens = usage.input_tokens - usage.cached_tokens
    return float(fresh * fresh_tokens + cached * usage.cached_tokens + output * usage.output_tokens)


def total(one: Number | None, other: Number | None) -> Number | None:
    """Unknown as soon as one part is."""
    return None if one is None or other is None else one + other
