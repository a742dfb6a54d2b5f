"""The memory of sessions: what is recognised, what is expected of a provider's cache, and when a target is kept."""

import tracemalloc

import pytest

from gateway.catalog.caching import CacheRule, cache_rule
from gateway.catalog.card import Figure, Offer, Prices
from gateway.routing.plan import make_plan
from gateway.routing.session import NOTHING, Recollection, SessionMemory, Thread, column_of, thread_of, with_cache
from gateway.settings.schema import RouterSettings
from gateway.wire.delta import Usage
from tests.routing.market import SCORER, TARGETS, profile, prompt, selector

SYSTEM = b'"' + b"You are a careful agent. " * 400 + b'"'
TOOLS = (b'{"type":"function"}',)
RULE = CacheRule(1_024, 300.0)
ASKED_FOR = CacheRule(1_024, 300.0, asked_for=True)
UNSAID = Usage()
HERE, THERE = "acme/large@acme", "acme/small@acme"


def thread(*texts: str, system: bytes = SYSTEM, session: str = "", caller: str = "team", tokens: float = 0) -> Thread:
    said = tuple(f'"{text}"'.encode() for text in texts)
    whole = (system, *said, *TOOLS)
    found = thread_of(prompt(texts=whole, session=session, tool_count=1), tokens or sum(map(len, whole)) / 4, caller)
    assert found is not None
    return found


def kept(
    memory: SessionMemory,
    turn: Thread,
    target: str = HERE,
    *,
    key: int = 0,
    usage: Usage = UNSAID,
    rule: CacheRule | None = RULE,
    now: float = 0.0,
) -> None:
    memory.keep(turn, target, key, usage, rule, 1.0, now)


@pytest.fixture
def memory() -> SessionMemory:
    return SessionMemory()


def tokens_at(found: Recollection, target: str) -> float:
    return next((branch.expected_tokens for branch in found.branches if branch.target == target), 0.0)


@pytest.mark.parametrize("session", ["", "run-7"], ids=["by its beginning", "by its name"])
def test_the_next_turn_finds_the_last_one_warm(memory: SessionMemory, session: str) -> None:
    first = thread("one", session=session)
    kept(memory, first, key=2)
    found = memory.recall(thread("one", "answer", "two", session=session), 1.0)
    assert found.stay == HERE
    assert tokens_at(found, HERE) == first.tokens
    assert found.key_for(HERE) == 2
    assert found.key_for(THERE) is None


def test_callers_never_meet_in_a_session_of_the_same_name(memory: SessionMemory) -> None:
    kept(memory, thread("one", session="run-7", caller="red"))
    assert memory.recall(thread("one", "x", "two", session="run-7", caller="blue"), 1.0) is NOTHING


def test_another_conversation_with_the_same_system_prompt_finds_that_warm(memory: SessionMemory) -> None:
    first = thread("one")
    kept(memory, first)
    found = memory.recall(thread("quite another question"), 1.0)
    assert found.stay == ""
    assert 0 < tokens_at(found, HERE) < first.tokens


def test_a_conversation_that_was_cut_short_is_only_warm_as_far_as_its_system_prompt(memory: SessionMemory) -> None:
    kept(memory, thread("one", "answer", "two", session="run-7"))
    found = memory.recall(thread("a summary of it all", "go on", session="run-7"), 1.0)
    assert found.stay == ""
    assert tokens_at(found, HERE) == pytest.approx(len(SYSTEM) / 4, rel=0.01)


def test_what_is_silent_for_too_long_is_cold_and_still_the_one_to_stay_with(memory: SessionMemory) -> None:
    kept(memory, thread("one", session="run-7"), now=0.0)
    turn = thread("one", "answer", "two", session="run-7")
    assert tokens_at(memory.recall(turn, 299.0), HERE) > 0
    late = memory.recall(turn, 301.0)
    assert late.stay == HERE
    assert with_cache(profile(input_tokens=turn.tokens).figures, late, TARGETS).warm == ()


def test_a_target_without_a_cache_is_remembered_and_never_warm(memory: SessionMemory) -> None:
    kept(memory, thread("one", session="run-7"), rule=None)
    found = memory.recall(thread("one", "answer", "two", session="run-7"), 0.0)
    assert found.stay == HERE
    assert tokens_at(found, HERE) == 0.0


def test_a_short_prompt_is_below_what_providers_keep(memory: SessionMemory) -> None:
    short = thread("hi", system=b'"Be brief."', session="run-7", tokens=12.0)
    kept(memory, short)
    assert tokens_at(memory.recall(short, 0.0), HERE) == 0.0
    assert thread_of(prompt(texts=(b'"hi"',)), 12.0, "team") is None


def test_where_callers_mark_what_to_keep_only_the_provider_knows_what_it_has(memory: SessionMemory) -> None:
    turn, later = thread("one", session="a"), thread("one", "answer", "two", session="a")
    kept(memory, turn, rule=ASKED_FOR)
    assert tokens_at(memory.recall(later, 1.0), HERE) == 0.0
    assert not memory.recall(later, 1.0).writes
    kept(memory, turn, rule=ASKED_FOR, usage=Usage(input_tokens=2_500, cache_write_tokens=2_000))
    found = memory.recall(later, 1.0)
    assert tokens_at(found, HERE) == 2_000
    assert found.writes


