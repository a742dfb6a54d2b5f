"""A new catalog against the last good one: a figure that cannot be right is kept out, and the old one stays.

Wrong feeds have shown prices times 100,000, prices of zero, and windows times 1,000. A price may move by at most
3 times in one refresh and never to zero, a limit by 10 times; a fifth of the offers may go. What is refused is
listed, never dropped in silence; an operator who knows better names the target in `accept`.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from gateway.catalog.card import Catalog, Figure, ModelCard, Offer, Prices, PriceTier
from gateway.catalog.names import is_embedding_model

MAX_VANISHED = 0.20  # share of offers, of all and of each provider's
MIN_OFFERS = 5  # of a provider, for a share of them to mean anything
PEER_FACTOR = 20.0  # a price seen for the first time, against the median of the same model's other offers
MIN_PEERS = 2


class Rule(Struct, frozen=True):
    """What a kind of figure may be, and how far it may move at once."""

    highest: float
    factor: float = math.inf
    zero: bool = True  # may be 0, though never come down to it
    signed: bool = False


TOKEN_PRICE = Rule(2_000.0, factor=3.0)  # USD per million tokens; the dearest model on sale in 2026 costs 600
EMBEDDED_PRICE = Rule(10.0, factor=3.0)  # USD per million tokens to embed; the dearest on sale in 2026 costs 0.8
UNIT_PRICE = Rule(100.0, factor=3.0)  # USD per image or request
LIMIT = Rule(20_000_000.0, factor=10.0, zero=False)  # tokens
SPEED = Rule(100_000.0, zero=False)  # seconds, or tokens per second
DIMENSIONS = Rule(100_000.0, zero=False)
PARAMETERS = Rule(100_000.0, zero=False)  # billions
PER_TOKEN = Rule(100.0, zero=False)  # Wh or g per output token
SHARE = Rule(1.0)
GRID = Rule(2_000.0)  # g per kWh
PUE = Rule(3.0, zero=False)
LOGITS = Rule(10.0, signed=True)

OFFER_FIGURES = {
    "context_window": LIMIT,
    "max_input_tokens": LIMIT,
    "max_output_tokens": LIMIT,
    "first_token_seconds": SPEED,
    "output_tokens_per_second": SPEED,
}
PRICE_FIGURES = {
    "input": TOKEN_PRICE,
    "output": TOKEN_PRICE,
    "cached_input": TOKEN_PRICE,
    "cache_write": TOKEN_PRICE,
    "cache_write_1h": TOKEN_PRICE,
    "reasoning": TOKEN_PRICE,
    "image": UNIT_PRICE,
    "request": UNIT_PRICE,
}
TIER_FIGURES = {"input": TOKEN_PRICE, "cached_input": TOKEN_PRICE, "output": TOKEN_PRICE}
MODEL_FIGURES = {
    "dimensions": DIMENSIONS,
    "active_parameters_billions": PARAMETERS,
    "total_parameters_billions": PARAMETERS,
    "energy_wh_per_output_token": PER_TOKEN,
    "embodied_g_per_output_token": PER_TOKEN,
}
COMPARABLE = frozenset({"input", "output"})  # prices that hosts of one model have in common; caching differs freely
# May not go missing once they were there.
NEEDED = frozenset({"prices.input", "prices.output", "context_window", "max_input_tokens", "max_output_tokens"})


class Quarantined(Struct, frozen=True):
    """A figure that was refused. `old` stays in force; None means that there is none."""

    target: str
    field: str
    old: float | None
    new: float | None  # None: it vanished
    reason: str
    source: str = ""


def validate(
    last_good: Catalog | None, new: Catalog, accept: Collection[str] = ()
) -> tuple[Catalog, list[Quarantined]]:
    """The new catalog with every impossible figure replaced by the last good one, and the list of those.

    accept: ids of targets whose moves an operator has looked at; figures that no rule can allow stay refused.
    """
    judge = Judge(last_good or Catalog("", "", {}, {}, ()), new, accept)
    kept = judge.vanished(new)
    offers = [judge.offer(offer) for offer in new.offers] + kept
    models = {model_id: judge.model(card) for model_id, card in new.models.items()}
    models |= {offer.model: judge.old.models[offer.model] for offer in kept if offer.model not in models}
    catalog = replace(
        new,
        sources={**judge.old.sources, **new.sources},
        offers=tuple(sorted(offers, key=lambda offer: (offer.provider, offer.model))),
        models=models,
        grid_g_per_kwh=judge.mapping("grid_g_per_kwh", judge.old.grid_g_per_kwh, new.grid_g_per_kwh, GRID),
        pue=judge.mapping("pue", judge.old.pue, new.pue, PUE),
        equating=judge.mapping("equating", judge.old.equating, new.equating, LOGITS),
    )
    return catalog, judge.refused


def fault(rule: Rule, old: float | None, new: float, peer: float | None = None) -> str:
    """Why `new` cannot be right, or "". `peer`: what others ask for the same, where `old` is not known."""
    impossible = outside(rule, new)
    if impossible:
        return impossible
    if old is not None and outside(rule, old):
        return ""
    if old and new == 0:
        return "fell to zero"
    if old and not 1 / rule.factor <= new / old <= rule.factor:
        return f"changed by more than {rule.factor:g} times"
    if old is None and peer and new and not 1 / PEER_FACTOR <= new / peer <= PEER_FACTOR:
        return f"is more than {PEER_FACTOR:g} times away from the same model's other offers ({peer:g})"
    return ""


def outside(rule: Rule, value: float) -> str:
    """Why no figure of this kind can have this value, or ""."""
    if not math.isfinite(value):
        return "is not a number"
    if value < 0 and not rule.signed:
        return "is negative"
    if value == 0 and not rule.zero:
        return "is zero"
    return f"is over {rule.highest:g}" if abs(value) > rule.highest else ""


def dated(figure: Figure, dates: Mapping[str, str]) -> Figure:
    """The figure with its date written into it, for it is about to outlive its source's date."""
    return figure if figure.date else replace(figure, date=dates.get(figure.source, ""))


