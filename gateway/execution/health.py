"""What we have learned of each target: latency, success, breaker, cooldown. Routing receives it as plain arrays."""

import logging
import math
from array import array
from collections.abc import Callable, Collection, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from core.matrix import LiveFigures
from core.sized_latency import SizedLatencyBook, size_of
from gateway.catalog.columns import Targets
from gateway.execution.breaker import Breaker
from gateway.execution.concurrency import ConcurrencyLimit
from gateway.execution.counting import Counting
from gateway.execution.headroom import Headroom
from gateway.execution.hearsay import Hearsay
from gateway.execution.load import loads
from gateway.providers.faults import RULES, Fault, FaultKind, Scope

log = logging.getLogger("steelyard")

Number = TypeVar("Number", np.float32, np.uint8)

VIEW_SECONDS = 0.1  # decisions within this time share one set of arrays, so that a decision can be remade later
SUCCESS_HALF_LIFE_SECONDS = 300.0
CROWDED = (FaultKind.OVERLOADED, FaultKind.RATE_LIMITED)
TAIL = 0.999
TAIL_SAMPLES = 50  # before a target's tail is believed
LATE = 0.95
PROBE_SECONDS = 30.0  # for which one request tries a refused key before another may
PRIOR_CALLS = 20.0  # the prior availability of a target weighs as much as 20 calls


class Cooldown(NamedTuple):
    """A time for which a target is left alone, because its provider said so or because nothing will change before."""

    until: float  # monotonic second
    kind: FaultKind  # of the fault that it follows from


UNTIL = attrgetter("until")


class Notice(Struct, frozen=True, array_like=True, gc=False):
    """What one process has learned of a key, and others with the same key must know at once."""

    about: Literal["cooling", "refused", "tried", "works"]
    provider: str
    key: int
    target: str = ""  # that cools; "" when it is about the key
    until: float = 0.0  # monotonic second, which all processes of a host have in common
    kind: FaultKind = FaultKind.RATE_LIMITED


