"""What people ask of the catalog: the list, one model with the evidence of every figure, what a refresh changed."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from msgspec import Struct

from core.tasks import TASKS
from gateway.catalog.carbon import output_token_g
from gateway.catalog.card import Catalog, Figure, ModelCard, Offer, Prices
from gateway.catalog.quality import by_task, quality_figures, stated_share
from gateway.wire.ability import Ability

PRICE_UNITS = {
    "input": "USD per million tokens",
    "output": "USD per million tokens",
    "cached_input": "USD per million tokens",
    "cache_write": "USD per million tokens",
    "cache_write_1h": "USD per million tokens",
    "reasoning": "USD per million tokens",
    "image": "USD per image",
    "request": "USD per request",
}
OFFER_UNITS = {
    "context_window": "tokens",
    "max_input_tokens": "tokens",
    "max_output_tokens": "tokens",
    "first_token_seconds": "s",
    "output_tokens_per_second": "tokens/s",
}
MODEL_UNITS = {
    "dimensions": "numbers per vector",
    "active_parameters_billions": "billions",
    "total_parameters_billions": "billions",
    "energy_wh_per_output_token": "Wh per output token, before PUE",
    "embodied_g_per_output_token": "gCO2e per output token",
}


NOTHING = Ability(0)


class Row(Struct, frozen=True):
    """One offer in a list. None: not stated."""

    target: str
    model: str
    name: str
    provider: str
    upstream_name: str
    input_usd: float | None  # per million tokens
    cached_input_usd: float | None
    output_usd: float | None
    context_window: float | None
    max_output_tokens: float | None
    abilities: tuple[str, ...]
    carbon_g_per_output_token: float | None
    retires: str
    quality_stated: float  # 0-1, over all tasks: how much of its quality rests on its own scores


class Evidence(Struct, frozen=True):
    """One figure and where it comes from."""

    field: str
    value: float | str
    unit: str
    source: str
    date: str
    url: str
    low: float | None = None
    high: float | None = None


class TaskEvidence(Struct, frozen=True):
    """How good a model is expected to be at a task, and what that rests on."""

    task: str
    quality: float  # probability of a good answer
    stated: float  # 0-1: how much of it rests on the model's own scores; the rest is borrowed from its kin
    sources: tuple[str, ...]


class Shown(Struct, frozen=True):
    """A model, or one offer of it, with all its figures."""

    title: str
    card: ModelCard
    model_figures: tuple[Evidence, ...]
    tasks: tuple[TaskEvidence, ...]  # none of an embedding model
    offers: dict[str, tuple[Evidence, ...]]  # target id -> figures


class Change(Struct, frozen=True):
    """A difference between two catalogs. None: not there."""

    target: str
    field: str
    old: float | None
    new: float | None
    source: str = ""


class Difference(Struct, frozen=True):
    """What a new catalog says otherwise."""

    old_version: str
    new_version: str
    added: tuple[str, ...]  # target ids
    removed: tuple[str, ...]
    changed: tuple[Change, ...]


def list_rows(
    catalog: Catalog, pattern: str = "", provider: str = "", needs: Ability = NOTHING, priced_only: bool = False
) -> list[Row]:
    """The offers by model and provider. pattern: part of a target's id, or a pattern with `*`."""
    return [
        _row(catalog, offer)
        for offer in sorted(catalog.offers, key=lambda offer: (offer.model, offer.provider))
        if _matches(offer.id, pattern)
        and (not provider or offer.provider == provider)
        and needs in offer.abilities
        and not (priced_only and offer.prices.input is None)
    ]


def show(catalog: Catalog, name: str) -> Shown | None:
    """Everything known of a model ("openai/gpt-5" or another name of it) or a target ("openai/gpt-5@openai")."""
    model, _, provider = name.partition("@")
    card = catalog.models.get(model) or next((c for c in catalog.models.values() if model in c.aliases), None)
    offers = [
        offer
        for offer in catalog.offers
        if card is not None and offer.model == card.id and (not provider or offer.provider == provider)
    ]
    if card is None or (provider and not offers):
        return None
    return Shown(
        title=f"{card.name} ({card.id})",
        card=card,
        model_figures=tuple(_model_evidence(catalog, card)),
        tasks=() if card.embeds else tuple(_task_evidence(catalog, card)),
        offers={offer.id: tuple(_offer_evidence(catalog, card, offer)) for offer in offers},
    )


def diff(old: Catalog, new: Catalog) -> Difference:
    """Offers that came and went, and every figure whose value changed."""
    before = {offer.id: offer for offer in old.offers}
    after = {offer.id: offer for offer in new.offers}
    changed = [
        change
        for target in sorted(before.keys() & after.keys())
        for change in _changes(target, dict(_offer_figures(before[target])), dict(_offer_figures(after[target])))
    ]
    changed += [
        change
        for model in sorted(old.models.keys() & new.models.keys())
        for change in _changes(model, dict(_model_figures(old.models[model])), dict(_model_figures(new.models[model])))
    ]
    return Difference(
        old_version=old.version,
        new_version=new.version,
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(changed),
    )


