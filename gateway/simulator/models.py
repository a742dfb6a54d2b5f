"""The simulated world: models of different price, speed, skill and temper, and who sells them.

Every figure here is invented. Names start with "sim/" and providers with "sim-", so nobody takes them for real ones.
"""

from msgspec import Struct

from gateway.wire.ability import Ability

PROVIDERS: tuple[str, ...] = ("sim-alpha", "sim-bravo", "sim-charlie", "sim-delta")
TITLES: dict[str, str] = {
    "sim-alpha": "Simulated Alpha",
    "sim-bravo": "Simulated Bravo",
    "sim-charlie": "Simulated Charlie",
    "sim-delta": "Simulated Delta",
}
REGIONS: dict[str, str] = {"sim-alpha": "USA", "sim-bravo": "IRL", "sim-charlie": "SWE", "sim-delta": "IND"}

# Each provider names models in its own manner, so that a request which carries another's name is found out.
NAME_PATTERNS: dict[str, str] = {
    "sim-alpha": "sim/{}",
    "sim-bravo": "sim/{}",
    "sim-charlie": "accounts/sim/models/{}",
    "sim-delta": "{}",
}

# Benchmark families of LiveBench, in the order of `SimModel.quality_percent`.
FAMILIES: tuple[str, ...] = (
    "reasoning",
    "coding",
    "agentic_coding",
    "mathematics",
    "data_analysis",
    "language",
    "instruction_following",
)

PLAIN = Ability.JSON_MODE | Ability.LOGPROBS
TOOLS = PLAIN | Ability.TOOLS
FULL = TOOLS | Ability.JSON_SCHEMA
SEEING = FULL | Ability.IMAGES
THINKING = FULL | Ability.REASONING


class SimModel(Struct, frozen=True):
    """What a simulated model is, whoever sells it."""

    name: str  # without the maker: "swift-mini"
    quality_percent: tuple[int, ...]  # of good answers, per entry of FAMILIES
    active_parameters_billions: float
    context_window: int  # tokens, input and output together
    max_output_tokens: int
    typical_tokens: int  # of an answer; one has from half to one and a half of it, and goes on to the end of a sentence
    abilities: Ability = FULL

    @property
    def id(self) -> str:
        """The catalog's id, "sim/swift-mini"."""
        return f"sim/{self.name}"

    @property
    def title(self) -> str:
        """As people write it: "Swift Mini"."""
        return self.name.replace("-", " ").title()

    @property
    def reasons(self) -> bool:
        """Whether it thinks, visibly and at the caller's expense, before it answers."""
        return bool(self.abilities & Ability.REASONING)


class SimOffer(Struct, frozen=True):
    """One model at one provider. Prices are USD per million tokens, in steps of 0.001: whole nano-dollars per token."""

    model: SimModel
    provider: str
    input_usd: float
    output_usd: float
    cached_input_usd: float
    first_token_seconds: float
    tokens_per_second: float
    habit: str = ""  # a fault of `faults.table` that it always has, as the header would say it

    @property
    def upstream_name(self) -> str:
        """What `model` is called at this provider."""
        return NAME_PATTERNS[self.provider].format(self.model.name)

    @property
    def id(self) -> str:
        """The target's id, "sim/swift-mini@sim-alpha"."""
        return f"{self.model.id}@{self.provider}"

    def cost_nano_usd(self, prompt_tokens: int, cached_tokens: int, output_tokens: int) -> int:
        """What these tokens cost here; `prompt_tokens` includes the cached ones."""
        fresh, cached = prompt_tokens - cached_tokens, cached_tokens
        nano = [round(usd * 1000) for usd in (self.input_usd, self.cached_input_usd, self.output_usd)]
        return fresh * nano[0] + cached * nano[1] + output_tokens * nano[2]


