"""What the workers of a host tell each other as they learn it: cooldowns, refused keys, conversations."""

from functools import partial
from time import monotonic

import msgspec

from gateway.execution.health import Health, Notice
from gateway.live import Market, Snapshot
from gateway.routing.session import Branch
from gateway.server.state import State

NOTICE = msgspec.msgpack.Decoder(Notice).decode
NOTICES = msgspec.msgpack.Decoder(dict[str, list[Notice]]).decode  # by topic
BRANCH = msgspec.msgpack.Decoder(tuple[int, Branch]).decode
ENCODE = msgspec.msgpack.Encoder().encode
CHAT, EMBEDDINGS, STANDING, SESSION = "health", "health of embeddings", "all health", "session"


def share(state: State) -> None:
    """Tell the other workers what is learned here, and heed what they tell. Without any it costs nothing."""
    neighbours = state.neighbours
    if not neighbours.exist:
        return
    state.live.on_swap(partial(speak, state))
    speak(state, state.live.current)
    for topic in (CHAT, EMBEDDINGS):
        neighbours.on(topic, partial(hear, state, topic))
    neighbours.on(STANDING, partial(stand, state))
    state.sessions.when_noted = lambda place, branch: neighbours.tell(SESSION, ENCODE((place, branch)))
    neighbours.on(SESSION, partial(hear_branch, state))


async def catch_up(state: State) -> None:
    """Heed what the others have learned before we began, lest a worker that takes another's place finds it out anew."""
    for told in await state.neighbours.ask(STANDING, b""):
        for topic, notices in NOTICES(told).items():
            for notice in notices:
                markets(state.live.current)[topic].health.heed(notice)


def stand(state: State, said: bytes, sender: int) -> bytes:
    """All that holds here, for one who has just begun."""
    now = monotonic()
    return ENCODE({topic: market.health.standing(now) for topic, market in markets(state.live.current).items()})


def speak(state: State, snapshot: Snapshot) -> None:
    """Have this snapshot's health told of."""
    for topic, market in markets(snapshot).items():
        market.health.when_noticed = partial(tell, state, topic)


def markets(snapshot: Snapshot) -> dict[str, Market]:
    return {CHAT: snapshot.chat, EMBEDDINGS: snapshot.embeddings}


def tell(state: State, topic: str, notice: Notice) -> None:
    state.neighbours.tell(topic, ENCODE(notice))


def hear(state: State, topic: str, said: bytes, sender: int) -> bytes:
    health: Health = markets(state.live.current)[topic].health
    health.heed(NOTICE(said))
    return b""


def hear_branch(state: State, said: bytes, sender: int) -> bytes:
    place, branch = BRANCH(said)
    state.sessions.heed(place, branch)
    return b""