def test_an_entry_that_was_written_for_an_hour_is_expected_for_an_hour(memory: SessionMemory) -> None:
    turn = thread("one", session="a")
    usage = Usage(input_tokens=2_500, cache_write_tokens=2_000, cache_write_1h_tokens=2_000)
    kept(memory, turn, rule=ASKED_FOR, usage=usage)
    later = thread("one", "answer", "two", session="a")
    kept(memory, later, rule=ASKED_FOR, usage=Usage(input_tokens=2_600, cached_tokens=2_000), now=3_000.0)
    assert tokens_at(memory.recall(thread("one", "answer", "two", "x", "three", session="a"), 6_500.0), HERE) == 2_000


def test_a_cache_that_is_not_read_is_trusted_less_and_more_again_when_it_is(memory: SessionMemory) -> None:
    first, second = thread("one", session="a"), thread("one", "x", "two", session="a")
    kept(memory, first)
    kept(memory, second, usage=Usage(input_tokens=2_600, cached_tokens=0), now=1.0)
    third = thread("one", "x", "two", "y", "three", session="a")
    assert tokens_at(memory.recall(third, 2.0), HERE) == pytest.approx(second.tokens / 2)
    kept(memory, third, usage=Usage(input_tokens=2_600, cached_tokens=int(second.tokens)), now=2.0)
    fourth = thread("one", "x", "two", "y", "three", "z", "four", session="a")
    assert tokens_at(memory.recall(fourth, 3.0), HERE) == pytest.approx(third.tokens * 0.75, rel=0.001)


def test_an_agent_sent_out_within_a_session_does_not_make_its_sender_cold(memory: SessionMemory) -> None:
    sender, helper = (
        thread("one", session="a"),
        thread("find the bug", system=b'"' + b"Look. " * 900 + b'"', session="a"),
    )
    kept(memory, sender)
    kept(memory, helper)
    found = memory.recall(thread("one", "sent", "result", session="a"), 1.0)
    assert found.stay == HERE
    assert tokens_at(found, HERE) == sender.tokens


def test_the_sessions_that_were_silent_longest_go_first() -> None:
    memory = SessionMemory(most=2)
    for name in ("a", "b", "a", "c"):
        kept(memory, thread("one", system=b'"s"', session=name, tokens=2_000.0))
    known = [name for name in "abc" if memory.recall(thread("one", system=b'"s"', session=name), 0.0).stay]
    assert known == ["a", "c"]
    assert len(memory) == 2


def test_a_session_takes_less_than_640_bytes() -> None:
    """100,000 are to fit in 64 MB."""
    memory, count = SessionMemory(), 4_000
    turn = thread("one", tokens=5_000.0)
    tracemalloc.start()
    for number in range(count):
        named = Thread(number * 7_919 + 2**60, 0, turn.texts, turn.lengths, turn.tokens)
        memory.keep(named, HERE, 0, Usage(), RULE, 1.0, float(number))
        memory.keep(named, THERE, 0, Usage(), RULE, 1.0, float(number))
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 640 * count


def test_a_target_that_has_the_conversation_warm_costs_less_there() -> None:
    memory = SessionMemory()
    turn = thread("one")
    kept(memory, turn)
    figures = with_cache(profile(input_tokens=turn.tokens).figures, memory.recall(turn, 1.0), TARGETS)
    assert figures.warm == ((column_of(HERE, TARGETS), turn.tokens),)
    assert column_of("acme/gone@acme", TARGETS) is None


def plan_with(stay: str, margin: float, **figures: float) -> str:
    choice = selector(mine=RouterSettings(weights={"quality": 1.0}, stay_margin=margin)).select("mine")
    column = column_of(stay, TARGETS)
    return make_plan(choice, profile(**figures), TARGETS, SCORER, TARGETS.prior, 0.0, column).plan.candidates[0].target


def test_a_conversation_stays_unless_another_is_better_by_more_than_the_margin() -> None:
    assert plan_with(HERE, 1.0) == HERE
    assert plan_with(THERE, 1.0) == THERE
    best = (
        make_plan(
            selector(mine=RouterSettings(weights={"quality": 1.0})).select("mine"),
            profile(),
            TARGETS,
            SCORER,
            TARGETS.prior,
            0.0,
        )
        .plan.candidates[0]
        .target
    )
    other = HERE if best != HERE else THERE
    assert plan_with(other, 0.0) == best


def test_a_target_that_is_out_is_left_at_once() -> None:
    choice = selector(mine=RouterSettings(weights={"quality": 1.0}, stay_margin=1.0)).select("mine")
    column = column_of(HERE, TARGETS)
    out = TARGETS.prior.out.copy()
    out[column] = 1
    decision = make_plan(choice, profile(), TARGETS, SCORER, TARGETS.prior._replace(out=out), 0.0, column)
    assert decision.plan.candidates[0].target != HERE


def offer(model: str, cached: float | None = 0.1, provider: str = "p") -> Offer:
    prices = Prices(input=Figure(1.0, ""), cached_input=None if cached is None else Figure(cached, ""))
    return Offer(model=model, provider=provider, upstream_name=model, prices=prices)


def test_only_a_lower_price_of_what_comes_again_is_a_cache() -> None:
    assert cache_rule(offer("x/y", None)) is None
    assert cache_rule(offer("x/y", 1.0)) is None
    assert cache_rule(offer("openai/gpt-5")) == CacheRule(1_024, 300.0)
    assert cache_rule(offer("anthropic/claude-sonnet-4.5")) == CacheRule(1_024, 300.0, asked_for=True)
    assert cache_rule(offer("anthropic/claude-opus-5.5")) == CacheRule(4_096, 300.0, asked_for=True)
    assert cache_rule(offer("google/gemini-2.5-pro")) == CacheRule(2_048, 180.0)
