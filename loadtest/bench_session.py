"""What an agent's session costs when routing knows the providers' prompt caches, and when it does not.

`python -m loadtest.bench_session` plays one session of 40 turns on a 30,000-token beginning twice, turn by turn,
the whole bundled catalog as if every provider were live: once with the memory of sessions, once without, under the same
weights. Nothing is sent. What a turn costs is what the chosen target would bill, its cache held to the provider's rules
(how long, from how many tokens on, whether one has to ask) by a model of the world that the router cannot see.

Live figures are never still: each turn the latency of every target is drawn anew around its expected one, with a spread
of sigma (of its logarithm). And load is spread: targets whose scores are within `spread` take turns. Each line says how
much of either; in a world without both, the same target wins each turn, and there is nothing to remember.
"""

import argparse
import sys
import time
import tracemalloc
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from core.matrix import LiveFigures
from gateway import bootstrap
from gateway.catalog.caching import CacheRule
from gateway.live import Market
from gateway.providers.table import load_table
from gateway.routing.describe import describe
from gateway.routing.plan import make_plan
from gateway.routing.policy import PRESETS
from gateway.routing.session import NOTHING, SessionMemory, Thread, column_of, thread_of, with_cache
from gateway.settings.load import load_text
from gateway.wire.ability import Ability
from gateway.wire.delta import Usage
from gateway.wire.prompt import Prompt

PROVIDERS = ("anthropic", "deepseek", "fireworks", "google", "groq", "mistral", "openai", "together", "xai")
TURNS = 40
PREFIX_TOKENS = 30_000
OUTPUT_TOKENS = 250
GOAL = 0.60  # of the cost without the memory, saved under JUDGED
CALM, JUDGED = (0.0, 0.0, 60.0), (0.3, 0.05, 60.0)  # sigma, spread, seconds between turns
CONDITIONS = (CALM, (0.3, 0.0, 60.0), (0.6, 0.0, 60.0), (0.3, 0.05, 20.0), JUDGED, (0.3, 0.05, 120.0))
SEEDS = 5
MOST_MIB = 64.0
WORD = "parser "  # 7 bytes, about 1.75 tokens by our estimate


class Session(NamedTuple):
    """What one play of the session came to."""

    cost_usd: float
    cached_share: float  # of all input tokens
    targets: int  # different ones that answered
    moves: int  # from one target to another
    quality: float  # mean probability that the answer is good


class Cache:
    """The caches of all providers, as they really are: per target, what it has seen of the session and until when."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float]] = {}

    def bill(self, target: str, tokens: int, rule: CacheRule | None, now: float) -> Usage:
        """The usage of a turn of `tokens` that goes to `target`; the agent marks all it sends to be kept."""
        seen, until = self._seen.get(target, (0, 0.0))
        keeps = rule is not None and tokens >= rule.least_tokens
        read = seen if keeps and until > now else 0
        if rule is not None and keeps:
            self._seen[target] = (tokens, now + rule.seconds)
        written = tokens - read if rule is not None and keeps and rule.asked_for else 0
        return Usage(tokens, cached_tokens=read, cache_write_tokens=written, output_tokens=OUTPUT_TOKENS)


def market(router: str, spread: float) -> Market:
    """What the bundled catalog offers with these providers' keys, with a router of that preset."""
    table = load_table()
    text = f"routers: {{agent: {{preset: {router}, spread: {spread}}}}}"
    settings = load_text(text, "none", {}, table.keys()).settings
    return bootstrap.first_snapshot(settings, {table[name].key_env[0]: "pretended" for name in PROVIDERS}).chat


def turns() -> list[Prompt]:
    """An agent's requests: a long system prompt, a question, then tool results that come back one by one."""
    system = WORD * int(PREFIX_TOKENS * 4 / len(WORD))
    said = [system, "Find out why the parser drops the last line of a file, and mend it."]
    prompts = []
    for number in range(TURNS):
        role = "user" if number == 0 else "tool"
        if number:
            said += [f"I look at part {number}.", f"def part_{number}(): ... " * 20]
        prompts.append(prompt_of(tuple(f'"{text}"'.encode() for text in said), role))
    return prompts


def prompt_of(texts: tuple[bytes, ...], role: str) -> Prompt:
    return Prompt(
        dialect="openai_chat",
        body=b"{}",
        model="auto",
        chain=(),
        stream=True,
        wants_usage=True,
        needs=Ability.TOOLS,
        texts=texts,
        message_count=len(texts),
        last_role=role,
        tool_count=8,
        image_count=0,
        max_output_tokens=None,
        choices=1,
        session="",
    )


def shaken(live: LiveFigures, sigma: float, rng: np.random.Generator) -> LiveFigures:
    """The same figures on another moment."""
    factors = np.exp(rng.normal(0.0, sigma, len(live.out))).astype(np.float32) if sigma else np.float32(1.0)
    return live._replace(first_token_seconds=np.ascontiguousarray(live.first_token_seconds * factors, np.float32))