class Judge:
    """Compares with one last good catalog and collects what it refuses."""

    def __init__(self, old: Catalog, new: Catalog, accept: Collection[str]) -> None:
        self.old = old
        self.refused: list[Quarantined] = []
        self._accept = accept
        self._dates = {name: source.date for name, source in old.sources.items()}
        self._offers = {offer.id: offer for offer in old.offers}
        self._peers = {**_price_list(new), **_price_list(old)}

    def offer(self, new: Offer) -> Offer:
        """The offer with its figures judged one by one."""
        old = self._offers.get(new.id)
        peers = self._peers.get(new.model, {})
        figures = {
            field: self._figure(new.id, field, getattr(old, field, None), getattr(new, field), rule)
            for field, rule in OFFER_FIGURES.items()
        }
        known = old.prices if old else Prices()
        rules = PRICE_FIGURES | ({"input": EMBEDDED_PRICE} if is_embedding_model(new.model) else {})
        prices = {
            field: self._figure(
                new.id,
                f"prices.{field}",
                getattr(known, field),
                getattr(new.prices, field),
                rule,
                _median_of_others(peers.get(field, {}), new.provider) if field in COMPARABLE else None,
            )
            for field, rule in rules.items()
        }
        return replace(new, prices=Prices(**prices, tier=self._tier(new, known.tier)), **figures)

    def model(self, new: ModelCard) -> ModelCard:
        """The card with its figures judged one by one."""
        old = self.old.models.get(new.id)
        figures = {
            field: self._figure(new.id, field, getattr(old, field, None), getattr(new, field), rule)
            for field, rule in MODEL_FIGURES.items()
        }
        quality = self.mapping(f"{new.id} quality", old.quality if old else {}, new.quality, SHARE)
        return replace(new, quality=quality, **figures)

    def mapping(self, name: str, old: Mapping[str, Figure], new: Mapping[str, Figure], rule: Rule) -> dict[str, Figure]:
        """A table of figures, judged one by one."""
        judged = {key: self._figure(name, key, old.get(key), figure, rule) for key, figure in new.items()}
        return {key: figure for key, figure in judged.items() if figure is not None}

    def vanished(self, new: Catalog) -> list[Offer]:
        """Offers that are gone though too many went with them; they stay."""
        present = {offer.id for offer in new.offers}
        gone = [offer for offer in self.old.offers if offer.id not in present]
        had = Counter(offer.provider for offer in self.old.offers)
        lost = Counter(offer.provider for offer in gone)
        too_many = len(gone) > MAX_VANISHED * len(self.old.offers)
        kept = [offer for offer in gone if too_many or _is_rout(lost[offer.provider], had[offer.provider])]
        for offer in kept:
            reason = f"vanished with {lost[offer.provider]} of {had[offer.provider]} offers of {offer.provider}"
            self.refused.append(Quarantined(offer.id, "offer", None, None, reason))
        return [self._outliving(offer) for offer in kept]

    def _tier(self, new: Offer, old: PriceTier | None) -> PriceTier | None:
        tier = new.prices.tier
        if tier is None:
            return None
        impossible = outside(LIMIT, tier.above_input_tokens)
        if impossible:
            field = "prices.tier.above_input_tokens"
            self.refused.append(Quarantined(new.id, field, None, tier.above_input_tokens, impossible))
            return old
        prices = {
            field: self._figure(
                new.id, f"prices.tier.{field}", getattr(old, field, None), getattr(tier, field), rule,
                _tier_peer(getattr(new.prices, field)),
            )
            for field, rule in TIER_FIGURES.items()
        }  # fmt: skip
        return PriceTier(tier.above_input_tokens, **prices)

    def _figure(
        self, target: str, field: str, old: Figure | None, new: Figure | None, rule: Rule, peer: float | None = None
    ) -> Figure | None:
        """The new figure, or the old one when the new one is refused."""
        if new is None:
            if old is None or field not in NEEDED:
                return None
            self.refused.append(Quarantined(target, field, old.value, None, "vanished", old.source))
            return dated(old, self._dates)
        before = None if old is None else old.value
        reasons = (outside(rule, value) for value in (new.value, new.low, new.high) if value is not None)
        reason = next(filter(None, reasons), "")
        if not reason and target not in self._accept:
            reason = fault(rule, before, new.value, peer)
        if not reason:
            return new
        self.refused.append(Quarantined(target, field, before, new.value, reason, new.source))
        return None if old is None else dated(old, self._dates)

    def _outliving(self, offer: Offer) -> Offer:
        """The offer with the old dates written into its prices and limits."""
        figures = {field: self._dated(getattr(offer, field)) for field in OFFER_FIGURES}
        prices = {field: self._dated(getattr(offer.prices, field)) for field in PRICE_FIGURES}
        return replace(offer, prices=replace(offer.prices, **prices), **figures)

    def _dated(self, figure: Figure | None) -> Figure | None:
        return None if figure is None else dated(figure, self._dates)


def _is_rout(lost: int, had: int) -> bool:
    """All of a provider's offers, or too large a share of a number that means something."""
    return lost == had or (had >= MIN_OFFERS and lost > MAX_VANISHED * had)


def _price_list(catalog: Catalog) -> dict[str, dict[str, dict[str, float]]]:
    """Model -> price field -> provider -> value, without free offers."""
    listed: dict[str, dict[str, dict[str, float]]] = {}
    for offer in catalog.offers:
        for field in PRICE_FIGURES:
            figure = getattr(offer.prices, field)
            if figure is not None and figure.value > 0 and math.isfinite(figure.value):
                listed.setdefault(offer.model, {}).setdefault(field, {})[offer.provider] = figure.value
    return listed


def _median_of_others(by_provider: Mapping[str, float], provider: str) -> float | None:
    others = [value for name, value in by_provider.items() if name != provider]
    return median(others) if len(others) >= MIN_PEERS else None


def _tier_peer(figure: Figure | None) -> float | None:
    """A tier's first price is measured against the price below the threshold."""
    return figure.value if figure is not None and math.isfinite(figure.value) and figure.value > 0 else None
