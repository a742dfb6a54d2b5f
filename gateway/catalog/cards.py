"""Model cards: what is true of a model whoever sells it, joined from the facts in the offers and the model sources."""

import math
import re
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from gateway.catalog.aliases import Aliases
from gateway.catalog.card import Figure, ModelCard, Offer, Source
from gateway.catalog.energy import token_figures
from gateway.catalog.names import Names
from gateway.catalog.records import ModelRecord, OfferRecord, Reading

MODEL_CARDS = "model-cards"
MODEL_NAMES = "model-names"
OWN_SOURCES = {
    MODEL_CARDS: Source(MODEL_CARDS, "https://huggingface.co/models", date="2026-11-22"),
    MODEL_NAMES: Source(MODEL_NAMES, "https://huggingface.co/models", date="2026-11-22"),
}

MIN_SHARED = 5

# A maker and the provider by which it sells its own models; EcoLogits measures speeds there.
OWN_PROVIDER = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google",
    "mistralai": "mistral",
    "cohere": "cohere",
    "x-ai": "xai",
    "deepseek": "deepseek",
    "qwen": "alibaba",
    "moonshotai": "moonshot",
    "z-ai": "zai",
    "minimax": "minimax",
    "meta-llama": "meta",
    "perplexity": "perplexity",
}
# "qwen3-235b-a22b": 235 billion in total, 22 active. "8x7b", "e4b" and "r7b" count something else.
COUNT_IN_NAME = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)b(?:-a(\d+(?:\.\d+)?)b)?(?![a-z0-9])")


def build(
    records: Mapping[str, list[OfferRecord]],
    readings: Sequence[Reading],
    names: Names,
    aliases: Aliases,
    unjoined: set[str],
) -> dict[str, ModelCard]:
    """A card for every model on offer, by id."""
    measured = _by_model(readings, names, records, unjoined)
    cards = {}
    for model_id in sorted(records):
        found = measured.get(model_id, [])
        card = _with_quality(_with_facts(model_id, records[model_id]), found)
        cards[model_id] = _with_energy(card, found, aliases)
    return cards


def with_measured_speed(
    offers: dict[tuple[str, str], Offer], readings: Sequence[Reading], names: Names
) -> dict[tuple[str, str], Offer]:
    """The offers, those of the makers themselves with the first-token time and speed measured there."""
    faster = dict(offers)
    for reading in readings:
        for record in reading.models:
            model_id = names.find(record.name, record.maker)
            target = (model_id or "", OWN_PROVIDER.get((model_id or "").partition("/")[0], ""))
            if target in faster and record.output_tokens_per_second is not None:
                faster[target] = replace(
                    faster[target],
                    first_token_seconds=record.first_token_seconds,
                    output_tokens_per_second=record.output_tokens_per_second,
                )
    return faster


def _by_model(
    readings: Sequence[Reading], names: Names, offered: Mapping[str, object], unjoined: set[str]
) -> dict[str, list[ModelRecord]]:
    measured: dict[str, list[ModelRecord]] = {}
    for reading in readings:
        for record in reading.models:
            model_id = names.find(record.name, record.maker)
            if model_id in offered and model_id is not None:
                measured.setdefault(model_id, []).append(record)
            else:
                unjoined.add(f"{reading.source.name}: {record.name}")
    return measured


def _with_facts(model_id: str, records: list[OfferRecord]) -> ModelCard:
    facts = [record.facts for record in records]
    maker, _, name = model_id.partition("/")
    reasoning = next((fact.reasoning for fact in facts if fact.reasoning is not None), False)
    return ModelCard(
        id=model_id,
        name=next((fact.title for fact in facts if fact.title), name),
        maker=maker,
        family=next((fact.family for fact in facts if fact.family), ""),
        released=next((fact.released for fact in facts if fact.released), ""),
        open_weights=next((fact.open_weights for fact in facts if fact.open_weights is not None), None),
        input_modalities=next((fact.input_modalities for fact in facts if fact.input_modalities), ("text",)),
        output_modalities=next((fact.output_modalities for fact in facts if fact.output_modalities), ("text",)),
        dimensions=next((fact.dimensions for fact in facts if fact.dimensions), None),
        reasoning=bool(reasoning),
        aliases=_aliases(model_id, records),
    )