class Health:
    """Live state of all targets of one snapshot. `now` is monotonic seconds."""

    def __init__(self, targets: Targets, key_counts: Mapping[str, int] = MappingProxyType({})) -> None:
        """key_counts: provider -> number of its keys, where it is not one."""
        count = len(targets.ids)
        self._targets = targets
        self._key_counts = key_counts
        self._next_key: dict[str, int] = {}
        self.headroom = Headroom()
        self.counting = Counting()
        self.hearsay = Hearsay()
        self._column_keys = {
            column: count for name, count in key_counts.items() for column in targets.by_provider.get(name, ())
        }
        self._limits: dict[tuple[str, int], ConcurrencyLimit] = {}  # by provider and key
        self._first_token = SizedLatencyBook(count)
        self._speed = SizedLatencyBook(count)
        self._successes = array("d", bytes(8 * count))  # plain floats are written one by one, arrays read all at once
        self._calls = array("d", bytes(8 * count))
        self._counted_at = array("d", bytes(8 * count))
        self._breakers: dict[int, Breaker] = {}
        self._cooling: dict[tuple[int, int], Cooldown] = {}  # by column and key
        self._refused: dict[tuple[str, int], Cooldown] = {}  # by provider and key, until the key is seen to work
        self._on_trial: set[tuple[str, int]] = set()  # of those, the ones with which a request is under way
        self._views: dict[int, LiveFigures] = {}  # by size of the prompt, made when one of that size comes
        self._view_until = -1.0
        self._slowest: dict[tuple[int, int], float] = {}  # by column and size; as of the views
        self._late: dict[tuple[int, int], float] = {}  # the same
        self.when_noticed: Callable[[Notice], None] = unheard

    def view(self, now: float, input_tokens: float = 0.0) -> LiveFigures:
        """The arrays that a decision at `now` on a prompt of this size is made with.

        At most 100 ms old, renewed at once after a fault.
        """
        if now >= self._view_until:
            self._views.clear()
            self._view_until = now + VIEW_SECONDS
            self._slowest.clear()
            self._late.clear()
        size = size_of(input_tokens)
        view = self._views.get(size)
        if view is None:
            view = self._views[size] = self._make_view(now, size)
        return view

    def slowest_first_token_seconds(self, column: int, now: float, input_tokens: float = 0.0) -> float:
        """What one answer in a thousand exceeds, by those of the last minutes; inf while too few have been seen.

        Of prompts of this size, or of the nearest of which enough have been seen.
        """
        size = size_of(input_tokens)
        known = self._slowest.get((column, size))
        if known is None:
            quantile = self._first_token.quantile(column, size, TAIL, now, TAIL_SAMPLES)
            known = self._slowest[column, size] = math.inf if math.isnan(quantile) else quantile
        return known

    def late_first_token_seconds(self, column: int, now: float, input_tokens: float = 0.0) -> float:
        """What one answer in twenty exceeds, by those of the last minutes; inf while too few have been seen.

        Of prompts of this size, or of the nearest of which enough have been seen. Never less than twice the median:
        where all take about the same, many are late by a hair.
        """
        size = size_of(input_tokens)
        known = self._late.get((column, size))
        if known is None:
            quantile, median = (self._first_token.quantile(column, size, share, now) for share in (LATE, 0.5))
            known = self._late[column, size] = math.inf if math.isnan(quantile) else max(quantile, 2.0 * median)
        return known

    def cooldown(self, column: int, now: float) -> Cooldown | None:
        """That which ends first of its keys' cooldowns; None when it may be called."""
        if not self._cooling and not self._refused:
            return None
        provider = self._targets.offers[column].provider
        waits = [self._wait(column, provider, key, now) for key in range(self._key_counts.get(provider, 1))]
        found = [wait for wait in waits if wait is not None]
        return min(found, key=UNTIL) if len(found) == len(waits) else None

    @property
    def under_way(self) -> int:
        """Attempts that have begun and not ended."""
        return sum(limit.under_way for limit in self._limits.values())

    def has_room(self, column: int, now: float) -> bool:
        """Whether there is a key that may be used, with which fewer requests are under way than its provider takes."""
        provider = self._targets.offers[column].provider
        return any(
            self._limit(provider, key).has_room
            for key in range(self._key_counts.get(provider, 1))
            if self._wait(column, provider, key, now) is None
        )

    def take_key(self, column: int, now: float, wanted: int | None = None) -> int:
        """The key for an attempt at this target, which begins now and ends with `answered`, `failed` or `given_up`.

        Keys take turns; those that are cooling are left out, and those that are spent or crowded if there is another.
        A key that was refused is tried again by one request: until that has ended the others leave it alone.
        wanted: the key whose turn it is for this request, because its provider has the conversation in its cache.
        """
        provider = self._targets.offers[column].provider
        count = self._key_counts.get(provider, 1)
        turn = self._next_key.get(provider, 0) if wanted is None else wanted
        order = [(turn + step) % count for step in range(count)]
        usable = [key for key in order if self._wait(column, provider, key, now) is None] or order
        usable = [key for key in usable if not self.headroom.is_spent(column, key, now)] or usable
        key = next((key for key in usable if self._limit(provider, key).has_room), usable[0])
        if count > 1 and wanted is None:
            self._next_key[provider] = key + 1
        self._limit(provider, key).began()
        refused = self._refused.get((provider, key))
        if refused is not None:
            self._refused[provider, key] = Cooldown(now + PROBE_SECONDS, refused.kind)
            self._on_trial.add((provider, key))
            self.when_noticed(Notice("tried", provider, key, until=now + PROBE_SECONDS, kind=refused.kind))
        return key

    def _limit(self, provider: str, key: int) -> ConcurrencyLimit:
        limit = self._limits.get((provider, key))
        if limit is None:
            limit = self._limits[provider, key] = ConcurrencyLimit()
        return limit

    def _wait(self, column: int, provider: str, key: int, now: float) -> Cooldown | None:
        """The longest that concerns this target with this key; None when it may be used."""
        own, shared = self._cooling.get((column, key)), self._refused.get((provider, key))
        longest = later(own, shared) if own and shared else own or shared
        return longest if longest and longest.until > now else None

    def out_seconds(self, column: int, now: float) -> float:
        """Until the target's breaker lets a call pass; 0 when it does."""
        breaker = self._breakers.get(column)
        return 0.0 if breaker is None else breaker.out_seconds(now)

    def admits(self, column: int, now: float) -> bool:
        """May an attempt start? Takes the probe's place when the breaker is half open."""
        breaker = self._breakers.get(column)
        return breaker is None or breaker.admits(now)

    def answered(
        self,
        column: int,
        now: float,
        first_token_seconds: float | None,
        seconds_per_token: float | None,
        key: int = 0,
        input_tokens: float = 0.0,
    ) -> None:
        """An attempt was answered whole. input_tokens: by our estimate, as the decision was made with."""
        self._limit(self._targets.offers[column].provider, key).answered()
        if self._on_trial:
            self._accepted(self._targets.offers[column].provider, key)
        if first_token_seconds is not None:
            self._first_token.observe(column, size_of(input_tokens), first_token_seconds, now)
        if seconds_per_token is not None:
            self._speed.observe(column, size_of(input_tokens), seconds_per_token, now)
        self._count(column, now, 1.0)
        if self.headroom.is_spent(column, key, now):  # or all who come within the view's time would go there
            self._view_until = -1.0
        breaker = self._breakers.get(column)
        if breaker is not None:
            breaker.succeeded(now)

    def failed(self, column: int, now: float, fault: Fault, key: int = 0) -> None:
        """An attempt failed. The fault's rule says whether it counts, and whom it puts out for how long."""
        limit = self._limit(self._targets.offers[column].provider, key)
        if fault.kind in CROWDED:
            limit.crowded()
        else:
            limit.ended()
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
            self._cool(column, rule.scope, key, Cooldown(now + wait, fault.kind))
        self._view_until = -1.0

    def given_up(self, column: int, key: int) -> None:
        """An attempt ended without saying anything of the target."""
        self._limit(self._targets.offers[column].provider, key).ended()
        self.released(column)

    def outpaced(self, column: int, now: float, waited_seconds: float, key: int, input_tokens: float = 0.0) -> None:
        """An attempt was given up because another target has begun to answer.

        Its first token would have come after more than `waited_seconds`. Once that is late for this target it counts as
        one that came then: too early, but behind 19 of 20 of the others, so that what is late stays what it was. Less
        than that says nothing, for almost every answer takes longer.
        """
        if waited_seconds >= self.late_first_token_seconds(column, now, input_tokens):
            self._first_token.observe(column, size_of(input_tokens), waited_seconds, now)
        self.given_up(column, key)

    def released(self, column: int) -> None:
        """The place that `admits` gave is not needed: there is no attempt, or it says nothing of the target."""
        breaker = self._breakers.get(column)
        if breaker is not None:
            breaker.released()

    def _cool(self, column: int, scope: Scope, key: int, cooldown: Cooldown) -> None:
        # A longer later wait extends the cooldown, a shorter one never shortens it.
        provider = self._targets.offers[column].provider
        if scope is Scope.KEY:
            known = self._refused.get((provider, key))
            self._refused[provider, key] = later(known or cooldown, cooldown)
            self._on_trial.discard((provider, key))
            if known is None:
                log.warning("%s is refused (%s); one request tries it again", self._name(provider, key), cooldown.kind)
            self.when_noticed(Notice("refused", provider, key, until=cooldown.until, kind=cooldown.kind))
            return
        keys = [key] if scope is Scope.ALLOWANCE else range(self._key_counts.get(provider, 1))
        target = self._targets.ids[column]
        for one in keys:
            self._cooling[column, one] = later(self._cooling.get((column, one), cooldown), cooldown)
            self.when_noticed(Notice("cooling", provider, one, target, cooldown.until, cooldown.kind))

    def standing(self, now: float) -> list[Notice]:
        """What a process that begins now has to be told: all that holds still."""
        ids, offers = self._targets.ids, self._targets.offers
        return [
            *(
                Notice("cooling", offers[column].provider, key, ids[column], wait.until, wait.kind)
                for (column, key), wait in self._cooling.items()
                if wait.until > now
            ),
            *(
                Notice("refused", provider, key, until=wait.until, kind=wait.kind)
                for (provider, key), wait in self._refused.items()
            ),
        ]

    def heed(self, notice: Notice) -> None:
        """Go by what another process has learned. It has told the operator, so nothing is told again."""
        which, cooldown = (notice.provider, notice.key), Cooldown(notice.until, notice.kind)
        if notice.about == "cooling":
            columns = self._targets.by_model.get(notice.target.rpartition("@")[0], ())
            for column in columns:
                if self._targets.ids[column] == notice.target:
                    place = (column, notice.key)
                    self._cooling[place] = later(self._cooling.get(place, cooldown), cooldown)
        elif notice.about == "refused":
            self._refused[which] = later(self._refused.get(which, cooldown), cooldown)
        elif notice.about == "tried" and which in self._refused:
            self._refused[which] = cooldown
        elif notice.about == "works":
            self._refused.pop(which, None)
            self._on_trial.discard(which)
        self._view_until = -1.0

    def _accepted(self, provider: str, key: int) -> None:
        """An answer ends what was held against a key only if it was asked for after the refusal."""
        if (provider, key) in self._on_trial:
            self._on_trial.remove((provider, key))
            del self._refused[provider, key]
            self._view_until = -1.0
            log.info("%s works again", self._name(provider, key))
            self.when_noticed(Notice("works", provider, key))

    def _name(self, provider: str, key: int) -> str:
        count = self._key_counts.get(provider, 1)
        return f"key {key + 1} of {count} of {provider}" if count > 1 else f"the key of {provider}"

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
            self.headroom.adopt(column, old.headroom, before)
            self.counting.adopt(column, old.counting, before)
            self.hearsay.adopt(column, old.hearsay, before)
            if before in old._breakers:
                self._breakers[column] = old._breakers[before]
            for (place, key), cooldown in old._cooling.items():
                if place == before:
                    self._cooling[column, key] = cooldown
        # What is under way was begun with the old one, and is told to it: they share the count.
        self._limits.update((which, limit) for which, limit in old._limits.items() if which[0] not in changed)
        kept = old._refused.items()
        self._refused.update((which, wait) for which, wait in kept if which[0] not in changed)

    def _upstream_name(self, column: int) -> str:
        return self._targets.offers[column].upstream_name

    def _count(self, column: int, now: float, success: float) -> None:
        kept = 0.5 ** ((now - self._counted_at[column]) / SUCCESS_HALF_LIFE_SECONDS)
        self._successes[column] = self._successes[column] * kept + success
        self._calls[column] = self._calls[column] * kept + 1.0
        self._counted_at[column] = now

    def _make_view(self, now: float, size: int) -> LiveFigures:
        prior = self.hearsay.over(self._targets.prior, now)
        first_token = read_only(self._first_token.blend(prior.first_token_seconds, size, now))
        per_token = read_only(self._speed.blend(prior.seconds_per_output_token, size, now))
        if self._views:  # what does not depend on the size is the same for all
            other = next(iter(self._views.values()))
            return other._replace(first_token_seconds=first_token, seconds_per_output_token=per_token)
        successes, calls, counted_at = map(np.frombuffer, (self._successes, self._calls, self._counted_at))
        kept = 0.5 ** ((now - counted_at) / SUCCESS_HALF_LIFE_SECONDS)
        expected = prior.availability.astype(np.float64)  # or a target that nobody has asked would move by a rounding
        availability = (successes * kept + PRIOR_CALLS * expected) / (calls * kept + PRIOR_CALLS)
        for column, factor in self.headroom.factors(self._column_keys, now).items():
            availability[column] *= factor
        return LiveFigures(
            first_token_seconds=first_token,
            seconds_per_output_token=per_token,
            availability=read_only(availability.astype(np.float32)),
            out=read_only(self._out(now)),
            load=read_only(loads(self._limits, self._targets.by_provider, len(self._targets.ids))),
            calls=read_only((calls * kept).astype(np.float32)),
        )

    def _out(self, now: float) -> NDArray[np.uint8]:
        out = np.zeros(len(self._targets.ids), np.uint8)
        for column, breaker in self._breakers.items():
            out[column] = breaker.is_out(now)
        for which in [which for which, wait in self._cooling.items() if wait.until <= now]:
            del self._cooling[which]
        concerned = {column for column, _ in self._cooling}
        concerned.update(*(self._targets.by_provider.get(provider, ()) for provider, _ in self._refused))
        for column in concerned:
            out[column] |= self.cooldown(column, now) is not None
        return out


def unheard(notice: Notice) -> None:
    """There is nobody else."""


def later(one: Cooldown, other: Cooldown) -> Cooldown:
    """The one that ends later."""
    return one if one.until >= other.until else other


def read_only(figures: NDArray[Number]) -> NDArray[Number]:
    """The same array, closed for writing: a decision keeps a reference to it."""
    figures.flags.writeable = False
    return figures
