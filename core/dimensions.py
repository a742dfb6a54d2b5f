"""The table of scoring dimensions. Settings, explanations, dashboard and documentation all read it."""

from typing import Literal, NamedTuple


class Dimension(NamedTuple):
    """One thing that a router may weigh.

    A figure becomes a utility in [0, 1] by a fixed curve between two anchors: 1 at `good`, 0 at `bad`, clipped outside.
    "log": (ln bad - ln figure) / (ln bad - ln good). "linear": (figure - bad) / (good - bad).
    The curve never depends on the other candidates, so one target's entry cannot reorder the rest.

    In money there is no curve: what counts is how far the figure is above `free` (below it on a "log" dimension, where
    less is better), at so many USD a unit.
    """

    name: str
    unit: str
    curve: Literal["log", "linear"]
    good: float
    bad: float
    free: float  # the figure at which nothing is won or lost, in money
    meaning: str

    @property
    def sign(self) -> float:
        """1 where more is better, -1 where less is."""
        return -1.0 if self.curve == "log" else 1.0


DIMENSIONS: tuple[Dimension, ...] = (
    Dimension("cost", "USD", "log", 0.0001, 0.30, 0.0, "price of this request: input, cached input, output, images"),
    Dimension("latency", "s", "log", 0.3, 60.0, 0.0, "time until the answer is useful, sooner for a stream"),
    Dimension("quality", "probability", "linear", 0.95, 0.30, 0.0, "probability that the answer is good for this task"),
    Dimension("availability", "probability", "linear", 1.0, 0.5, 1.0, "probability that the attempt succeeds now"),
    Dimension("carbon", "gCO2e", "log", 0.001, 10.0, 0.0, "greenhouse gas of this request"),
)
INDEX: dict[str, int] = {dimension.name: row for row, dimension in enumerate(DIMENSIONS)}