def _matches(target: str, pattern: str) -> bool:
    return fnmatchcase(target, pattern) if "*" in pattern else pattern in target


def _row(catalog: Catalog, offer: Offer) -> Row:
    card = catalog.models[offer.model]
    return Row(
        target=offer.id,
        model=offer.model,
        name=card.name,
        provider=offer.provider,
        upstream_name=offer.upstream_name,
        input_usd=_value(offer.prices.input),
        cached_input_usd=_value(offer.prices.cached_input),
        output_usd=_value(offer.prices.output),
        context_window=_value(offer.context_window or offer.max_input_tokens),
        max_output_tokens=_value(offer.max_output_tokens),
        abilities=card.output_modalities if card.embeds else ability_names(offer.abilities),
        carbon_g_per_output_token=_value(output_token_g(card, offer, catalog)),
        retires=offer.retires,
        quality_stated=0.0 if card.embeds else round(sum(stated_share(card, task) for task in TASKS) / len(TASKS), 6),
    )


def ability_names(abilities: Ability) -> tuple[str, ...]:
    """The abilities as settings spell them."""
    return tuple(str(ability.name).lower() for ability in Ability if ability in abilities)


def _value(figure: Figure | None) -> float | None:
    return None if figure is None else figure.value


def _model_figures(card: ModelCard) -> Iterator[tuple[str, Figure]]:
    for field in MODEL_UNITS:
        figure = getattr(card, field)
        if figure is not None:
            yield field, figure
    for family, figure in card.quality.items():
        yield f"quality.{family}", figure


def _offer_figures(offer: Offer) -> Iterator[tuple[str, Figure]]:
    yield from _price_figures(offer.prices)
    for field in OFFER_UNITS:
        figure = getattr(offer, field)
        if figure is not None:
            yield field, figure


def _price_figures(prices: Prices) -> Iterator[tuple[str, Figure]]:
    for field in PRICE_UNITS:
        figure = getattr(prices, field)
        if figure is not None:
            yield f"prices.{field}", figure
    if prices.tier is not None:
        for field in ("input", "cached_input", "output"):
            figure = getattr(prices.tier, field)
            if figure is not None:
                yield f"prices.above_{prices.tier.above_input_tokens}.{field}", figure


def _unit(field: str) -> str:
    kind, _, name = field.rpartition(".")
    if kind.startswith("prices"):
        return PRICE_UNITS[name]
    return "share of good answers" if kind == "quality" else {**OFFER_UNITS, **MODEL_UNITS}[field]


def _evidence(catalog: Catalog, field: str, figure: Figure, unit: str) -> Evidence:
    source = catalog.sources.get(figure.source)
    return Evidence(
        field=field,
        value=figure.value,
        unit=unit,
        source=figure.source,
        date=figure.date or (source.date if source is not None else ""),
        url=source.url if source is not None else "",
        low=figure.low,
        high=figure.high,
    )


def _model_evidence(catalog: Catalog, card: ModelCard) -> Iterator[Evidence]:
    return (_evidence(catalog, field, figure, _unit(field)) for field, figure in _model_figures(card))


def _task_evidence(catalog: Catalog, card: ModelCard) -> Iterator[TaskEvidence]:
    shares = by_task(catalog, [card.id], TASKS).shares[:, 0].tolist()
    for task, quality in zip(TASKS, shares, strict=True):
        figures = [_evidence(catalog, "", figure, "") for figure in quality_figures(card, task)]
        sources = dict.fromkeys(f"{one.source} {one.date}".rstrip() for one in figures)
        yield TaskEvidence(task, quality, round(stated_share(card, task), 6), tuple(sources))


def _offer_evidence(catalog: Catalog, card: ModelCard, offer: Offer) -> Iterator[Evidence]:
    for field, figure in _offer_figures(offer):
        yield _evidence(catalog, field, figure, _unit(field))
    for source, bits in offer.abilities_from.items():
        stated = _evidence(catalog, "abilities", Figure(0.0, source), "")
        names = ", ".join(ability_names(Ability(bits)))
        yield Evidence("abilities", names, "", stated.source, stated.date, stated.url)
    carbon = output_token_g(card, offer, catalog)
    if carbon is not None:
        yield _evidence(catalog, "carbon_g_per_output_token", carbon, "gCO2e, computed; see gateway/catalog/carbon.py")


def _changes(target: str, old: dict[str, Figure], new: dict[str, Figure]) -> Iterable[Change]:
    for field in sorted(old.keys() | new.keys()):
        before, after = old.get(field), new.get(field)
        if _value(before) != _value(after):
            source = after.source if after is not None else before.source if before is not None else ""
            yield Change(target, field, _value(before), _value(after), source)
