"""The simulated embedding models and who sells them. Every figure here is invented, as in `models`."""

from math import inf

from msgspec import Struct

from gateway.simulator.models import NAME_PATTERNS, SimOffer


class Embedder(Struct, frozen=True):
    """What a simulated embedding model is, whoever sells it."""

    name: str  # without the maker: "embed-small"
    dimensions: int  # of a vector, unless the caller asks for fewer
    max_input_tokens: int  # of one text

    @property
    def id(self) -> str:
        """The catalog's id, "sim/embed-small"."""
        return f"sim/{self.name}"

    @property
    def title(self) -> str:
        """As people write it: "Embed Small"."""
        return self.name.replace("-", " ").title()


class EmbedderOffer(Struct, frozen=True):
    """One embedding model at one provider. Its answers cost nothing beside what they read."""

    model: Embedder
    provider: str
    input_usd: float  # per million tokens, in steps of 0.001: whole nano-dollars per token
    answer_seconds: float  # for a request, however many texts it brings

    @property
    def upstream_name(self) -> str:
        """What `model` is called at this provider."""
        return NAME_PATTERNS[self.provider].format(self.model.name)

    @property
    def id(self) -> str:
        """The target's id, "sim/embed-small@sim-alpha"."""
        return f"{self.model.id}@{self.provider}"

    @property
    def habit(self) -> str:
        """None of them has a fault of its own."""
        return ""

    @property
    def first_token_seconds(self) -> float:
        """All vectors come at once."""
        return self.answer_seconds

    @property
    def tokens_per_second(self) -> float:
        """All vectors come at once."""
        return inf

    def cost_nano_usd(self, prompt_tokens: int, cached_tokens: int, output_tokens: int) -> int:
        """What reading costs here; nothing is cached and nothing is said."""
        return prompt_tokens * round(self.input_usd * 1000)


AnyOffer = SimOffer | EmbedderOffer

SMALL = Embedder("embed-small", 384, 8192)
LARGE = Embedder("embed-large", 1536, 8192)
MULTI = Embedder("embed-multi", 768, 2048)
EMBEDDERS: tuple[Embedder, ...] = (SMALL, LARGE, MULTI)

EMBEDDER_OFFERS: tuple[EmbedderOffer, ...] = (
    EmbedderOffer(SMALL, "sim-alpha", 0.020, 0.08),
    EmbedderOffer(SMALL, "sim-bravo", 0.025, 0.06),
    EmbedderOffer(LARGE, "sim-bravo", 0.130, 0.15),
    EmbedderOffer(LARGE, "sim-charlie", 0.120, 0.25),
    EmbedderOffer(MULTI, "sim-delta", 0.060, 0.20),
)
