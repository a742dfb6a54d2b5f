"""What one source states, before the sources are joined: its own spellings, its own figures."""

from msgspec import Struct, field

from gateway.catalog.card import Figure, Prices, Source
from gateway.wire.ability import Ability


class FeedError(Exception):
    """A feed that cannot be used at all; the message names the source and the path in it."""


class Facts(Struct, frozen=True):
    """What a source says of the model behind an offer."""

    title: str = ""
    family: str = ""
    released: str = ""
    open_weights: bool | None = None
    reasoning: bool | None = None
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    dimensions: Figure | None = None


class OfferRecord(Struct, frozen=True):
    """A model for sale, as one source spells it."""

    provider: str
    name: str  # what `model` is called there
    model: str = ""  # the source's own word for the model behind the name, where it has one
    prices: Prices = Prices()
    context_window: Figure | None = None
    max_input_tokens: Figure | None = None
    max_output_tokens: Figure | None = None
    abilities: Ability = Ability(0)  # stated to be there
    lacks: Ability = Ability(0)  # stated not to be there; a bit in neither is not stated
    facts: Facts = Facts()
    api: str = ""
    retires: str = ""


class ModelRecord(Struct, frozen=True):
    """Figures of a model, whoever sells it."""

    name: str
    maker: str = ""
    quality: dict[str, Figure] = {}
    active_parameters_billions: Figure | None = None
    total_parameters_billions: Figure | None = None
    first_token_seconds: Figure | None = None  # measured at the maker's own service
    output_tokens_per_second: Figure | None = None


class Broken(Struct, frozen=True):
    """An entry that could not be read; what was known of it before stays."""

    provider: str
    name: str
    reason: str


class Reading(Struct):
    """All that one feed states."""

    source: Source
    offers: list[OfferRecord] = field(default_factory=list)
    models: list[ModelRecord] = field(default_factory=list)
    grid_g_per_kwh: dict[str, Figure] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)

    def checked(self, entries: int) -> "Reading":
        """Itself, unless it is empty or more than a fifth of its `entries` were unreadable."""
        if not (self.offers or self.models or self.grid_g_per_kwh):
            example = f"; first unreadable entry: {self.broken[0].reason}" if self.broken else ""
            raise FeedError(f"{self.source.name}: the feed holds nothing that can be used{example}")
        if len(self.broken) * 5 > entries:
            raise FeedError(
                f"{self.source.name}: {len(self.broken)} of {entries} entries are unreadable; {self.broken[0].reason}"
            )
        return self
