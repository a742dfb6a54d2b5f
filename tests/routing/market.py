"""A small market of targets with figures that a reader can hold in the head."""

from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from core.matrix import CatalogMatrix, LiveFigures, RequestFigures
from core.predictor import TASKS
from core.scorer import Scorer
from gateway.catalog.card import Catalog, Figure, ModelCard, Offer, Prices
from gateway.catalog.columns import Targets
from gateway.routing.describe import Profile, describe
from gateway.routing.policy import PRESETS, Policy, compile_policy
from gateway.routing.selection import Selector
from gateway.settings.schema import RouterSettings
from gateway.wire.ability import Ability
from gateway.wire.prompt import Prompt


class Stall(NamedTuple):
    """One target. Prices in USD per million tokens."""

    model: str
    provider: str
    input_price: float | None
    output_price: float | None
    quality: float
    first_token_seconds: float
    tokens_per_second: float
    carbon_g_per_token: float
    window: float = 128_000
    abilities: Ability = Ability.TOOLS | Ability.JSON_MODE
    known: int = 0b10111  # all but availability


STALLS = (
    Stall("acme/large", "acme", 5.0, 25.0, 0.94, 1.2, 60, 0.004, abilities=Ability.TOOLS | Ability.IMAGES),
    Stall("acme/large", "cloud", 5.0, 25.0, 0.94, 0.9, 80, 0.004),
    Stall("acme/small", "acme", 0.25, 1.0, 0.80, 0.5, 150, 0.0004),
    Stall("rapid/fleet", "rapid", 0.6, 0.8, 0.70, 0.15, 900, 0.001, window=8_192),
    Stall("tiny/leaf", "rapid", 0.02, 0.05, 0.55, 0.3, 300, 0.00002, window=4_096, abilities=Ability(0)),
    Stall("vast/library", "cloud", 1.0, 4.0, 0.82, 2.5, 50, 0.002, window=1_000_000),
    Stall("anon/model", "cloud", None, None, 0.60, 2.0, 40, 0.003, known=0),
)
COLUMN = {f"{stall.model}@{stall.provider}": column for column, stall in enumerate(STALLS)}


def figure(value: float | None) -> Figure | None:
    return None if value is None else Figure(value, "test")


def make_targets(stalls: tuple[Stall, ...] = STALLS) -> Targets:
    n = len(stalls)

    def row(values: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        return np.array(values, np.float32)

    input_price = row([(stall.input_price or 5.0) * 1e-6 for stall in stalls])
    output_price = row([(stall.output_price or 25.0) * 1e-6 for stall in stalls])
    grams = row([stall.carbon_g_per_token for stall in stalls])
    zeros = np.zeros(n, np.float32)
    window = row([stall.window for stall in stalls])
    matrix = CatalogMatrix(
        price=np.stack([input_price, input_price, output_price, zeros, zeros]),
        tier_from=np.full(n, np.inf, np.float32),
        tier_price=np.stack([input_price, input_price, output_price]),
        write_surcharge=zeros,
        output_ratio=np.ones(n, np.float32),
        token_ratio=np.ones(n, np.float32),
        quality=np.stack([row([stall.quality for stall in stalls])] * len(TASKS)),
        carbon=np.stack([grams * np.float32(0.1), grams * np.float32(0.01), grams]),
        window=window,
        input_limit=window,
        output_limit=np.minimum(window, np.float32(16_384)),
        abilities=np.array([int(stall.abilities) for stall in stalls], np.uint32),
        known=np.array([stall.known for stall in stalls], np.uint8),
        priced=np.array([stall.input_price is not None for stall in stalls], np.uint8),
    )
    offers = tuple(
        Offer(
            model=stall.model,
            provider=stall.provider,
            upstream_name=stall.model,
            prices=Prices(input=figure(stall.input_price), output=figure(stall.output_price)),
        )
        for stall in stalls
    )
    by_model: dict[str, tuple[int, ...]] = {}
    by_provider: dict[str, tuple[int, ...]] = {}
    for column, stall in enumerate(stalls):
        by_model[stall.model] = (*by_model.get(stall.model, ()), column)
        by_provider[stall.provider] = (*by_provider.get(stall.provider, ()), column)
    return Targets(
        offers=offers,
        models=tuple(ModelCard(stall.model, stall.model, stall.model.partition("/")[0]) for stall in stalls),
        ids=tuple(offer.id for offer in offers),
        matrix=matrix,
        prior=LiveFigures(
            first_token_seconds=row([stall.first_token_seconds for stall in stalls]),
            seconds_per_output_token=row([1 / stall.tokens_per_second for stall in stalls]),
            availability=np.full(n, 0.99, np.float32),
            out=np.zeros(n, np.uint8),
            load=np.zeros(n, np.float32),
            calls=np.zeros(n, np.float32),
        ),
        capacity=matrix.window,
        by_model=by_model,
        by_provider=by_provider,
    )


TARGETS = make_targets()
SCORER = Scorer(TARGETS.matrix)

# The whole catalog also has what no live provider sells.
ABSENT_OFFERS = (
    Offer(model="mistralai/mistral-large", provider="mistral", upstream_name="mistral-large"),
    Offer(model="mistralai/mistral-large", provider="exotic", upstream_name="m-l"),
)
CATALOG = Catalog(
    version="1",
    date="2026-01-01",
    sources={},
    models={card.id: card for card in TARGETS.models}
    | {"mistralai/mistral-large": ModelCard("mistralai/mistral-large", "Mistral Large", "mistralai")},
    offers=(*TARGETS.offers, *ABSENT_OFFERS),
)
ALIASES = {"gpt-4": "acme/large", "claude": "acme/small@acme", "default": "green"}
ABSENT = {"mistral": "set MISTRAL_API_KEY"}


def policies(**routers: RouterSettings) -> dict[str, Policy]:
    return {name: compile_policy(name, router, TARGETS) for name, router in {**PRESETS, **routers}.items()}


def selector(**routers: RouterSettings) -> Selector:
    return Selector(policies(**routers), TARGETS, CATALOG, ABSENT, ALIASES, "auto")


def prompt(text: bytes = b'"Write a poem about autumn"', **changes: object) -> Prompt:
    plain = Prompt(
        dialect="openai_chat",
        body=b"{}",
        model="auto",
        chain=(),
        stream=False,
        wants_usage=False,
        needs=Ability(0),
        texts=(text,),
        message_count=1,
        last_role="user",
        tool_count=0,
        image_count=0,
        max_output_tokens=None,
        choices=1,
        session="",
    )
    return replace(plain, **changes)


def profile(**figures: float) -> Profile:
    """A plain request whose task is certain and of usual difficulty, with some of its figures replaced."""
    plain = describe(prompt())
    return replace(plain, figures=RequestFigures(**{**plain.figures._asdict(), "blend": (), "odds": 1.0, **figures}))
