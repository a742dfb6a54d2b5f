"""The table of scoring dimensions. Settings, explanations, dashboard and documentation all read it."""

from typing import Literal, NamedTuple


class Dimension(NamedTuple):
    """One thing that a router may weigh.

    A figure becomes a utility in [0, 1] by a fixed curve between two anchors: 1 at `good`, 0 at `bad`, clipped outside.
    "log": (ln bad - ln figure) / (ln bad - ln good). "linear": (figure - bad) / (good - bad).
    The curve never depends on the other candidates, so one target's entry cannot reorder the rest.
    """

    name: str
    unit: str
    curve: Literal["log", "linear"]
    good: float
    bad: float
    meaning: str


DIMENSIONS: tuple[Dimension, ...] = (
    Dimension("cost", "USD", "log", 0.0001, 0.30, "price of this request: input, cached input, output, images"),
    Dimension("latency", "s", "log", 0.3, 60.0, "time until the answer is useful, sooner for a stream"),
    Dimension("quality", "probability", "linear", 0.95, 0.30, "probability that the answer is good, for this task"),
    Dimension("availability", "probability", "linear", 1.0, 0.5, "probability that the attempt succeeds now"),
    Dimension("carbon", "gCO2e", "log", 0.001, 10.0, "greenhouse gas of this request"),
)
INDEX: dict[str, int] = {dimension.name: row for row, dimension in enumerate(DIMENSIONS)}
