"""The simulated world as catalog records and provider rows, for a gateway that has no keys."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.catalog.card import EMBEDDINGS, Figure, ModelCard, Offer, Prices, Source
from gateway.providers.provider import Provider
from gateway.simulator.dialects import BASE_PATHS, USUAL
from gateway.simulator.embedders import EMBEDDER_OFFERS, EMBEDDERS, Embedder, EmbedderOffer
from gateway.simulator.models import FAMILIES, MODELS, OFFERS, REGIONS, TITLES, SimModel, SimOffer
from gateway.wire.ability import Ability

SOURCE = "simulator"
SIMULATE_HEADER = "x-steelyard-simulate"
EVERYBODY_USUAL: Mapping[str, str] = MappingProxyType({})


def simulated_catalog() -> tuple[dict[str, ModelCard], tuple[Offer, ...], dict[str, Source]]:
    """Cards by id, offers and the one source of their figures: our own invention."""
    source = Source(name="Steelyard simulator (invented figures)", url="docs/simulator.md")
    cards = {model.id: _card(model) for model in MODELS} | {one.id: _embedder_card(one) for one in EMBEDDERS}
    offers = (*map(_catalog_offer, OFFERS), *map(_embedder_offer, EMBEDDER_OFFERS))
    return cards, offers, {SOURCE: source}


def simulated_providers(ports: Mapping[str, int], dialects: Mapping[str, str] = EVERYBODY_USUAL) -> dict[str, Provider]:
    """Provider rows for the simulators that listen on `ports`, by provider name.

    dialects: the format that a provider is asked in, where it is not the usual one.
    """
    return {name: _provider(name, port, dialects.get(name, USUAL)) for name, port in ports.items()}


def _provider(name: str, port: int, dialect: str) -> Provider:
    return Provider(
        name=name,
        title=TITLES[name],
        base_url=f"http://127.0.0.1:{port}{BASE_PATHS[dialect]}",
        key=None,
        dialect=dialect,
        forward_headers=(SIMULATE_HEADER,),
        region=REGIONS[name],
        assistant_prefix="plain",
        simulated=True,
    )


def _figure(value: float) -> Figure:
    return Figure(value, SOURCE)


def _card(model: SimModel) -> ModelCard:
    sees = ("image",) if model.abilities & Ability.IMAGES else ()
    reads = ("file",) if model.abilities & Ability.FILES else ()
    return ModelCard(
        id=model.id,
        name=model.title,
        maker="sim",
        family=model.name.partition("-")[0],
        input_modalities=("text", *sees, *reads),
        reasoning=model.reasons,
        quality={name: _figure(share / 100) for name, share in zip(FAMILIES, model.quality_percent, strict=True)},
        active_parameters_billions=_figure(model.active_parameters_billions),
    )


def _catalog_offer(offer: SimOffer) -> Offer:
    return Offer(
        model=offer.model.id,
        provider=offer.provider,
        upstream_name=offer.upstream_name,
        prices=Prices(
            input=_figure(offer.input_usd),
            output=_figure(offer.output_usd),
            cached_input=_figure(offer.cached_input_usd),
        ),
        context_window=_figure(offer.model.context_window),
        max_output_tokens=_figure(offer.model.max_output_tokens),
        abilities=offer.model.abilities,
        first_token_seconds=_figure(offer.first_token_seconds),
        output_tokens_per_second=_figure(offer.tokens_per_second),
        region=REGIONS[offer.provider],
    )


def _embedder_card(model: Embedder) -> ModelCard:
    return ModelCard(
        id=model.id,
        name=model.title,
        maker="sim",
        family="embed",
        output_modalities=(EMBEDDINGS,),
        dimensions=_figure(model.dimensions),
    )


def _embedder_offer(offer: EmbedderOffer) -> Offer:
    return Offer(
        model=offer.model.id,
        provider=offer.provider,
        upstream_name=offer.upstream_name,
        prices=Prices(input=_figure(offer.input_usd)),
        max_input_tokens=_figure(offer.model.max_input_tokens),
        first_token_seconds=_figure(offer.answer_seconds),
        region=REGIONS[offer.provider],
    )
