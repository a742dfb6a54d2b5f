"""What we have learned of each target: latency, success, breaker, cooldown. Routing receives it as plain arrays."""

from array import array
from collections.abc import Collection
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.latency import LatencyBook
from core.matrix import LiveFigures
from gateway.catalog.columns import Targets
from gateway.execution.breaker import Breaker
from gateway.providers.faults import RULES, Fault, FaultKind, Scope

Number = TypeVar("Number", np.float32, np.uint8)

VIEW_SECONDS = 0.1  # decisions within this time share one set of arrays, so that a decision can be remade later
SUCCESS_HALF_LIFE_SECONDS = 300.0
PRIOR_CALLS = 20.0  # the prior availability of a target weighs as much as 20 calls


class Cooldown(NamedTuple):
    """A time for which a target is left alone, because its provider said so or because nothing will change before."""

    until: float  # monotonic second
    kind: FaultKind  # of the fault that it follows from


class Health:
    """Live state of all targets of one snapshot. `now` is monotonic seconds."""

    def __init__(self, targets: Targets) -> None:
        count = len(targets.ids)
        self._targets = targets
        self._first_token = LatencyBook(count)
        self._speed = LatencyBook(count)
        self._successes = array("d", bytes(8 * count))  # plain floats are written one by one, arrays read all at once
        self._calls = array("d", bytes(8 * count))
        self._counted_at = array("d", bytes(8 * count))
        self._breakers: dict[int, Breaker] = {}
        self._cooling: dict[int, Cooldown] = {}  # by column
        self._provider_cooling: dict[str, Cooldown] = {}
        self._view: LiveFigures = targets.prior
        self._view_until = -1.0

    def view(self, now: float) -> LiveFigures:
        """The arrays that a decision at `now` is made with: at most 100 ms old, renewed at once after a fault."""
        if now >= self._view_until:
            self._view = self._make_view(now)
            self._view_until = now + VIEW_SECONDS
        return self._view

    def cooldown(self, column: int, now: float) -> Cooldown | None:
        """The longest that concerns this target now; None when it may be called."""
        if not self._cooling and not self._provider_cooling:
            return None
        own = self._cooling.get(column)
        shared = self._provider_cooling.get(self._targets.offers[column].provider)
        longest = later(own, shared) if own and shared else own or shared
        return longest if longest and longest.until > now else None

    def admits(self, column: int, now: float) -> bool:
        """May an attempt start? Takes the probe's place when the breaker is half open."""
        breaker = self._breakers.get(column)
        return breaker is None or breaker.admits(now)

    def answered(
        self, column: int, now: float, first_token_seconds: float | None, seconds_per_token: float | None
    ) -> None:
        """An attempt was answered whole."""
        if first_token_seconds is not None:
            self._first_token.observe_first_token(column, first_token_seconds, now)
        if seconds_per_token is not None:
            self._speed.observe_speed(column, seconds_per_token, now)
        self._count(column, now, 1.0)
        breaker = self._breakers.get(column)
        if breaker is not None:
            breaker.succeeded(now)

    def failed(self, column: int, now: float, fault: Fault) -> None:
        """An attempt failed. The fault's rule says whether it counts, and whom it puts out for how long."""
        if not fault.is_targets:
            self.released(column)
            return
        rule = RULES[fault.kind]
        if rule.counts:
            self._count(column, now, 0.0)
            self._breakers.setdefault(column, Breaker()).failed(now)
        else:
            self.released(column)
        wait = rule.cooldown_seconds if fault.wait_seconds is None else fault.wait_seconds
        if wait > 0 and rule.scope is not Scope.NONE:
            self._cool(column, rule.scope, Cooldown(now + wait, fault.kind))
        self._view_until = -1.0

    def released(self, column: int) -> None:
        """An attempt was given up, or failed for a reason that is not the target's."""
        breaker = self._breakers.get(column)
        if breaker is not None:
            breaker.released()

    def _cool(self, column: int, scope: Scope, cooldown: Cooldown) -> None:
        # A longer later wait extends the cooldown, a shorter one never shortens it.
        if scope is Scope.PROVIDER:
            provider = self._targets.offers[column].provider
            self._provider_cooling[provider] = later(self._provider_cooling.get(provider, cooldown), cooldown)
        else:
            self._cooling[column] = later(self._cooling.get(column, cooldown), cooldown)

    def adopt(self, old: "Health", changed: Collection[str]) -> None:
        """Take over what an earlier snapshot had learned of targets that still exist.

        changed: providers with another key, address or manner than before. What was learned was not learned of them,
        nor of a target that its provider is asked for by another name.
        """
        column_of = {
            target: column
            for column, target in enumerate(self._targets.ids)
            if self._targets.offers[column].provider not in changed
        }
        for before, target in enumerate(old._targets.ids):
            column = column_of.get(target)
            if column is None or self._upstream_name(column) != old._upstream_name(before):
                continue
            self._first_token.adopt(column, old._first_token, before)
            self._speed.adopt(column, old._speed, before)
            self._successes[column] = old._successes[before]
            self._calls[column] = old._calls[before]
            self._counted_at[column] = old._counted_at[before]
            if before in old._breakers:
                self._breakers[column] = old._breakers[before]
            if before in old._cooling:
                self._cooling[column] = old._cooling[before]
        kept = old._provider_cooling.items()
        self._provider_cooling.update((provider, wait) for provider, wait in kept if provider not in changed)

    def _upstream_name(self, column: int) -> str:
        return self._targets.offers[column].upstream_name

    def _count(self, column: int, now: float, success: float) -> None:
        kept = 0.5 ** ((now - self._counted_at[column]) / SUCCESS_HALF_LIFE_SECONDS)
        self._successes[column] = self._successes[column] * kept + success
        self._calls[column] = self._calls[column] * kept + 1.0
        self._counted_at[column] = now

    def _make_view(self, now: float) -> LiveFigures:
        prior = self._targets.prior
        successes, calls, counted_at = map(np.frombuffer, (self._successes, self._calls, self._counted_at))
        kept = 0.5 ** ((now - counted_at) / SUCCESS_HALF_LIFE_SECONDS)
        availability = (successes * kept + PRIOR_CALLS * prior.availability) / (calls * kept + PRIOR_CALLS)
        return LiveFigures(
            first_token_seconds=read_only(self._first_token.blend(prior.first_token_seconds, now)),
            seconds_per_output_token=read_only(self._speed.blend(prior.seconds_per_output_token, now)),
            availability=read_only(availability.astype(np.float32)),
            out=read_only(self._out(now)),
        )

    def _out(self, now: float) -> NDArray[np.uint8]:
        out = np.zeros(len(self._targets.ids), np.uint8)
        for column, breaker in self._breakers.items():
            out[column] = breaker.is_out(now)
        for column in [column for column, wait in self._cooling.items() if wait.until <= now]:
            del self._cooling[column]
        for column in self._cooling:
            out[column] = 1
        for provider in [provider for provider, wait in self._provider_cooling.items() if wait.until <= now]:
            del self._provider_cooling[provider]
        for provider in self._provider_cooling:
            out[list(self._targets.by_provider.get(provider, ()))] = 1
        return out


def later(one: Cooldown, other: Cooldown) -> Cooldown:
    """The one that ends later."""
    return one if one.until >= other.until else other


def read_only(figures: NDArray[Number]) -> NDArray[Number]:
    """The same array, closed for writing: a decision keeps a reference to it."""
    figures.flags.writeable = False
    return figures
