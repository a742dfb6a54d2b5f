"""What a request emitted: grams as a band, with the method, the place and the source that they rest on."""

from msgspec import Struct
from msgspec.structs import replace

from gateway.catalog.carbon import METHOD, Emission
from gateway.wire.delta import Usage


class Carbon(Struct, frozen=True, gc=False):
    """gCO2e of one request. The ends of the band say how little is known, not how the figure may vary."""

    g: float
    low_g: float
    high_g: float
    region: str  # ISO-3 country whose electricity was counted; "": unknown, so the world's
    grid_g_per_kwh: float
    source: str  # of the model's size or energy
    method: str = METHOD

    def plus(self, other: "Carbon") -> "Carbon":
        """The grams of both; the rest is said of this one."""
        return replace(self, g=self.g + other.g, low_g=self.low_g + other.low_g, high_g=self.high_g + other.high_g)


def carbon_of(usage: Usage, emission: Emission) -> Carbon:
    """The carbon of this usage. usage: settled."""
    fresh, cached, output = usage.input_tokens - usage.cached_tokens, usage.cached_tokens, usage.output_tokens
    low, expected, high = (
        fresh * per_input + cached * per_cached + output * per_output
        for per_input, per_cached, per_output in zip(emission.input, emission.cached, emission.output, strict=True)
    )
    return Carbon(expected, low, high, emission.region, emission.grid_g_per_kwh, emission.source)