def _aliases(model_id: str, records: list[OfferRecord]) -> tuple[str, ...]:
    """The bare name, and every plain name by which the maker's own provider or OpenRouter knows it."""
    maker, _, name = model_id.partition("/")
    sellers = {maker, OWN_PROVIDER.get(maker), "openrouter"}
    names = {name, *(record.name for record in records if record.provider in sellers)}
    return tuple(sorted(names - {model_id}))


def _with_quality(card: ModelCard, records: list[ModelRecord]) -> ModelCard:
    """Each benchmark family from the newest table that has the model."""
    quality: dict[str, Figure] = {}
    for record in records:
        for family, figure in record.quality.items():
            if family not in quality or quality[family].date < figure.date:
                quality[family] = figure
    return replace(card, quality=dict(sorted(quality.items())))


def equating(readings: Sequence[Reading]) -> dict[str, Figure]:
    """How many logits to add to a family's scores in an older table so that they compare with the newest one's.

    Benchmarks get harder from release to release. The shift is the mean difference over the models that both tables
    have; an older table with fewer than MIN_SHARED models in common gets none.
    """
    tables: dict[tuple[str, str], dict[str, Figure]] = {}  # (family, date) -> model -> figure
    for reading in readings:
        for record in reading.models:
            for family, figure in record.quality.items():
                if figure.source == "livebench":
                    tables.setdefault((family, figure.date), {})[record.name] = figure
    newest = {family: max(date for known, date in tables if known == family) for family, _ in tables}
    shifts = {}
    for (family, date), scores in sorted(tables.items()):
        reference = tables[family, newest[family]]
        gaps = [logit(reference[model].value) - logit(scores[model].value) for model in scores if model in reference]
        if date != newest[family] and len(gaps) >= MIN_SHARED:
            shifts[f"{family}@{date}"] = Figure(round(sum(gaps) / len(gaps), 3), "livebench", newest[family])
    return shifts


def logit(share: float) -> float:
    """Log odds of a share, which is held 1 % away from 0 and 1."""
    held = min(0.99, max(0.01, share))
    return math.log(held / (1 - held))


def _with_energy(card: ModelCard, records: list[ModelRecord], aliases: Aliases) -> ModelCard:
    active, total = (None, None) if card.embeds else _parameters(card, records, aliases)
    if active is None or total is None or active.value <= 0 or total.value <= 0:
        return card
    speed = next((record.output_tokens_per_second for record in records if record.output_tokens_per_second), None)
    energy, embodied = token_figures(active, total, speed)
    return replace(
        card,
        active_parameters_billions=active,
        total_parameters_billions=total,
        energy_wh_per_output_token=energy,
        embodied_g_per_output_token=embodied,
    )


def _parameters(card: ModelCard, records: list[ModelRecord], aliases: Aliases) -> tuple[Figure | None, Figure | None]:
    """Active and total: EcoLogits, the maker's model card, or the model's own name."""
    for record in records:
        if record.active_parameters_billions and record.total_parameters_billions:
            return record.active_parameters_billions, record.total_parameters_billions
    stated = aliases.parameters.get(card.id)
    if stated is not None:
        return Figure(stated[1], MODEL_CARDS), Figure(stated[0], MODEL_CARDS)
    count = COUNT_IN_NAME.search(card.id.partition("/")[2])
    if count is None:
        return None, None
    total, active = count.groups()
    return Figure(float(active or total), MODEL_NAMES), Figure(float(total), MODEL_NAMES)