# fmt: off
MODELS: tuple[SimModel, ...] = (
    #        name               rea cod age mat dat lan ins  active   window  output typical
    SimModel("swift-nano",     (28, 34, 10, 33, 38, 30, 48),    2,  131072,  8192,  60),
    SimModel("swift-mini",     (41, 52, 22, 48, 50, 44, 58),    6,  131072, 16384,  80),
    SimModel("swift-pro",      (55, 66, 36, 63, 60, 58, 67),   24,  200000, 32768, 110),
    SimModel("green-small",    (36, 42, 15, 40, 45, 42, 55),    3,   65536,  8192,  70),
    SimModel("green-medium",   (52, 57, 27, 56, 57, 55, 64),    9,  131072, 16384, 100),
    SimModel("scholar-small",  (44, 40, 14, 58, 55, 56, 62),   12,  131072, 16384, 140),
    SimModel("scholar-medium", (63, 55, 28, 74, 68, 70, 72),   40,  200000, 32768, 160),
    SimModel("scholar-large",  (80, 68, 44, 88, 77, 82, 80),  120,  200000, 65536, 200, THINKING),
    SimModel("coder-mini",     (45, 66, 38, 52, 50, 34, 57),    8,  131072, 32768, 120),
    SimModel("coder-pro",      (66, 84, 62, 72, 66, 48, 69),   45,  256000, 65536, 180),
    SimModel("thinker-mini",   (62, 58, 33, 75, 60, 46, 66),   10,  131072, 65536,  90, THINKING),
    SimModel("thinker",        (77, 71, 50, 87, 70, 62, 74),   35,  200000, 65536, 120, THINKING),
    SimModel("thinker-max",    (91, 82, 66, 95, 79, 78, 82),  180,  400000, 131072, 160, THINKING | Ability.IMAGES),
    SimModel("vision-lite",    (40, 42, 16, 44, 52, 48, 58),    7,  131072,  8192,  70, SEEING),
    SimModel("vision-pro",     (64, 62, 38, 66, 73, 69, 71),   50,  200000, 32768, 110, SEEING | Ability.FILES),
    SimModel("long-scroll",    (58, 56, 34, 60, 70, 66, 68),   30, 2000000, 65536, 150, SEEING),
    SimModel("polyglot",       (47, 40, 12, 45, 50, 83, 70),   14,  131072, 16384, 120),
    SimModel("frugal-7b",      (25, 27,  6, 26, 33, 31, 46),    7,   32768,  4096,  70, PLAIN),
    SimModel("frugal-13b",     (31, 32,  8, 30, 37, 36, 50),   13,   32768,  4096,  80, PLAIN),
    SimModel("classic-base",   (22, 20,  4, 18, 28, 33, 40),   20,    8192,  2048,  90, Ability(0)),
    SimModel("flagship",       (86, 85, 68, 90, 81, 84, 86),  250,  400000, 65536, 170, SEEING | Ability.FILES),
    SimModel("flagship-turbo", (79, 79, 58, 83, 75, 77, 81),   90,  400000, 65536, 130, SEEING | Ability.FILES),
    SimModel("flaky-fox",      (60, 63, 37, 62, 61, 60, 68),   22,  131072, 16384, 100),
    SimModel("crowded-hall",   (57, 60, 33, 60, 58, 57, 66),   18,  131072, 16384, 100),
    SimModel("slow-river",     (70, 64, 40, 76, 69, 73, 75),   70,  200000, 32768, 150, TOOLS),
)
_BY_NAME = {model.name: model for model in MODELS}


def _offer(
    name: str, provider: str, input_: float, output: float, cached: float, first: float, pace: float, habit: str = ""
) -> SimOffer:
    return SimOffer(_BY_NAME[name], provider, input_, output, cached, first, pace, habit)


