"""GET /v1/models: routers first, then every model that a live provider sells, with limits and prices."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from gateway.catalog.card import Figure, ModelCard, Offer, Prices
from gateway.catalog.columns import Targets
from gateway.errors import GatewayError, UnknownModel
from gateway.live import Market, Snapshot

CREATED = 1_767_225_600  # 2026-01-01: clients want a number here; the date that matters is `released`


class Architecture(Struct, frozen=True):
    input_modalities: tuple[str, ...]
    output_modalities: tuple[str, ...]


class PriceRow(Struct, frozen=True, omit_defaults=True):
    """USD per million tokens."""

    input: float | None = None
    output: float | None = None
    cached_input: float | None = None


class HostRow(Struct, frozen=True, omit_defaults=True):
    provider: str
    target: str
    context_window: int | None
    max_output_tokens: int | None
    pricing: PriceRow


class ModelRow(Struct, frozen=True, omit_defaults=True, tag_field="object", tag="model"):
    """One entry; the field names are those that OpenAI's, OpenRouter's and LiteLLM's clients read."""

    id: str
    created: int
    owned_by: str
    name: str
    context_window: int | None
    context_length: int | None
    max_output_tokens: int | None
    architecture: Architecture
    description: str = ""
    released: str = ""
    pricing: PriceRow | None = None  # of the cheapest host
    dimensions: int | None = None  # of an embedding model's vectors, where that is stated
    hosts: tuple[HostRow, ...] = ()


class ModelList(Struct, frozen=True):
    data: tuple[ModelRow, ...]
    object: str = "list"


ENCODE = msgspec.json.Encoder().encode


class ModelIndex:
    """The answers of one snapshot, made once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.writers = (*router_rows(snapshot.chat), *model_rows(snapshot.chat.targets))
        rows = (*self.writers, *model_rows(snapshot.embeddings.targets))
        self._rows = {row.id: row for row in rows}
        self.all = ENCODE(ModelList(rows))
        self._markets = snapshot.chat, snapshot.embeddings

    def one(self, name: str, router: str = "") -> ModelRow:
        """The entry of what a request for `name` would weigh; a target's is its model's.

        router: that of the base URL, or "". Raises UnknownModel.
        """
        row = self._rows.get(name)
        if row is not None and not router:
            return row
        writing, embedding = self._markets
        try:
            return self._meant(writing, name, router)
        except UnknownModel as unknown:
            try:
                return self._meant(embedding, name, router)
            except GatewayError:
                raise unknown from None

    def _meant(self, market: Market, name: str, router: str) -> ModelRow:
        leg = market.selector.select(name, (), router).legs[0]
        return self._rows[leg.policy.name if leg.columns is None else market.targets.offers[leg.columns[0]].model]


def router_rows(market: Market) -> Iterable[ModelRow]:
    """A router promises what all its targets can do together: a client that trusts the row is never disappointed."""
    offers, cards = market.targets.offers, market.targets.models
    for name, policy in market.policies.items():
        allowed = [column for column in range(len(offers)) if policy.allowed[column]]
        modalities = {kind for column in allowed for kind in cards[column].input_modalities}
        window = whole(max((offers[column].context_window for column in allowed), key=or_zero, default=None))
        yield ModelRow(
            id=name,
            created=CREATED,
            owned_by="steelyard",
            name=f"Steelyard {name}",
            description=policy.settings.description,
            context_window=window,
            context_length=window,
            max_output_tokens=whole(max((offers[c].max_output_tokens for c in allowed), key=or_zero, default=None)),
            architecture=Architecture(tuple(sorted(modalities)), ("text",)),
        )


def model_rows(targets: Targets) -> Iterable[ModelRow]:
    by_model: dict[str, list[int]] = {}
    for column, offer in enumerate(targets.offers):
        by_model.setdefault(offer.model, []).append(column)
    for model_id, columns in sorted(by_model.items()):
        offers = [targets.offers[column] for column in columns]
        yield model_row(targets.models[columns[0]], model_id, offers)


def model_row(card: ModelCard, model_id: str, offers: list[Offer]) -> ModelRow:
    window = whole(max(map(window_of, offers), key=or_zero))
    priced = [offer for offer in offers if offer.prices.input and (offer.prices.output or card.embeds)]
    cheapest = min(priced, key=lambda offer: or_zero(offer.prices.input) + or_zero(offer.prices.output), default=None)
    return ModelRow(
        id=model_id,
        created=CREATED,
        owned_by=card.maker,
        name=card.name,
        released=card.released,
        context_window=window,
        context_length=window,
        max_output_tokens=whole(max((offer.max_output_tokens for offer in offers), key=or_zero)),
        architecture=Architecture(card.input_modalities, card.output_modalities),
        pricing=None if cheapest is None else price_row(cheapest.prices),
        dimensions=whole(card.dimensions),
        hosts=tuple(host_row(offer) for offer in offers),
    )


def host_row(offer: Offer) -> HostRow:
    return HostRow(
        provider=offer.provider,
        target=offer.id,
        context_window=whole(window_of(offer)),
        max_output_tokens=whole(offer.max_output_tokens),
        pricing=price_row(offer.prices),
    )


def window_of(offer: Offer) -> Figure | None:
    """Tokens. What writes nothing has room for its input only; some sources state it as that."""
    writes = offer.prices.output is not None or offer.max_output_tokens is not None
    return offer.context_window or (None if writes else offer.max_input_tokens)


def price_row(prices: Prices) -> PriceRow:
    return PriceRow(*(None if f is None else f.value for f in (prices.input, prices.output, prices.cached_input)))


def or_zero(figure: Figure | None) -> float:
    return 0.0 if figure is None else figure.value


def whole(figure: Figure | None) -> int | None:
    return None if figure is None else int(figure.value)
