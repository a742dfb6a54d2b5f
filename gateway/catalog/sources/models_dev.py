"""models.dev: `api.json`, a map of providers, or `{providers, models}` in which an entry may rest on a `base_model`."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from gateway.catalog.card import Figure, Prices, PriceTier, Source
from gateway.catalog.records import Broken, Facts, OfferRecord, Reading
from gateway.catalog.sources.entries import entries, figure, frame
from gateway.wire.ability import Ability

NAME = "models.dev"
MODALITIES = {"image": Ability.IMAGES, "audio": Ability.AUDIO, "pdf": Ability.FILES, "video": Ability.VIDEO}
ALL_MODALITIES = Ability.IMAGES | Ability.AUDIO | Ability.FILES | Ability.VIDEO


class TierSize(Struct, frozen=True):
    size: int


class Tier(Struct, frozen=True):
    tier: TierSize
    input: float | None = None
    output: float | None = None
    cache_read: float | None = None


class Cost(Struct, frozen=True):
    """USD per million tokens."""

    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None
    reasoning: float | None = None
    tiers: list[Tier] = []


class Limit(Struct, frozen=True):
    context: float | None = None
    input: float | None = None
    output: float | None = None


class Modalities(Struct, frozen=True):
    input: list[str] = []
    output: list[str] = []


class Entry(Struct, frozen=True):
    base_model: str = ""
    name: str = ""
    family: str = ""
    release_date: str = ""
    open_weights: bool | None = None
    reasoning: bool | None = None
    tool_call: bool | None = None
    structured_output: bool | None = None
    status: str = ""
    modalities: Modalities | None = None
    limit: Limit = Limit()
    cost: Cost = Cost()


class Provider(Struct, frozen=True):
    models: dict[str, Raw] = {}


class Assembled(Struct, frozen=True):
    providers: dict[str, Raw]
    models: dict[str, dict[str, Any]] = {}


ENTRY = msgspec.json.Decoder(Entry)
PROVIDER = msgspec.json.Decoder(Provider)


def read(body: bytes, source: Source) -> Reading:
    """Every model of every provider."""
    outer = frame(body, dict[str, Raw], NAME)
    bases: dict[str, dict[str, Any]] = {}
    if "providers" in outer and "models" in outer:
        assembled = frame(body, Assembled, NAME)
        outer, bases = assembled.providers, assembled.models
    reading, count = Reading(source), 0
    for provider, content in entries(outer, PROVIDER, reading):
        count += len(content.models)
        models = {name: _on_base(text, bases) for name, text in content.models.items()}
        for name, entry in entries(models, ENTRY, reading, provider):
            reading.offers.append(_offer(provider, name, entry, source.date))
    reading.broken = [_of_provider(broken) for broken in reading.broken]
    return reading.checked(count)


def _of_provider(broken: Broken) -> Broken:
    """A provider whose whole entry is unreadable: no name, so that all its offers are kept."""
    return broken if broken.provider else Broken(broken.name, "", broken.reason)


def _on_base(text: Raw, bases: dict[str, dict[str, Any]]) -> Raw:
    """The entry laid over the model that it names as its base, as models.dev's own generator does."""
    if not bases or b'"base_model"' not in bytes(text):
        return text
    entry = msgspec.json.decode(text)
    if not isinstance(entry, dict):
        return text
    base = bases.get(entry.get("base_model", ""), {})
    omitted = set(entry.get("base_model_omit", ()))
    merged = {key: value for key, value in base.items() if key not in omitted} | entry
    for part in ("limit", "modalities"):
        if isinstance(base.get(part), dict) and isinstance(entry.get(part), dict):
            merged[part] = base[part] | entry[part]
    return Raw(msgspec.json.encode(merged))


def _offer(provider: str, name: str, entry: Entry, date: str) -> OfferRecord:
    has, lacks = _abilities(entry)
    modalities = entry.modalities or Modalities()
    return OfferRecord(
        provider=provider,
        name=name,
        model=entry.base_model,
        prices=_prices(entry.cost),
        context_window=_limit(entry.limit.context),
        max_input_tokens=_limit(entry.limit.input),
        max_output_tokens=_limit(entry.limit.output),
        abilities=has,
        lacks=lacks,
        facts=Facts(
            title=entry.name,
            family=entry.family,
            released=entry.release_date,
            open_weights=entry.open_weights,
            reasoning=entry.reasoning,
            input_modalities=tuple(modalities.input),
            output_modalities=tuple(modalities.output),
        ),
        retires=date if entry.status == "deprecated" else "",
    )


def _limit(value: float | None) -> Figure | None:
    return figure(value, NAME) if value else None  # 0 is this source's word for "not stated"


def _prices(cost: Cost) -> Prices:
    tier = cost.tiers[0] if cost.tiers else None
    return Prices(
        input=figure(cost.input, NAME),
        output=figure(cost.output, NAME),
        cached_input=figure(cost.cache_read, NAME),
        cache_write=figure(cost.cache_write, NAME) if cost.cache_write else None,
        reasoning=figure(cost.reasoning, NAME) if cost.reasoning else None,
        tier=None
        if tier is None
        else PriceTier(
            tier.tier.size, figure(tier.input, NAME), figure(tier.cache_read, NAME), figure(tier.output, NAME)
        ),
    )


def _abilities(entry: Entry) -> tuple[Ability, Ability]:
    has = lacks = Ability(0)
    stated = (
        (entry.tool_call, Ability.TOOLS),
        (entry.reasoning, Ability.REASONING),
        (entry.structured_output, Ability.JSON_SCHEMA | Ability.JSON_MODE),
    )
    for claim, bits in stated:
        has |= bits if claim is True else Ability(0)
        lacks |= bits if claim is False else Ability(0)
    if entry.modalities is not None and entry.modalities.input:
        taken = Ability(0)
        for modality in entry.modalities.input:
            taken |= MODALITIES.get(modality, Ability(0))
        has |= taken
        lacks |= ALL_MODALITIES & ~taken
    return has, lacks
