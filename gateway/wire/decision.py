"""How a candidate stood in a decision: what receipts keep and what the `steelyard` object shows."""

from msgspec import Struct


class Share(Struct, frozen=True, gc=False):
    """One dimension of a score."""

    figure: float | None  # raw, in the dimension's unit
    unit: str
    utility: float  # 0-1; where the score is money the figure, above zero where that is good
    weight: float  # weights of a router sum to 1; where the score is money, USD per unit
    contribution: float  # weight x utility
    estimated: bool = False


class Standing(Struct, frozen=True, gc=False):
    """A candidate's place in a decision."""

    target: str
    score: float
    dimensions: dict[str, Share] = {}
    rank: int = 0  # place in the plan, 1 is tried first; 0: it was not in the plan until others had failed