OFFERS: tuple[SimOffer, ...] = (
    #      model             provider       input  output  cached  first  per second
    _offer("swift-nano",     "sim-alpha",   0.050,  0.200,  0.010,  0.12, 320),
    _offer("swift-nano",     "sim-delta",   0.040,  0.160,  0.010,  0.35, 210),
    _offer("swift-mini",     "sim-alpha",   0.150,  0.600,  0.030,  0.18, 240),
    _offer("swift-mini",     "sim-bravo",   0.180,  0.700,  0.040,  0.14, 300),
    _offer("swift-mini",     "sim-delta",   0.110,  0.450,  0.030,  0.48, 150),
    _offer("swift-pro",      "sim-alpha",   0.600,  2.400,  0.120,  0.28, 160),
    _offer("swift-pro",      "sim-bravo",   0.700,  2.800,  0.140,  0.20, 210),
    _offer("green-small",    "sim-charlie", 0.090,  0.350,  0.020,  0.32, 140),
    _offer("green-medium",   "sim-charlie", 0.300,  1.200,  0.060,  0.45, 110),
    _offer("scholar-small",  "sim-bravo",   0.250,  1.000,  0.050,  0.35, 120),
    _offer("scholar-medium", "sim-bravo",   1.100,  4.400,  0.220,  0.55,  90),
    _offer("scholar-medium", "sim-charlie", 1.000,  4.000,  0.250,  0.80,  70),
    _offer("scholar-large",  "sim-bravo",   4.000, 16.000,  0.800,  1.40,  60),
    _offer("scholar-large",  "sim-alpha",   4.400, 17.600,  0.880,  1.10,  75),
    _offer("coder-mini",     "sim-alpha",   0.200,  0.800,  0.040,  0.22, 220),
    _offer("coder-mini",     "sim-charlie", 0.180,  0.720,  0.040,  0.40, 150),
    _offer("coder-pro",      "sim-alpha",   1.500,  6.000,  0.300,  0.45, 120),
    _offer("coder-pro",      "sim-delta",   1.200,  4.800,  0.240,  0.90,  70),
    _offer("thinker-mini",   "sim-bravo",   0.400,  1.600,  0.080,  0.60, 180),
    _offer("thinker-mini",   "sim-delta",   0.300,  1.250,  0.060,  1.20, 110),
    _offer("thinker",        "sim-alpha",   1.250, 10.000,  0.125,  0.90, 110),
    _offer("thinker",        "sim-charlie", 1.250,  9.500,  0.125,  1.30,  85),
    _offer("thinker-max",    "sim-alpha",   9.000, 40.000,  0.900,  2.20,  55),
    _offer("vision-lite",    "sim-charlie", 0.120,  0.480,  0.030,  0.40, 130),
    _offer("vision-pro",     "sim-bravo",   1.400,  5.600,  0.280,  0.60,  95),
    _offer("long-scroll",    "sim-alpha",   1.000,  5.000,  0.100,  0.80, 120),
    _offer("long-scroll",    "sim-bravo",   1.150,  5.400,  0.115,  0.65, 140),
    _offer("polyglot",       "sim-charlie", 0.350,  1.400,  0.070,  0.40, 100),
    _offer("polyglot",       "sim-delta",   0.280,  1.100,  0.060,  0.70,  75),
    _offer("frugal-7b",      "sim-delta",   0.020,  0.060,  0.010,  0.50,  90),
    _offer("frugal-13b",     "sim-delta",   0.040,  0.120,  0.020,  0.60,  70),
    _offer("frugal-13b",     "sim-charlie", 0.050,  0.150,  0.020,  0.40,  95),
    _offer("classic-base",   "sim-delta",   0.300,  0.600,  0.300,  1.50,  30),
    _offer("flagship",       "sim-alpha",   5.000, 25.000,  0.500,  0.95,  70),
    _offer("flagship",       "sim-bravo",   5.500, 27.500,  0.550,  0.75,  85),
    _offer("flagship-turbo", "sim-alpha",   2.000, 10.000,  0.200,  0.40, 150),
    _offer("flagship-turbo", "sim-bravo",   2.200, 11.000,  0.220,  0.32, 180),
    _offer("flaky-fox",      "sim-delta",   0.250,  1.000,  0.050,  0.40, 120, habit="F80;pr=0.02;v=503"),
    _offer("flaky-fox",      "sim-charlie", 0.400,  1.600,  0.080,  0.45, 110),
    _offer("crowded-hall",   "sim-delta",   0.200,  0.800,  0.040,  0.30, 140, habit="F82;c=8;v=429;ra=1"),
    _offer("crowded-hall",   "sim-bravo",   0.450,  1.800,  0.090,  0.30, 140),
    _offer("slow-river",     "sim-delta",   0.350,  1.400,  0.070,  3.50,  18, habit="F84;pr=0.05;delay=6000"),
    _offer("slow-river",     "sim-charlie", 0.900,  3.600,  0.180,  1.60,  40),
)
# fmt: on
