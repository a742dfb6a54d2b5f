"""A router, compiled: weights and anchors as arrays, and which targets its lists and price ceilings let in."""

import fnmatch
import math
import re
from collections.abc import Iterator, Mapping

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from core.dimensions import DIMENSIONS, INDEX
from core.matrix import F32, U8, PolicyVector
from core.scorer import significant
from gateway.catalog.card import Figure
from gateway.catalog.columns import Targets
from gateway.settings.schema import Anchors, Limits, RouterSettings, Worth

STAY_MARGIN = 0.02  # by weights
POINTS = 100  # of quality, from 0 to 1
LOST_SECONDS = 10.0  # by an attempt that fails, unless the router says what that is worth
GRAMS_PER_KG = 1_000

PRESETS: dict[str, RouterSettings] = {
    "auto": RouterSettings(
        description="The best answer for reasonable money and time.",
        weights={"cost": 0.25, "latency": 0.15, "quality": 0.45, "availability": 0.10, "carbon": 0.05},
    ),
    "fast": RouterSettings(
        description="The answer that is useful soonest, if it is likely to be good.",
        weights={"cost": 0.05, "latency": 0.60, "quality": 0.25, "availability": 0.10},
    ),
    "economy": RouterSettings(
        description="The cheapest answer that is likely to be good.",
        weights={"cost": 0.60, "latency": 0.05, "quality": 0.25, "availability": 0.10},
    ),
    "quality": RouterSettings(
        description="The answer most likely to be good, whatever it costs.",
        weights={"cost": 0.02, "latency": 0.03, "quality": 0.85, "availability": 0.10},
    ),
    "green": RouterSettings(
        description="The answer that emits least, if it is likely to be good.",
        weights={"cost": 0.05, "latency": 0.05, "quality": 0.30, "availability": 0.10, "carbon": 0.50},
    ),
}


class Policy(Struct, frozen=True):
    """What a router lets in and how it weighs."""

    name: str
    settings: RouterSettings  # with the preset's part filled in
    vector: PolicyVector
    weights: dict[str, float]  # dimension -> its weight, or USD per unit, to six significant digits
    stay_margin: float  # in units of the score
    allowed: U8  # [n] 1: no list and no price ceiling rules the target out
    why_not: Mapping[int, str]  # column -> what rules it out
    warnings: tuple[str, ...] = ()


def compile_policy(name: str, settings: RouterSettings, targets: Targets) -> Policy:
    """Fill in the preset and turn the router into arrays over `targets`. Raises ValueError on what makes no sense."""
    where = f"routers.{name}"
    settings = _with_preset(name, settings, where)
    _check_numbers(settings, where)
    why_not, warnings = _ruled_out(settings, targets, where)
    allowed = np.ones(len(targets.ids), np.uint8)
    allowed[list(why_not)] = 0
    allowed.flags.writeable = False
    vector = _vector(settings, where)
    weights = {
        dimension.name: significant(weight)
        for dimension, weight in zip(DIMENSIONS, vector.weights.tolist(), strict=True)
    }
    return Policy(name, settings, vector, weights, stay_margin(settings), allowed, why_not, tuple(warnings))


def stay_margin(settings: RouterSettings) -> float:
    """By how much another target has to be better: left out, about what a point of quality is worth."""
    if settings.stay_margin is not None:
        return settings.stay_margin
    return STAY_MARGIN if settings.worth is None else settings.worth.quality_point_usd


def _with_preset(name: str, settings: RouterSettings, where: str) -> RouterSettings:
    """Weights and anchors on top of the preset's. Without either: the preset of its own name, else auto.

    A router that says what things are worth in money has none.
    """
    if settings.worth is not None:
        _check_worth(settings, where)
        return settings
    preset_name = settings.preset
    if not preset_name and not settings.weights:
        preset_name = name if name in PRESETS else "auto"
    if not preset_name:
        return settings
    preset = PRESETS.get(preset_name)
    if preset is None:
        raise ValueError(f"{where}.preset is {preset_name!r}; it is one of {', '.join(PRESETS)}")
    return replace(
        settings,
        preset=preset_name,
        description=settings.description or preset.description,
        weights={**preset.weights, **settings.weights},
        anchors={**preset.anchors, **settings.anchors},
    )


def _vector(settings: RouterSettings, where: str) -> PolicyVector:
    limits = settings.limits
    good, bad = _anchors(settings.anchors, where)
    return PolicyVector(
        weights=_weights(settings.weights, where) if settings.worth is None else _prices(settings.worth),
        good=good,
        bad=bad,
        max_cost_usd=_ceiling(limits.max_cost_usd),
        max_latency_seconds=_ceiling(limits.max_latency_seconds),
        max_first_token_seconds=_ceiling(limits.max_first_token_seconds),
        min_quality=limits.min_quality or 0.0,
        max_carbon_g=_ceiling(limits.max_carbon_g),
        min_availability=settings.min_availability,
        in_money=settings.worth is not None,
    )


def _ceiling(limit: float | None) -> float:
    return math.inf if limit is None else limit


def _weights(weights: Mapping[str, float], where: str) -> F32:
    """[dimensions], summing to 1."""
    for dimension, weight in weights.items():
        _check_dimension(dimension, f"{where}.weights")
        if not 0 <= weight < math.inf:
            raise ValueError(f"{where}.weights.{dimension} is {weight:g}; a weight is 0 or more")
    total = sum(weights.values())
    if total <= 0:
        raise ValueError(f"{where}.weights are all 0; at least one is above 0")
    return _frozen([weights.get(dimension.name, 0.0) / total for dimension in DIMENSIONS])


