"""A selection narrowed and ordered by what the caller wishes of providers, in OpenRouter's words."""

from collections.abc import Collection, Mapping

import numpy as np
from msgspec.structs import replace

from core.matrix import U8
from gateway.catalog.card import Figure
from gateway.catalog.columns import Targets
from gateway.errors import InvalidRequest
from gateway.routing.policy import Policy
from gateway.routing.selection import Leg, Selection
from gateway.wire.prompt import Prompt
from gateway.wire.wishes import Wishes

SORT_OF_SUFFIX = {":nitro": "throughput", ":floor": "price"}
ROUTER_OF_SORT = {"price": "economy", "throughput": "fast", "latency": "fast"}


def without_suffix(prompt: Prompt) -> Prompt:
    """`openai/gpt-5:floor` is that model, sorted by price."""
    for suffix, sort in SORT_OF_SUFFIX.items():
        if prompt.model.endswith(suffix):
            wishes = replace(prompt.wishes or Wishes(), sort=sort)
            return replace(prompt, model=prompt.model.removesuffix(suffix), wishes=wishes)
    return prompt


def narrowed(selection: Selection, wishes: Wishes, targets: Targets, policies: Mapping[str, Policy]) -> Selection:
    """The same selection as the caller wishes it. Raises InvalidRequest for a price that is no number.

    A wish only narrows: what the router rules out stays out.
    """
    mask = allowed_by(wishes, targets)
    legs = [replace(leg, allowed=leg.allowed * mask) for leg in selection.legs]
    if wishes.sorted_by:
        policy = policies[ROUTER_OF_SORT[wishes.sorted_by]]
        legs = [replace(leg, policy=reweighed(leg.policy, policy)) for leg in legs]
    if wishes.order:
        legs = [part for leg in legs for part in in_order(leg, wishes, targets)]
    return Selection(selection.wanted, tuple(legs), selection.skipped)


def reweighed(policy: Policy, other: Policy) -> Policy:
    """This router's rules and limits with the other's weights."""
    own, others = policy.vector, other.vector
    vector = own._replace(weights=others.weights, good=others.good, bad=others.bad, in_money=others.in_money)
    return replace(policy, vector=vector, weights=other.weights, stay_margin=other.stay_margin)


def allowed_by(wishes: Wishes, targets: Targets) -> U8:
    """[n] 1: neither a list nor the highest price rules the target out."""
    mask = np.ones(len(targets.ids), np.uint8)
    if wishes.only:
        mask &= of_providers(wishes.only, targets)
    if wishes.ignore:
        mask &= 1 - of_providers(wishes.ignore, targets)
    if wishes.max_price is not None:
        prompt, completion = wishes.max_price.prompt, wishes.max_price.completion
        if prompt is not None:
            mask &= priced_within(dollars(prompt), [offer.prices.input for offer in targets.offers])
        if completion is not None:
            mask &= priced_within(dollars(completion), [offer.prices.output for offer in targets.offers])
    return mask


def priced_within(limit: float, prices: list[Figure | None]) -> U8:
    """[n] 1: the price is stated and no higher than the limit, both in USD per million tokens."""
    return np.array([price is not None and price.value <= limit for price in prices], np.uint8)


def dollars(limit: float | str) -> float:
    try:
        return float(limit)
    except ValueError as error:
        raise InvalidRequest(
            f"Invalid 'provider.max_price': {str(limit)[:40]!r} is no number of USD per million tokens.",
            param="provider.max_price",
        ) from error


def of_providers(names: Collection[str], targets: Targets) -> U8:
    """[n] 1: the target is at one of these providers."""
    wanted = {name.lower() for name in names}
    mask = np.zeros(len(targets.ids), np.uint8)
    for provider, columns in targets.by_provider.items():
        if provider.lower() in wanted:
            mask[list(columns)] = 1
    return mask


def in_order(leg: Leg, wishes: Wishes, targets: Targets) -> list[Leg]:
    """The leg in parts: one for each provider as ordered, if it is live, then all others if they may follow."""
    known = {provider.lower() for provider in targets.by_provider}
    named = [name for name in dict.fromkeys(map(str.lower, wishes.order)) if name in known]
    masks = [of_providers((name,), targets) for name in named]
    if wishes.allow_fallbacks:
        masks.append(of_providers(known.difference(named), targets))
    nobody = [np.zeros_like(leg.allowed)]
    return [replace(leg, allowed=leg.allowed * mask) for mask in masks or nobody]
