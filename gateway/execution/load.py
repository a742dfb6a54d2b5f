"""How busy each target is: its provider's requests under way, next to how many it takes at once."""

from collections.abc import Mapping

import numpy as np

from core.matrix import F32
from gateway.execution.concurrency import FORGOTTEN, ConcurrencyLimit


def loads(
    limits: Mapping[tuple[str, int], ConcurrencyLimit], by_provider: Mapping[str, tuple[int, ...]], n: int
) -> F32:
    """[n] requests under way / those that the provider takes at once, over all keys that were used; 0 where idle.

    limits: by provider and key. Where no refusal has shown a limit, it is that from which on one counts as none: so a
    provider without one is the lighter the fewer are under way, and lighter than one whose limit is near.
    """
    under_way: dict[str, int] = {}
    at_once: dict[str, float] = {}
    for (provider, _), limit in limits.items():
        under_way[provider] = under_way.get(provider, 0) + limit.under_way
        at_once[provider] = at_once.get(provider, 0.0) + min(limit.limit, FORGOTTEN)
    load = np.zeros(n, np.float32)
    for provider, count in under_way.items():
        if count:
            load[list(by_provider.get(provider, ()))] = count / at_once[provider]
    return load