def _check_worth(settings: RouterSettings, where: str) -> None:
    """Raise ValueError beside weights, or where nothing but the price would count."""
    for key in ("preset", "weights", "anchors"):
        if getattr(settings, key):
            raise ValueError(f"{where}.{key} stands beside {where}.worth; take one of the two ways to weigh")
    worth = settings.worth
    if worth is not None and not any(getattr(worth, key) for key in worth.__struct_fields__):
        raise ValueError(f"{where}.worth has nothing above 0; say what a point of quality is worth: quality_point_usd")


def _prices(worth: Worth) -> F32:
    """[dimensions] USD per unit."""
    lost = worth.failed_attempt_usd
    prices = {
        "cost": 1.0,
        "latency": worth.second_usd,
        "quality": POINTS * worth.quality_point_usd,
        "availability": LOST_SECONDS * worth.second_usd if lost is None else lost,
        "carbon": worth.kg_co2e_usd / GRAMS_PER_KG,
    }
    return _frozen([prices[dimension.name] for dimension in DIMENSIONS])


def _anchors(anchors: Mapping[str, Anchors], where: str) -> tuple[F32, F32]:
    """Each dimension's good and bad end; those of the router before those of the table."""
    good = [dimension.good for dimension in DIMENSIONS]
    bad = [dimension.bad for dimension in DIMENSIONS]
    for name, own in anchors.items():
        _check_dimension(name, f"{where}.anchors")
        dimension = DIMENSIONS[INDEX[name]]
        fits = 0 < own.good < own.bad < math.inf if dimension.curve == "log" else 0 <= own.bad < own.good <= 1
        if not fits:
            expected = "0 < good < bad" if dimension.curve == "log" else "0 <= bad < good <= 1"
            found = f"good {own.good:g}, bad {own.bad:g}"
            raise ValueError(f"{where}.anchors.{name} is {found}; it is {expected}, in {dimension.unit}")
        good[INDEX[name]], bad[INDEX[name]] = own.good, own.bad
    return _frozen(good), _frozen(bad)


def _check_dimension(name: str, where: str) -> None:
    if name not in INDEX:
        raise ValueError(f"{where}.{name} is no dimension; there are {', '.join(INDEX)}")


def _check_numbers(settings: RouterSettings, where: str) -> None:
    for key, share in (
        ("spread", settings.spread),
        ("explore", settings.explore),
        ("stay_margin", settings.stay_margin),
        ("min_availability", settings.min_availability),
        ("limits.min_quality", settings.limits.min_quality),
    ):
        if share is not None and not 0 <= share <= 1:
            raise ValueError(f"{where}.{key} is {share:g}; it is 0 to 1")
    for key in Limits.__struct_fields__:
        limit = getattr(settings.limits, key)
        if limit is not None and not 0 <= limit < math.inf:
            raise ValueError(f"{where}.limits.{key} is {limit:g}; it is 0 or more, or left out")
    if settings.fallback.max_attempts < 1:
        raise ValueError(
            f"{where}.fallback.max_attempts is {settings.fallback.max_attempts}; it is 1 or more, 1 for no fallback"
        )


def _ruled_out(settings: RouterSettings, targets: Targets, where: str) -> tuple[dict[int, str], list[str]]:
    """Column -> reason, for every target that lists or price ceilings rule out; and patterns that match nothing."""
    allow = [Pattern(text) for text in settings.allow]
    deny = [Pattern(text) for text in settings.deny]
    why_not: dict[int, str] = {}
    for column in range(len(targets.ids)):
        reason = next(_objections(column, settings, targets, allow, deny, where), None)
        if reason is not None:
            why_not[column] = reason
    warnings = [
        f"{where}.{key}: {pattern.text!r} matches no live target"
        for key, patterns in (("allow", allow), ("deny", deny))
        for pattern in patterns
        if not pattern.matched
    ]
    if targets.ids and len(why_not) == len(targets.ids):
        warnings.append(f"{where} lets no live target in")
    return why_not, warnings


def _objections(
    column: int,
    settings: RouterSettings,
    targets: Targets,
    allow: list["Pattern"],
    deny: list["Pattern"],
    where: str,
) -> Iterator[str]:
    """What the router has against a target. Every pattern is asked, so that the idle ones are known afterwards."""
    denied = [pattern for pattern in deny if pattern.matches(column, targets)]
    allowed = [pattern for pattern in allow if pattern.matches(column, targets)]
    if denied:
        yield f"denied by {where}.deny: {denied[0].text}"
    if allow and not allowed:
        yield f"not among {where}.allow: {', '.join(pattern.text for pattern in allow)}"
    prices, limits = targets.offers[column].prices, settings.limits
    yield from _over_price(prices.input, limits.max_input_price_usd, "input", f"{where}.limits.max_input_price_usd")
    yield from _over_price(prices.output, limits.max_output_price_usd, "output", f"{where}.limits.max_output_price_usd")


def _over_price(price: Figure | None, limit: float | None, kind: str, key: str) -> Iterator[str]:
    if limit is None:
        return
    if price is None:
        yield f"no stated {kind} price, and {key} is {limit:g}"
    elif price.value > limit:
        yield f"price {price.value:g} USD per million {kind} tokens > {key} {limit:g}"


class Pattern:
    """A pattern of the allow or deny list: "anthropic/*", "@groq", "openai/gpt-5@azure"; `*` and `?` as for files."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.matched = False
        self._fits = re.compile(fnmatch.translate(text.lower())).match

    def matches(self, column: int, targets: Targets) -> bool:
        """Does it match the target's id, its model's id or its "@provider"?"""
        offer = targets.offers[column]
        fits = any(self._fits(name.lower()) for name in (targets.ids[column], offer.model, "@" + offer.provider))
        self.matched |= fits
        return fits


def _frozen(values: list[float]) -> F32:
    array = np.array(values, np.float32)
    array.flags.writeable = False
    return array
