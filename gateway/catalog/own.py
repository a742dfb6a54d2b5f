"""The models of the operator's own providers, as the settings state them, in the catalog's terms."""

from collections.abc import Mapping

from gateway.catalog.card import EMBEDDINGS, Catalog, Figure, ModelCard, Offer, Prices, Source
from gateway.settings.schema import ModelSettings, ProviderSettings
from gateway.wire.ability import Ability

SOURCE = "settings"
OWN_SOURCE = Source(name="your settings file", url="")


def own_models(
    providers: Mapping[str, ProviderSettings], catalog: Catalog
) -> tuple[dict[str, ModelCard], tuple[Offer, ...]]:
    """Cards for models that the catalog does not know, and one offer per configured model.

    Figures left out come from the catalog's own offer of that model at that provider, then from any other host where
    the figure belongs to the model rather than the host (window, abilities).
    """
    cards: dict[str, ModelCard] = {}
    offers: list[Offer] = []
    for provider, settings in providers.items():
        for model in settings.models:
            if model.id not in catalog.models or model.quality is not None:
                cards[model.id] = own_card(model, catalog.models.get(model.id))
            offers.append(own_offer(provider, settings, model, catalog))
    return cards, tuple(offers)


def own_card(model: ModelSettings, known: ModelCard | None) -> ModelCard:
    quality = {} if model.quality is None else {"overall": Figure(model.quality, SOURCE)}
    abilities = abilities_of(model)
    return ModelCard(
        id=model.id,
        name=model.id if known is None else known.name,
        maker=model.id.split("/")[0] if "/" in model.id else "own",
        input_modalities=("text", "image") if Ability.IMAGES in abilities else ("text",),
        output_modalities=(EMBEDDINGS,) if model.embeddings or (known is not None and known.embeds) else ("text",),
        dimensions=figure(model.dimensions) or (None if known is None else known.dimensions),
        reasoning=Ability.REASONING in abilities,
        quality=quality or ({} if known is None else known.quality),
        active_parameters_billions=None if known is None else known.active_parameters_billions,
    )


def own_offer(provider: str, settings: ProviderSettings, model: ModelSettings, catalog: Catalog) -> Offer:
    hosts = [offer for offer in catalog.offers if offer.model == model.id]
    same = next((offer for offer in hosts if offer.provider == provider), None)
    like = same or (hosts[0] if hosts else Offer(model.id, provider, model.id))
    stated = Prices() if same is None else same.prices
    return Offer(
        model=model.id,
        provider=provider,
        upstream_name=model.upstream_name or (same.upstream_name if same is not None else model.id),
        prices=Prices(
            input=figure(model.input_price_usd) or stated.input,
            output=figure(model.output_price_usd) or stated.output,
            cached_input=figure(model.cached_input_price_usd) or stated.cached_input,
        ),
        context_window=figure(model.context_window) or like.context_window,
        max_output_tokens=figure(model.max_output_tokens) or like.max_output_tokens,
        abilities=abilities_of(model) or like.abilities,
        first_token_seconds=figure(model.first_token_seconds),
        output_tokens_per_second=figure(model.output_tokens_per_second),
        region=settings.region,
        api="" if same is None else same.api,
    )


def figure(value: float | None) -> Figure | None:
    return None if value is None else Figure(float(value), SOURCE)


def abilities_of(model: ModelSettings) -> Ability:
    return Ability(sum(Ability[name.upper()] for name in set(model.abilities)))
