"""Join what the sources state into one catalog: one offer per model and provider, each figure from the best source.

PRECEDENCE is the whole rule: for each field the first source in it that states a figure wins. A provider's own list
comes before models.dev, models.dev before LiteLLM, and the archives last. Where two sources differ by more than
DISAGREEMENT, the build report says so.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from gateway.catalog import cards
from gateway.catalog.aliases import Aliases, ProviderRow
from gateway.catalog.card import Catalog, Figure, Offer, Prices, Source
from gateway.catalog.embedders import as_embedder, embedding_prices
from gateway.catalog.names import Names, is_chat_model, is_embedding_model
from gateway.catalog.records import OfferRecord, Reading
from gateway.wire.ability import Ability

PRECEDENCE = ("openrouter", "models.dev", "litellm", "genai-prices", "portkey")
ARCHIVES = frozenset({"genai-prices", "portkey"})  # they keep models that are no longer sold, so they list nothing
DISAGREEMENT = 0.10  # relative difference between two sources that is worth a line in the report
COMPARED = ("prices.input", "prices.output", "prices.cached_input", "context_window", "max_output_tokens")
OPENROUTER_SPELLING = re.compile(r"^[a-z0-9-]+/[a-z0-9.-]+$")


class Disagreement(Struct, frozen=True):
    """Sources that differ on one figure; the first one is used."""

    target: str
    field: str
    values: dict[str, float]


class Joined(Struct, frozen=True):
    """The catalog and what there is to say about how it came to be."""

    catalog: Catalog
    disagreements: tuple[Disagreement, ...]
    unjoined: tuple[str, ...]  # "source: spelling" of what no canonical id was found for
    unreadable: frozenset[str]  # target ids whose entry was broken in some feed
    problems: tuple[str, ...]  # what was broken there, by source and path


Stated = list[tuple[str, OfferRecord]]  # (source, record) of one target, best first


def join(readings: Iterable[Reading], aliases: Aliases, known: Iterable[str] = ()) -> Joined:
    """One catalog of all readings. `known`: canonical ids that exist already."""
    ordered = sorted(readings, key=lambda reading: _rank(reading.source.name))
    names = Names(aliases, (*known, *_vocabulary(ordered, aliases)))
    stated, unjoined = _gather(ordered, aliases, names)
    unlisted = max((reading.source.date for reading in ordered if reading.source.name in ARCHIVES), default="")
    offers = {target: _offer(target, rows, aliases.providers[target[1]], unlisted) for target, rows in stated.items()}
    models = cards.build(_facts(stated), ordered, names, aliases, unjoined)
    offers = cards.with_measured_speed(offers, ordered, names)
    sources = _sources(ordered)
    catalog = Catalog(
        version="",  # `snapshot.versioned` sets it once the figures are final
        date=max((source.date for source in sources.values()), default=""),
        sources=sources,
        models=models,
        offers=tuple(offers[target] for target in sorted(offers, key=lambda target: (target[1], target[0]))),
        grid_g_per_kwh={zone: mix for reading in ordered for zone, mix in reading.grid_g_per_kwh.items()},
        pue={name: _pue(row) for name, row in aliases.providers.items() if row.pue is not None},
        equating=cards.equating(ordered),
    )
    return Joined(
        catalog=catalog,
        disagreements=tuple(_disagreements(stated)),
        unjoined=tuple(sorted(unjoined)),
        unreadable=_unreadable(ordered, aliases, names),
        problems=tuple(broken.reason for reading in ordered for broken in reading.broken),
    )


def _rank(source: str) -> int:
    return PRECEDENCE.index(source) if source in PRECEDENCE else len(PRECEDENCE)


def _sources(readings: Sequence[Reading]) -> dict[str, Source]:
    """By name; of several feeds of one source the newest date."""
    sources = dict(cards.OWN_SOURCES)
    for reading in readings:
        known = sources.get(reading.source.name)
        if known is None or known.date < reading.source.date:
            sources[reading.source.name] = reading.source
    return sources


def _vocabulary(readings: Sequence[Reading], aliases: Aliases) -> list[str]:
    """Canonical ids: every name that any source has for a model at OpenRouter."""
    providers = aliases.providers_by_spelling()
    return [
        record.name
        for reading in readings
        for record in reading.offers
        if providers.get((reading.source.name, record.provider)) == "openrouter"
        and OPENROUTER_SPELLING.match(record.name)
        and is_chat_model(record.name)
    ]


def _gather(
    readings: Sequence[Reading], aliases: Aliases, names: Names
) -> tuple[dict[tuple[str, str], Stated], set[str]]:
    """Each (model, provider) with what the sources state of it."""
    providers = aliases.providers_by_spelling()
    found: dict[tuple[str, str], dict[str, list[OfferRecord]]] = defaultdict(lambda: defaultdict(list))
    unjoined: set[str] = set()
    for reading in readings:
        source = reading.source.name
        for record in reading.offers:
            provider = providers.get((source, record.provider))
            if provider is None or not _is_for_sale(record, provider):
                continue
            if is_embedding_model(record.name):
                record = as_embedder(record)
            model_id = names.resolve(record.name, provider, record.model.partition("/")[0])
            if model_id is None:
                unjoined.add(f"{source}: {record.provider}/{record.name}")
            else:
                found[model_id, provider][source].append(record)
    return _listed(found, aliases), unjoined


def _is_for_sale(record: OfferRecord, provider: str) -> bool:
    """A model that answers there to chat, or embeds, under this name."""
    if is_embedding_model(record.name):
        return True
    outputs = record.facts.output_modalities
    if (outputs and "text" not in outputs) or {"image", "video"} & set(outputs) or not is_chat_model(record.name):
        return False
    if provider == "openrouter":
        return ":" not in record.name and not record.name.startswith(("openrouter/", "~"))
    # Perplexity sells other makers' models through its agent API only.
    return provider != "perplexity" or record.name.removeprefix("perplexity/").startswith("sonar")


def _listed(
    found: dict[tuple[str, str], dict[str, list[OfferRecord]]], aliases: Aliases
) -> dict[tuple[str, str], Stated]:
    """Those that a current list shows, or that the table keeps; each with its sources in order of precedence."""
    listed = {}
    for (model, provider), by_source in found.items():
        if ARCHIVES.issuperset(by_source) and f"{model}@{provider}" not in aliases.archived:
            continue
        prefer = aliases.providers[provider].prefer
        listed[model, provider] = [
            (source, record)
            for source in sorted(by_source, key=_rank)
            for record in sorted(by_source[source], key=lambda record: _plainness(record, prefer))
        ]
    return listed


def _plainness(record: OfferRecord, prefer: tuple[str, ...]) -> tuple[int, int, str]:
    """Of several names of one model at one provider the preferred one, then the shortest."""
    position = next((n for n, beginning in enumerate(prefer) if record.name.startswith(beginning)), len(prefer))
    return position, len(record.name), record.name


def _offer(target: tuple[str, str], rows: Stated, provider: ProviderRow, unlisted: str) -> Offer:
    """One offer. `unlisted`: the day of the archives, on which an offer that only they know was no longer listed."""
    first: dict[str, OfferRecord] = {}
    for source, record in rows:
        first.setdefault(source, record)
    records = list(first.items())
    abilities, evidence = _abilities(records)
    return Offer(
        model=target[0],
        provider=target[1],
        upstream_name=records[0][1].name,
        prices=embedding_prices(records) if is_embedding_model(target[0]) else _prices(records, provider.free),
        context_window=_best(record.context_window for _, record in records),
        max_input_tokens=_best(record.max_input_tokens for _, record in records),
        max_output_tokens=_best(record.max_output_tokens for _, record in records),
        abilities=abilities,
        abilities_from=evidence,
        region=provider.region,
        api=next((record.api for _, record in records if record.api), ""),
        retires=unlisted if ARCHIVES.issuperset(first) else _retires(records),
    )


def _best(figures: Iterable[Figure | None]) -> Figure | None:
    return next((figure for figure in figures if figure is not None), None)


def _retires(records: list[tuple[str, OfferRecord]]) -> str:
    """LiteLLM knows days; models.dev knows only that a model is deprecated."""
    stated = {source: record.retires for source, record in records if record.retires}
    return stated.get("litellm") or next(iter(stated.values()), "")


def _abilities(records: list[tuple[str, OfferRecord]]) -> tuple[Ability, dict[str, int]]:
    """Bit by bit the word of the first source that speaks of it."""
    abilities, spoken, evidence = Ability(0), Ability(0), {}
    for source, record in records:
        new = record.abilities & ~spoken
        if new:
            evidence[source] = int(new)
        abilities |= new
        spoken |= record.abilities | record.lacks
    return abilities, evidence


def _prices(records: list[tuple[str, OfferRecord]], free: bool) -> Prices:
    """Input and output price from the first source that states them; the rest from it or from one that agrees with it.

    A price of 0 is a price only where the provider is known to be free or where two sources say so.
    """
    stated = [record.prices for _, record in records if record.prices.input and record.prices.output]
    real = [prices for prices in stated if _is_charged(prices)]
    chosen = real or (stated if free or len(stated) > 1 else [])
    if not chosen:
        return Prices()
    best = chosen[0]
    for prices in chosen[1:]:
        if agree(best.input, prices.input) and agree(best.output, prices.output):
            best = Prices(
                input=best.input,
                output=best.output,
                cached_input=best.cached_input or prices.cached_input,
                cache_write=best.cache_write or prices.cache_write,
                cache_write_1h=best.cache_write_1h or prices.cache_write_1h,
                reasoning=best.reasoning or prices.reasoning,
                image=best.image or prices.image,
                request=best.request or prices.request,
                tier=best.tier or prices.tier,
            )
    return best if best.cached_input is None or best.cached_input.value or not _is_charged(best) else _uncached(best)


def _uncached(prices: Prices) -> Prices:
    """A cached price of 0 beside a real input price means that the source knows of no caching."""
    return replace(prices, cached_input=None)


def _is_charged(prices: Prices) -> bool:
    return any(figure is not None and figure.value != 0 for figure in (prices.input, prices.output))


def agree(one: Figure | None, other: Figure | None) -> bool:
    """Within DISAGREEMENT of each other."""
    if one is None or other is None:
        return False
    return abs(one.value - other.value) <= DISAGREEMENT * max(abs(one.value), abs(other.value))


def _disagreements(stated: dict[tuple[str, str], Stated]) -> Iterable[Disagreement]:
    for (model, provider), rows in sorted(stated.items()):
        for field in COMPARED:
            values: dict[str, Figure] = {}
            for source, record in rows:
                figure = _field(record, field)
                if figure is not None and figure.value and source not in values:
                    values[source] = figure
            first = next(iter(values.values()), None)
            if any(not agree(first, other) for other in values.values()):
                by_source = {source: figure.value for source, figure in values.items()}
                yield Disagreement(f"{model}@{provider}", field, by_source)


def _field(record: OfferRecord, path: str) -> Figure | None:
    part, _, name = path.rpartition(".")
    figure = getattr(getattr(record, part) if part else record, name)
    return figure if isinstance(figure, Figure) else None


def _facts(stated: dict[tuple[str, str], Stated]) -> dict[str, list[OfferRecord]]:
    """Each model's records, the best first: by source, then the maker's own provider before hosts."""
    by_model: dict[str, list[tuple[tuple[int, bool], OfferRecord]]] = defaultdict(list)
    for (model, provider), rows in stated.items():
        own = cards.OWN_PROVIDER.get(model.partition("/")[0]) == provider
        by_model[model].extend(((_rank(source), not own), record) for source, record in rows)
    return {model: [record for _, record in sorted(rows, key=lambda row: row[0])] for model, rows in by_model.items()}


def _pue(row: ProviderRow) -> Figure:
    if isinstance(row.pue, tuple):
        return Figure(round(sum(row.pue) / 2, 4), "ecologits", low=row.pue[0], high=row.pue[1])
    return Figure(row.pue or 1.0, "ecologits")


def _unreadable(readings: Sequence[Reading], aliases: Aliases, names: Names) -> frozenset[str]:
    """Targets whose entry was broken; "*@provider" when a provider's whole entry was."""
    providers = aliases.providers_by_spelling()
    targets = set()
    for reading in readings:
        for broken in reading.broken:
            provider = providers.get((reading.source.name, broken.provider))
            if provider is not None:
                model = names.resolve(broken.name, provider) if broken.name else "*"
                targets.add(f"{model}@{provider}")
    return frozenset(targets)
