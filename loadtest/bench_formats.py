"""What a translation costs: gateway CPU per event of a stream and per request of 100 KB, for every pair of formats.

`python -m loadtest.bench_formats [--strict]`. Callers down, providers across. `splice`: both speak one format, bytes go
through; in brackets how many times that a translation costs. Streams are the simulator's, one token per event, fed one
by one as they come from a socket; requests are an agent's, parsed, read and written anew each time (for Completions one
long prompt). Loops are kinder than life: caches are warm and nothing else runs.
"""

import argparse
import gc
import sys
from collections.abc import Callable
from time import perf_counter

from msgspec import Struct

from gateway.dialects.codec import Asked, Codec, Identity
from gateway.dialects.codecs import SPLICES, codec_of
from gateway.dialects.contract import Inbound, TargetManner
from gateway.dialects.formats import INBOUND, OUTBOUND
from gateway.simulator.answer import Answer, Choice
from gateway.simulator.dice import Dice
from gateway.simulator.extras import Extras
from gateway.simulator.faces.face import Face
from gateway.simulator.faces.table import BY_PATH, GEMINI
from gateway.simulator.prose import Book
from gateway.simulator.telling import Identity as Teller
from gateway.simulator.telling import Telling
from loadtest.agent import conversation

EVENT_AIM_US, REQUEST_AIM_MS = 25.0, 2.0
TOKENS = 400
REQUEST_BYTES = 100_000
ROUNDS = 15
MANNER = TargetManner(model="bench-model", max_output_tokens=8192)
FACES: dict[str, Face] = {
    "openai_chat": BY_PATH["/v1/chat/completions"],
    "openai_responses": BY_PATH["/v1/responses"],
    "anthropic_messages": BY_PATH["/v1/messages"],
    "gemini": GEMINI,
    "cohere_v2": BY_PATH["/v2/chat"],
    "ollama": BY_PATH["/api/chat"],
}


class Cost(Struct, frozen=True):
    """Of one pair."""

    event_us: float
    request_ms: float


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--strict", action="store_true", help="exit with 1 when an aim is missed")
    chosen = arguments.parse_args()
    gc.freeze()
    gc.set_threshold(20_000, 50, 20)  # as a server has it, see `bootstrap.House.open`
    costs = measured()
    print(as_table(f"per event, us (aim {EVENT_AIM_US:g})", {pair: cost.event_us for pair, cost in costs.items()}))
    print(
        as_table(
            f"per request of {REQUEST_BYTES // 1000} KB, ms (aim {REQUEST_AIM_MS:g})",
            {pair: cost.request_ms for pair, cost in costs.items()},
        )
    )
    missed = [pair for pair, cost in costs.items() if cost.event_us > EVENT_AIM_US or cost.request_ms > REQUEST_AIM_MS]
    for callers, providers in missed:
        print(f"over its aim: {callers} by {providers}")
    if chosen.strict and missed:
        sys.exit(1)


def measured() -> dict[tuple[str, str], Cost]:
    """Every pair of a format that callers speak and one that providers do."""
    bodies = {name: conversation(name, REQUEST_BYTES) for name in INBOUND}
    streams = {name: events_of(FACES[name]) for name in OUTBOUND if name in FACES}
    return {
        (callers, providers): cost_of(inbound, codec_of(inbound, providers), bodies[callers], streams[providers])
        for callers, inbound in INBOUND.items()
        for providers in streams
    }


def cost_of(inbound: Inbound, codec: Codec, body: bytes, stream: list[bytes]) -> Cost:
    prompt = inbound.parse(body, "auto")

    def request() -> None:
        codec.request(Asked(inbound.parse(body, "auto"), inbound, IDENTITY), MANNER)

    def relayed() -> None:
        relay = codec.relay(Asked(prompt, inbound, IDENTITY, whole), "m")
        for event in stream:
            relay.feed(event)
        relay.end()
        relay.closing(None)

    whole = inbound.read_request(body)
    return Cost(best_seconds(relayed) / len(stream) * 1e6, best_seconds(request) * 1e3)


IDENTITY = Identity("dec_bench", 1_763_800_000)


def best_seconds(step: Callable[[], None]) -> float:
    """The best of some rounds: what the work takes when nothing comes between."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = perf_counter()
        step()
        best = min(best, perf_counter() - started)
    return best


def events_of(face: Face) -> list[bytes]:
    """An answer of so many tokens, as this format streams it."""
    text = Book(0).passage(Dice(b"bench"), TOKENS)
    answer = Answer((Choice(0, [], text, (), "stop"),), prompt_tokens=400, cached_tokens=0)
    telling = Telling(answer, Teller("bench-1", 1_763_800_000, "bench-model"), Extras(usage_in_stream=True))
    ending = face.ending(telling)
    return [*(event.data for event in face.events(telling)), *([ending] if ending else [])]


def as_table(title: str, costs: dict[tuple[str, str], float]) -> str:
    """Callers down, providers across."""
    providers = list(dict.fromkeys(name for _, name in costs))
    spliced = {callers.name: costs[callers.name, name] for callers, name in SPLICES if (callers.name, name) in costs}
    lines = [f"\n{title:<22}" + "".join(f"{name:>21}" for name in providers)]
    for callers in INBOUND:
        base = spliced.get(callers, spliced["openai_chat"])
        cells = [cell(costs[callers, name], base, is_splice=callers == name) for name in providers]
        lines.append(f"{callers:<22}" + "".join(f"{text:>21}" for text in cells))
    return "\n".join(lines)


def cell(cost: float, base: float, *, is_splice: bool) -> str:
    return f"{cost:.2f} splice" if is_splice else f"{cost:.2f} (x{cost / base:.1f})"


if __name__ == "__main__":
    main()
