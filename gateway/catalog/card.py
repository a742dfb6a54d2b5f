"""The catalog's records. A figure without a source does not exist; a figure that is missing is None, never zero."""

from msgspec import Struct
from msgspec.structs import replace

from gateway.wire.ability import Ability

EMBEDDINGS = "embeddings"  # the output modality, as OpenRouter names it


class Source(Struct, frozen=True):
    """Where figures come from."""

    name: str
    url: str
    commit: str = ""  # commit or package version, where the source has one
    licence: str = ""
    date: str = ""  # ISO date of the content


class Figure(Struct, frozen=True, omit_defaults=True, gc=False):
    """One number with its evidence. The unit is that of the field which holds it."""

    value: float
    source: str  # key of `Catalog.sources`
    date: str = ""  # ISO date on which the source stated it; "" means the source's own date
    low: float | None = None  # interval, where the source gives one
    high: float | None = None


class PriceTier(Struct, frozen=True, omit_defaults=True):
    """Prices of a request whose input is over `above_input_tokens`; None means as below the threshold."""

    above_input_tokens: int
    input: Figure | None = None
    cached_input: Figure | None = None
    output: Figure | None = None
    cache_write: Figure | None = None


class Prices(Struct, frozen=True, omit_defaults=True):
    """USD per million tokens, but for `image` and `request`: USD each."""

    input: Figure | None = None
    output: Figure | None = None
    cached_input: Figure | None = None
    cache_write: Figure | None = None
    cache_write_1h: Figure | None = None  # of what is kept for an hour; None: as `cache_write`
    reasoning: Figure | None = None  # None: billed as output
    image: Figure | None = None
    request: Figure | None = None
    tier: PriceTier | None = None


class ModelCard(Struct, frozen=True, omit_defaults=True):
    """A model, whoever hosts it."""

    id: str  # "openai/gpt-5": maker/name
    name: str
    maker: str
    family: str = ""
    released: str = ""  # ISO date or ""
    open_weights: bool | None = None
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)  # ("embeddings",) of a model that turns texts into vectors
    dimensions: Figure | None = None  # of the vectors that an embedding model makes unless asked for shorter ones
    reasoning: bool = False
    quality: dict[str, Figure] = {}  # benchmark or task family -> share of good answers, 0-1
    active_parameters_billions: Figure | None = None
    total_parameters_billions: Figure | None = None
    energy_wh_per_output_token: Figure | None = None  # servers and GPUs; the data centre's PUE comes on top
    embodied_g_per_output_token: Figure | None = None  # gCO2e of making the hardware
    aliases: tuple[str, ...] = ()  # other ids by which a caller may ask for it

    @property
    def embeds(self) -> bool:
        """Whether it makes vectors, and so never answers a conversation."""
        return EMBEDDINGS in self.output_modalities


class Offer(Struct, frozen=True, omit_defaults=True):
    """A target: one model at one provider, with that provider's prices and limits."""

    model: str  # ModelCard.id
    provider: str  # key of the provider table
    upstream_name: str  # what `model` is called there
    prices: Prices = Prices()
    context_window: Figure | None = None  # tokens, input and output together
    max_input_tokens: Figure | None = None
    max_output_tokens: Figure | None = None
    abilities: Ability = Ability(0)
    abilities_from: dict[str, int] = {}  # source -> the bits that rest on its word
    first_token_seconds: Figure | None = None  # prior; live figures take over
    output_tokens_per_second: Figure | None = None  # prior; live figures take over
    region: str = ""  # ISO-3 country of the data centre, "" when not stated
    api: str = ""  # "responses": answers only there, not to chat completions
    retires: str = ""  # ISO date on which the provider stops selling it, "" when not announced

    @property
    def id(self) -> str:
        """The target's id, "openai/gpt-5@openai"."""
        return f"{self.model}@{self.provider}"


class Catalog(Struct, frozen=True):
    """Everything known at one moment. `version` changes with any figure."""

    version: str
    date: str  # ISO date of the newest source
    sources: dict[str, Source]
    models: dict[str, ModelCard]  # by id
    offers: tuple[Offer, ...]
    grid_g_per_kwh: dict[str, Figure] = {}  # ISO-3 country, or "WOR" -> gCO2e per kWh
    pue: dict[str, Figure] = {}  # provider -> energy of the data centre / energy of its servers
    equating: dict[str, Figure] = {}  # "family@table date" -> logits that bring its scores to the newest table's scale

    def of_kind(self, *, embeds: bool) -> "Catalog":
        """Its embedding models and their offers alone, or all the others: the two never compete."""
        models = {model_id: card for model_id, card in self.models.items() if card.embeds is embeds}
        return replace(self, models=models, offers=tuple(offer for offer in self.offers if offer.model in models))