def played(place: Market, prompts: list[Prompt], sigma: float, pause: float, seed: int, *, remembers: bool) -> Session:
    """Send the whole session through the router `agent`."""
    rng, memory, world = np.random.default_rng(seed), SessionMemory(), Cache()
    cost, cached, total, quality = 0, 0, 0, 0.0
    answered: list[str] = []
    for number, prompt in enumerate(prompts):
        now = number * pause
        profile = describe(prompt)
        thread = thread_of(prompt, profile.figures.input_tokens, "") if remembers else None
        found = NOTHING if thread is None else memory.recall(thread, now)
        stay = column_of(found.stay, place.targets) if found.stay else None
        profile = replace(profile, figures=with_cache(profile.figures, found, place.targets))
        selection = place.selector.select("agent")
        live = shaken(place.targets.prior, sigma, rng)
        column = (
            make_plan(selection, profile, place.targets, place.scorer, live, rng.random(), stay)
            .plan.candidates[0]
            .column
        )
        line, ratio = place.lines[column], float(place.targets.matrix.token_ratio[column])
        usage = world.bill(line.target, round(profile.figures.input_tokens * ratio), line.caching, now)
        cost += line.prices.cost_nano_usd(usage) or 0
        cached, total = cached + usage.cached_tokens, total + usage.input_tokens
        quality += float(place.targets.matrix.quality[profile.figures.task, column])
        answered.append(line.target)
        if thread is not None:
            memory.keep(thread, line.target, 0, usage, line.caching, ratio, now)
    moves = sum(one != other for one, other in pairwise(answered))
    return Session(cost / 1e9, cached / total, len(set(answered)), moves, quality / len(prompts))


def mean(sessions: list[Session]) -> Session:
    return Session(*(float(np.mean(column)) for column in zip(*sessions, strict=True)))  # type: ignore[arg-type]


def compare(router: str, sigma: float, spread: float, pause: float) -> float:
    """Print two lines, without and with the memory; the share that it saves."""
    place, prompts = market(router, spread), turns()
    without, with_ = (
        mean([played(place, prompts, sigma, pause, seed, remembers=remembers) for seed in range(SEEDS)])
        for remembers in (False, True)
    )
    saved = 1 - with_.cost_usd / without.cost_usd
    for name, one, share in (("without", without, ""), ("with", with_, f"{saved:.1%}")):
        print(
            f"{sigma:5.1f} {spread:6.2f} {pause:5.0f} {name:>7} {one.cost_usd:9.4f} {share:>6} {one.cached_share:7.1%} "
            f"{one.targets:8.1f} {one.moves:6.1f} {one.quality:8.3f}"
        )
    return saved


def memory_mib(sessions: int) -> float:
    """What that many sessions of two targets each hold."""
    memory, rule = SessionMemory(), CacheRule(1_024, 300.0)
    texts = (b'"system"', b'"question"')
    tracemalloc.start()
    for number in range(sessions):
        thread = Thread(hash((number, "session")), 0, texts, tuple(map(len, texts)), 2_000.0 + number)
        for target in ("openai/gpt-5@openai", "openai/gpt-5@azure"):
            memory.keep(thread, target, 0, Usage(), rule, 1.0, float(number))
    held = tracemalloc.get_traced_memory()[0] / 2**20
    tracemalloc.stop()
    return held


def microseconds_per_turn(prompts: list[Prompt]) -> tuple[float, float]:
    """To recognise a conversation and recall it, and to note an answer: of the longest turn."""
    memory, rule = SessionMemory(), CacheRule(1_024, 300.0)
    times, last = 2_000, prompts[-1]
    thread = thread_of(last, 40_000.0, "team")
    assert thread is not None
    memory.keep(thread, "openai/gpt-5@openai", 0, Usage(), rule, 1.0, 0.0)
    started = time.perf_counter()
    for _ in range(times):
        found = thread_of(last, 40_000.0, "team")
        assert found is not None
        memory.recall(found, 1.0)
    recalled = time.perf_counter()
    for _ in range(times):
        memory.keep(thread, "openai/gpt-5@openai", 0, Usage(), rule, 1.0, 0.0)
    return (recalled - started) / times * 1e6, (time.perf_counter() - recalled) / times * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--router", default="auto", choices=PRESETS)
    asked = parser.parse_args()
    print(f"router {asked.router}, {TURNS} turns from {PREFIX_TOKENS:,} tokens on, mean of {SEEDS} seeds")
    print("sigma spread pause  memory  cost USD  saved  cached  targets  moves  quality")
    saved = {condition: compare(asked.router, *condition) for condition in CONDITIONS}[JUDGED]
    held = memory_mib(100_000)
    recall, note = microseconds_per_turn(turns())
    print(f"\n100,000 sessions hold {held:.0f} MiB (at most {MOST_MIB:g})")
    print(f"a turn of {2 * TURNS} texts: {recall:.1f} µs to recall, {note:.1f} µs to note")
    if saved < GOAL or held > MOST_MIB:
        sys.exit(f"missed: saved {saved:.1%} of {GOAL:.0%}, {held:.0f} MiB of {MOST_MIB:g}")


if __name__ == "__main__":
    main()
