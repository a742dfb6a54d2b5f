"""Seeded random catalogs and requests in the ranges of real ones, for benchmarks and property tests."""

from typing import NamedTuple

import numpy as np

from core.dimensions import DIMENSIONS
from core.matrix import F32, U8, CatalogMatrix, LiveFigures, PolicyVector, RequestFigures

TASKS = 4


class Situation(NamedTuple):
    """All that a decision is made from."""

    matrix: CatalogMatrix
    live: LiveFigures
    request: RequestFigures
    policy: PolicyVector
    allowed: U8


def random_situation(n: int, seed: int, limited: bool = True) -> Situation:
    """A situation of `n` targets; the same for the same arguments. limited: the policy has hard limits."""
    rng = np.random.default_rng(seed)
    return Situation(
        matrix=random_matrix(n, rng),
        live=random_live(n, rng),
        request=random_request(n, rng),
        policy=random_policy(rng, limited),
        allowed=(rng.random(n) < 0.9).astype(np.uint8),
    )


def random_matrix(n: int, rng: np.random.Generator) -> CatalogMatrix:
    """Prices from a cent to 100 USD per million tokens, windows from 8 thousand to 2 million tokens; a few tiers."""
    token_price = spread(rng, 1e-8, 1e-4, (3, n))
    window = spread(rng, 8e3, 2e6, n)
    tiered = rng.random(n) < 0.1
    return CatalogMatrix(
        price=np.concatenate([token_price, spread(rng, 1e-4, 1e-2, (1, n)), spread(rng, 1e-6, 1e-3, (1, n))]),
        tier_from=np.where(tiered, np.float32(128_000), np.float32(np.inf)),
        tier_price=token_price * np.float32(2),
        write_surcharge=rng.choice([0.0, 0.0, 0.25], n).astype(np.float32),
        output_ratio=spread(rng, 0.5, 8.0, n),
        token_ratio=spread(rng, 0.8, 1.5, n),
        quality=rng.uniform(0.2, 1.0, (TASKS, n)).astype(np.float32),
        carbon=spread(rng, 1e-6, 1e-2, (3, n)),
        window=window,
        input_limit=window,
        output_limit=spread(rng, 2e3, 2e5, n),
        abilities=rng.integers(0, 512, n, np.uint32) | np.uint32(1),
        known=rng.integers(0, 32, n, np.uint8),
        priced=(rng.random(n) < 0.95).astype(np.uint8),
    )


def random_live(n: int, rng: np.random.Generator) -> LiveFigures:
    """First tokens after 0.1 to 30 s, 3 to 1,000 tokens a second, most targets well."""
    return LiveFigures(
        first_token_seconds=spread(rng, 0.1, 30.0, n),
        seconds_per_output_token=spread(rng, 0.001, 0.3, n),
        availability=(1.0 - rng.random(n) ** 4).astype(np.float32),
        out=(rng.random(n) < 0.05).astype(np.uint8),
        load=rng.random(n, np.float32),
        calls=spread(rng, 0.1, 1_000.0, n),
    )


def random_request(n: int, rng: np.random.Generator) -> RequestFigures:
    """Up to 300 thousand tokens in and 16 thousand out; some have most of it warm at one target."""
    input_tokens = float(spread(rng, 10.0, 3e5, 1)[0])
    return RequestFigures(
        input_tokens=input_tokens,
        warm=((int(rng.integers(0, n)), 0.7 * input_tokens),) if n and rng.random() < 0.3 else (),
        output_tokens=float(spread(rng, 10.0, 16e3, 1)[0]),
        max_output_tokens=float(rng.choice([0.0, 0.0, 1_000.0, 30_000.0])),
        images=float(rng.choice([0.0, 0.0, 2.0])),
        task=int(rng.integers(TASKS)),
        needs=int(rng.choice([0, 0, 1, 3])),
        stream=bool(rng.integers(2)),
        blend=random_blend(rng) if rng.random() < 0.5 else (),
        odds=float(rng.choice([1.0, 0.3, 2.5])),
    )


def random_blend(rng: np.random.Generator) -> tuple[tuple[int, float], ...]:
    """Two or three tasks and their shares."""
    rows = rng.permutation(TASKS)[: int(rng.integers(2, 4))].tolist()
    return tuple(zip(rows, rng.dirichlet(np.ones(len(rows))).tolist(), strict=True))


def random_policy(rng: np.random.Generator, limited: bool = True) -> PolicyVector:
    """Random weights, some of them 0; the default anchors."""
    weights = rng.random(len(DIMENSIONS)) * (rng.random(len(DIMENSIONS)) < 0.8)
    weights[rng.integers(len(weights))] += 0.1
    return PolicyVector(
        weights=(weights / weights.sum()).astype(np.float32),
        good=np.array([dimension.good for dimension in DIMENSIONS], np.float32),
        bad=np.array([dimension.bad for dimension in DIMENSIONS], np.float32),
        max_cost_usd=1.0 if limited else np.inf,
        max_latency_seconds=300.0 if limited else np.inf,
        max_first_token_seconds=20.0 if limited else np.inf,
        min_quality=0.25 if limited else 0.0,
        max_carbon_g=100.0 if limited else np.inf,
        min_availability=0.5 if limited else 0.0,
    )


def spread(rng: np.random.Generator, low: float, high: float, shape: int | tuple[int, ...]) -> F32:
    """Values from `low` to `high`, evenly over their logarithms."""
    return np.exp(rng.uniform(np.log(low), np.log(high), shape)).astype(np.float32)
