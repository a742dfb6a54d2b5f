"""Targets: the offers of the live providers as columns of the scoring matrix, every gap filled pessimistically."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from statistics import median
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from core.dimensions import INDEX
from core.matrix import F32, U8, CatalogMatrix, LiveFigures
from gateway.catalog import speed
from gateway.catalog.carbon import CACHED_SHARE, INPUT_SHARE, is_grid_known, output_token_g
from gateway.catalog.card import Catalog, Figure, ModelCard, Offer, PriceTier, Source
from gateway.catalog.kin import are_similar
from gateway.catalog.quality import by_task

PER_TOKEN = 1e-6  # prices are stated per million
TOKENS_PER_IMAGE = 1_000.0  # that an image costs where it has no price of its own; 258 to 1,600 are usual
PESSIMISTIC = 0.9  # quantile of all known figures, for a target that has no kin
SMALL_WINDOW = 8_192.0  # tokens: what an unknown window is taken for
SMALL_OUTPUT = 4_096.0
UNKNOWN_CARBON_G = 0.005  # per output token, where not one target's size is known: about that of the largest models
UNBOUNDED = (np.inf, np.inf, np.inf)  # of embedding models, whose limit is that of one text, not of a request
AVAILABILITY = 0.99  # of a target that was not tried yet
FREE_AVAILABILITY = 0.9  # of one that costs nothing: free endpoints are trials with tight rate limits; our judgement
RETIRED_AVAILABILITY = 0.25  # of one that its provider has announced to switch off: tried after all others

# Input tokens that a maker's tokenizer makes of the same text, against our estimate. Our own rough figures.
TOKEN_RATIO = {"anthropic": 1.15, "mistralai": 1.1}

AnyArray = TypeVar("AnyArray", bound=NDArray[Any])


class Targets(Struct, frozen=True):
    """What can be chosen now. Column n of every array is offers[n]."""

    offers: tuple[Offer, ...]
    models: tuple[ModelCard, ...]  # of each column
    ids: tuple[str, ...]  # "openai/gpt-5@openai"
    matrix: CatalogMatrix
    prior: LiveFigures
    capacity: F32  # [n] tokens of one conversation; of an embedding model, of one text
    by_model: dict[str, tuple[int, ...]]  # model model_id, or another name of it -> columns
    by_provider: dict[str, tuple[int, ...]]
    source_dates: Mapping[str, str] = MappingProxyType({})  # source -> ISO date of what it states
    learned: F32 | None = None  # [tasks, n] what own outcomes have changed in the matrix's quality
    learned_weights: str = ""  # the version that did so; "" for none


def build_targets(
    catalog: Catalog,
    providers: Collection[str],
    tasks: Sequence[str],
    apis: Mapping[str, Collection[str]] = MappingProxyType({}),
    unserved: Collection[str] = (),
) -> Targets:
    """The offers of the given providers that answer to chat, as columns.

    apis: provider -> further formats that it can be asked in, for models that answer in nothing else.
    unserved: ids of offers that cannot be had with what is set up here.
    An offer past the day on which its provider retires it (the catalog's date is today) stays, but expects failure.
    """
    offers = tuple(
        sorted(
            (
                offer
                for offer in catalog.offers
                if offer.provider in providers
                and (not offer.api or offer.api in apis.get(offer.provider, ()))
                and offer.id not in unserved
            ),
            key=lambda offer: (offer.model, offer.provider),
        )
    )
    models = tuple(catalog.models[offer.model] for offer in offers)
    guess = Guess(catalog)
    speeds = [speed.expected(card, offer) for card, offer in zip(models, offers, strict=True)]
    return Targets(
        offers=offers,
        models=models,
        ids=tuple(offer.id for offer in offers),
        matrix=_matrix(catalog, guess, offers, models, speeds, tasks),
        prior=_prior(catalog, offers, speeds),
        capacity=_frozen([guess.window(offer)[0] for offer in offers]),
        by_model=_by_model(offers, models),
        by_provider=_columns_by(offers, lambda offer: offer.provider),
        source_dates={name: source.date for name, source in catalog.sources.items()},
    )


def merge(
    catalog: Catalog,
    models: Mapping[str, ModelCard],
    offers: Collection[Offer],
    sources: Mapping[str, Source] | None = None,
) -> Catalog:
    """The catalog with models and offers of one's own on top; they replace those of the same id."""
    own = {offer.id for offer in offers}
    return replace(
        catalog,
        sources={**catalog.sources, **(sources or {})},
        models={**catalog.models, **models},
        offers=(*(offer for offer in catalog.offers if offer.id not in own), *offers),
    )


def _matrix(
    catalog: Catalog,
    guess: "Guess",
    offers: Sequence[Offer],
    models: Sequence[ModelCard],
    speeds: Sequence[speed.Speed],
    tasks: Sequence[str],
) -> CatalogMatrix:
    ids = sorted({offer.model for offer in offers})
    position = {model_id: column for column, model_id in enumerate(ids)}
    of_model = np.array([position[offer.model] for offer in offers], np.intp)
    quality = by_task(catalog, ids, tasks)
    grams = [output_token_g(card, offer, catalog) for card, offer in zip(models, offers, strict=True)]
    carbon = _carbon(grams, offers, guess.output_prices)
    prices = [guess.prices(offer) for offer in offers]
    sold = list(zip(models, offers, strict=True))
    windows = [UNBOUNDED if card.embeds else guess.window(offer) for card, offer in sold]
    is_priced = [bool(offer.prices.input and (offer.prices.output or card.embeds)) for card, offer in sold]
    priced = np.array(is_priced, np.uint8)
    known = {
        "cost": priced,
        "latency": np.array([pace.stated for pace in speeds], np.uint8),
        "quality": quality.known[of_model].astype(np.uint8),
        "carbon": np.array(
            [g is not None and is_grid_known(offer, catalog) for g, offer in zip(grams, offers, strict=True)], np.uint8
        ),
    }
    tiers = [offer.prices.tier for offer in offers]
    return CatalogMatrix(
        price=_rows(prices, 5, PER_TOKEN, per_unit=(3, 4)),
        tier_from=_frozen([tier.above_input_tokens if tier else np.inf for tier in tiers]),
        tier_price=_rows([_tier(tier, row) for tier, row in zip(tiers, prices, strict=True)], 3, PER_TOKEN),
        write_surcharge=_frozen([_write_surcharge(offer) for offer in offers]),
        output_ratio=_frozen([speed.output_ratio(card) for card in models]),
        token_ratio=_frozen([TOKEN_RATIO.get(card.maker, 1.0) for card in models]),
        quality=_readonly(np.ascontiguousarray(quality.shares[:, of_model])),
        carbon=carbon,
        window=_frozen([window for window, _, _ in windows]),
        input_limit=_frozen([limit for _, limit, _ in windows]),
        output_limit=_frozen([limit for _, _, limit in windows]),
        abilities=_readonly(np.array([int(offer.abilities) for offer in offers], np.uint32)),
        known=_readonly(_bits(known, len(offers))),
        priced=_readonly(priced),
    )


def _prior(catalog: Catalog, offers: Sequence[Offer], speeds: Sequence[speed.Speed]) -> LiveFigures:
    return LiveFigures(
        first_token_seconds=_frozen([pace.first_token_seconds for pace in speeds]),
        seconds_per_output_token=_frozen([1 / pace.output_tokens_per_second for pace in speeds]),
        availability=_frozen([_availability(catalog, offer) for offer in offers]),
        out=_readonly(np.zeros(len(offers), np.uint8)),
        load=_frozen([0.0] * len(offers)),
        calls=_frozen([0.0] * len(offers)),
    )


def _availability(catalog: Catalog, offer: Offer) -> float:
    """Before anything is known of the target itself."""
    if offer.retires and offer.retires <= catalog.date:
        return RETIRED_AVAILABILITY
    is_free = offer.prices.output is not None and offer.prices.output.value == 0
    return FREE_AVAILABILITY if is_free else AVAILABILITY


class Guess:
    """Pessimistic stand-ins for figures that nobody states."""

    def __init__(self, catalog: Catalog) -> None:
        self._offers: dict[str, list[Offer]] = {}
        for offer in catalog.offers:
            self._offers.setdefault(offer.model, []).append(offer)
        self.output_prices = {
            model_id: median(prices)
            for model_id, hosts in self._offers.items()
            if (prices := [offer.prices.output.value for offer in hosts if offer.prices.output is not None])
        }
        self._high_input = _quantile([offer.prices.input for offer in catalog.offers])
        self._high_output = _quantile([offer.prices.output for offer in catalog.offers])

    def prices(self, offer: Offer) -> tuple[float, float, float, float, float]:
        """Input, cached input, output (USD per million tokens), image and request (USD each)."""
        stated, hosts = offer.prices, self._offers.get(offer.model, [])
        input_price = _value(stated.input, max(_values(host.prices.input for host in hosts), default=self._high_input))
        output = _value(stated.output, max(_values(host.prices.output for host in hosts), default=self._high_output))
        image = _value(stated.image, input_price * PER_TOKEN * TOKENS_PER_IMAGE)
        return input_price, _value(stated.cached_input, input_price), output, image, _value(stated.request, 0.0)

    def window(self, offer: Offer) -> tuple[float, float, float]:
        """Context window, input limit and output limit, in tokens."""
        hosts = self._offers.get(offer.model, [])
        window = _value(offer.context_window or offer.max_input_tokens, 0.0) or min(
            _values(host.context_window or host.max_input_tokens for host in hosts), default=SMALL_WINDOW
        )
        output = _value(offer.max_output_tokens, 0.0) or min(
            _values(host.max_output_tokens for host in hosts), default=SMALL_OUTPUT
        )
        return window, min(window, _value(offer.max_input_tokens, window)), min(window, output)


def _carbon(grams: Sequence[Figure | None], offers: Sequence[Offer], prices: Mapping[str, float]) -> F32:
    """[3, n] gCO2e per input, cached input and output token.

    Unknown: the most that a model of the same maker and class of price emits, else a high figure of all known ones.
    """
    by_maker: dict[str, dict[str, float]] = {}
    for offer, figure in zip(offers, grams, strict=True):
        if figure is not None:
            known = by_maker.setdefault(offer.model.partition("/")[0], {})
            known[offer.model] = max(figure.value, known.get(offer.model, 0.0))
    high = _quantile(grams) or UNKNOWN_CARBON_G
    output = []
    for offer, figure in zip(offers, grams, strict=True):
        kin = by_maker.get(offer.model.partition("/")[0], {}).items()
        similar = [emitted for model_id, emitted in kin if are_similar(prices.get(model_id), prices.get(offer.model))]
        output.append(figure.value if figure is not None else max(similar, default=high))
    column = np.array(output, np.float32)
    return _readonly(np.stack([column * np.float32(INPUT_SHARE), column * np.float32(CACHED_SHARE), column]))


def _tier(tier: PriceTier | None, below: Sequence[float]) -> tuple[float, float, float]:
    """Input, cached input and output price above the threshold; those below it where the tier states none."""
    if tier is None:
        return below[0], below[1], below[2]
    higher = _value(tier.input, below[0])
    cached = _value(tier.cached_input, below[1] * higher / below[0] if below[0] else below[1])
    return higher, cached, _value(tier.output, below[2])


def _write_surcharge(offer: Offer) -> float:
    """By which share a token written to the provider's cache costs more than a fresh one; 0 when nothing says so."""
    fresh, write = _value(offer.prices.input, 0.0), _value(offer.prices.cache_write, 0.0)
    return max(write / fresh - 1.0, 0.0) if fresh > 0 else 0.0


def _by_model(offers: Sequence[Offer], models: Sequence[ModelCard]) -> dict[str, tuple[int, ...]]:
    """Model ids first; another name counts where it is no model's id, and belongs to the first model that bears it."""
    columns = _columns_by(offers, lambda offer: offer.model)
    aliases: dict[str, str] = {}
    for card in models:
        for alias in card.aliases:
            aliases.setdefault(alias, card.id)
    return {alias: columns[model_id] for alias, model_id in aliases.items() if alias not in columns} | columns


def _bits(known: Mapping[str, U8], count: int) -> U8:
    """One bit per dimension, in the order of DIMENSIONS; availability is never stated, only observed."""
    bits = np.zeros(count, np.uint8)
    for dimension, claims in known.items():
        bits |= claims << np.uint8(INDEX[dimension])
    return bits


def _columns_by(offers: Sequence[Offer], names: Callable[[Offer], str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for column, offer in enumerate(offers):
        found.setdefault(names(offer), []).append(column)
    return {name: tuple(columns) for name, columns in found.items()}


def _values(figures: Iterable[Figure | None]) -> list[float]:
    return [figure.value for figure in figures if figure is not None]


def _value(figure: Figure | None, otherwise: float) -> float:
    return otherwise if figure is None else figure.value


def _quantile(figures: Iterable[Figure | None]) -> float:
    values = _values(figures)
    return float(np.quantile(values, PESSIMISTIC)) if values else 0.0


def _rows(columns: Sequence[Sequence[float]], rows: int, factor: float, per_unit: Sequence[int] = ()) -> F32:
    """[rows, n] from one tuple per column; all but the `per_unit` rows times `factor`."""
    table = np.array(columns, np.float64).reshape(len(columns), rows).T
    factors = np.array([1.0 if row in per_unit else factor for row in range(rows)])
    return _readonly(np.ascontiguousarray(table * factors[:, None], np.float32))


def _frozen(values: Sequence[float]) -> F32:
    return _readonly(np.array(values, np.float32))


def _readonly(array: AnyArray) -> AnyArray:
    array.flags.writeable = False
    return array
