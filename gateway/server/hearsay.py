"""The live feed among the workers: one asks about all models that are sold here, and tells the others what it hears."""

from functools import partial
from time import monotonic

import msgspec

from gateway.execution.hearsay import Heard
from gateway.execution.live_feed import OPENROUTER, LiveFeed, Place
from gateway.server.state import State

HEARD = "heard of targets"
ENCODE = msgspec.msgpack.Encoder().encode
TOLD = msgspec.msgpack.Decoder(dict[str, Heard]).decode


def live_feed(state: State, seconds_between: float) -> LiveFeed:
    """The feed of the worker that asks."""
    return LiveFeed(partial(places, state), partial(take, state), seconds_between)


def listen(state: State) -> None:
    """Go by what the worker that asks has heard."""
    state.neighbours.on(HEARD, partial(hear, state))


def places(state: State) -> list[Place]:
    """The models that OpenRouter sells, with all of their targets here."""
    market = state.live.current.chat
    targets = market.targets
    found = []
    for column in targets.by_provider.get(OPENROUTER, ()):
        line, offer = market.lines[column], targets.offers[column]
        hosts = {targets.offers[host].provider: targets.ids[host] for host in targets.by_model[offer.model]}
        if len(hosts) > 1:
            slug = offer.upstream_name.partition(":")[0]
            url = f"{line.provider.base_url}/models/{slug}/endpoints"
            found.append(Place(url, line.headers[0], None if line.proxy is None else str(line.proxy), hosts))
    return found


def take(state: State, told: dict[str, Heard]) -> None:
    """What the feed says of some targets."""
    apply(state, told)
    state.neighbours.tell(HEARD, ENCODE(told))


def hear(state: State, said: bytes, sender: int) -> bytes:
    apply(state, TOLD(said))
    return b""


def apply(state: State, told: dict[str, Heard]) -> None:
    market, now = state.live.current.chat, monotonic()
    targets = market.targets
    for target, what in told.items():
        for column in targets.by_model.get(target.rpartition("@")[0], ()):
            if targets.ids[column] == target:
                market.health.hearsay.heard(column, what, now)
