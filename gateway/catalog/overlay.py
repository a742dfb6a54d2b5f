"""Lay what some sources state now over the last good catalog: what the others stated stays.

Not every source is read in every refresh: some come with the package only, some did not answer. Their figures stay as
they were, and stay before or behind the new ones by the same precedence as in `join`.
"""

from collections.abc import Collection

from msgspec.structs import replace

from gateway.catalog.card import Catalog, Figure, ModelCard, Offer, Prices
from gateway.catalog.join import ARCHIVES, PRECEDENCE, Joined, agree
from gateway.wire.ability import Ability

KEPT_FIGURES = (
    "context_window",
    "max_input_tokens",
    "max_output_tokens",
    "first_token_seconds",
    "output_tokens_per_second",
)
SIZE_FIGURES = (
    "active_parameters_billions",
    "total_parameters_billions",
    "energy_wh_per_output_token",
    "embodied_g_per_output_token",
)


def overlay(old: Catalog, joined: Joined, read: Collection[str]) -> Catalog:
    """The last good catalog with the new figures on top. `read`: the sources that were read in full this time."""
    new = joined.catalog
    known = {offer.id: offer for offer in old.offers}
    offers = [_offer(known.get(offer.id), offer, read) for offer in new.offers]
    present = {offer.id for offer in offers}
    offers += [
        offer
        for offer in old.offers
        if offer.id not in present and (_is_listed_elsewhere(offer, read) or _is_unreadable(offer, joined))
    ]
    models = {model_id: _model(old.models.get(model_id), card, read) for model_id, card in new.models.items()}
    models |= {offer.model: old.models[offer.model] for offer in offers if offer.model not in models}
    sources = {**old.sources, **new.sources}
    return replace(
        new,
        date=max((source.date for source in sources.values()), default=""),
        sources=sources,
        models=models,
        offers=tuple(offers),
        grid_g_per_kwh={**old.grid_g_per_kwh, **new.grid_g_per_kwh},
        equating={**old.equating, **new.equating},
    )


def _is_listed_elsewhere(offer: Offer, read: Collection[str]) -> bool:
    """Whether a source that was not read shows the offer; an archive's word does not count."""
    witnesses = {figure.source for figure in _figures(offer)} | set(offer.abilities_from)
    return bool(witnesses - ARCHIVES - set(read) - {"ecologits"})


def _is_unreadable(offer: Offer, joined: Joined) -> bool:
    return offer.id in joined.unreadable or f"*@{offer.provider}" in joined.unreadable


def _figures(offer: Offer) -> list[Figure]:
    prices = (offer.prices.input, offer.prices.output)
    return [figure for figure in (*prices, offer.context_window, offer.max_output_tokens) if figure is not None]


def _offer(old: Offer | None, new: Offer, read: Collection[str]) -> Offer:
    if old is None:
        return new
    kept = {source: bits for source, bits in old.abilities_from.items() if source not in read}
    abilities = new.abilities
    for bits in kept.values():
        abilities |= Ability(bits)
    litellm_is_silent = "litellm" not in read
    return replace(
        new,
        prices=_prices(old.prices, new.prices, read),
        abilities=abilities,
        abilities_from={**kept, **new.abilities_from},
        api=new.api or (old.api if litellm_is_silent else ""),
        retires=new.retires or (old.retires if litellm_is_silent else ""),
        **{field: _better(getattr(old, field), getattr(new, field), read) for field in KEPT_FIGURES},
    )


def _prices(old: Prices, new: Prices, read: Collection[str]) -> Prices:
    """One of the two; what the new one lacks comes from an old source that agrees with it on the price of input."""
    if _stays(old.input, new.input, read):
        return old
    if not agree(old.input, new.input):
        return new
    return replace(
        new,
        cached_input=new.cached_input or _unread(old.cached_input, read),
        cache_write=new.cache_write or _unread(old.cache_write, read),
        cache_write_1h=new.cache_write_1h or _unread(old.cache_write_1h, read),
        reasoning=new.reasoning or _unread(old.reasoning, read),
        tier=new.tier or (old.tier if old.tier is not None and _unread(old.tier.input, read) else None),
    )


def _unread(figure: Figure | None, read: Collection[str]) -> Figure | None:
    return None if figure is None or figure.source in read else figure


def _model(old: ModelCard | None, new: ModelCard, read: Collection[str]) -> ModelCard:
    if old is None:
        return new
    quality = {family: figure for family, figure in old.quality.items() if figure.source not in read} | new.quality
    size = old if _is_measured(old, read) else new
    return replace(
        new,
        name=new.name or old.name,
        family=new.family or old.family,
        released=new.released or old.released,
        open_weights=old.open_weights if new.open_weights is None else new.open_weights,
        aliases=tuple(sorted({*old.aliases, *new.aliases})),
        quality=dict(sorted(quality.items())),
        **{field: getattr(size, field) for field in SIZE_FIGURES},
    )


def _is_measured(card: ModelCard, read: Collection[str]) -> bool:
    """Whether the size comes from EcoLogits, which goes before names and model cards, and was not read again."""
    active = card.active_parameters_billions
    return active is not None and active.source == "ecologits" and "ecologits" not in read


def _better(old: Figure | None, new: Figure | None, read: Collection[str]) -> Figure | None:
    return old if _stays(old, new, read) else new


def _stays(old: Figure | None, new: Figure | None, read: Collection[str]) -> bool:
    """An old figure whose source was not read now stays, unless a better source has a new one."""
    if old is None or old.source in read:
        return False
    return new is None or _rank(old.source) < _rank(new.source)


def _rank(source: str) -> int:
    return PRECEDENCE.index(source) if source in PRECEDENCE else len(PRECEDENCE)
