"""What the translations are measured with is what it says."""

import msgspec
import pytest

from gateway.dialects.formats import INBOUND, OUTBOUND
from gateway.wire.delta import TextDelta
from loadtest.agent import conversation
from loadtest.bench_formats import FACES, TOKENS, as_table, events_of


@pytest.mark.parametrize("dialect", INBOUND)
def test_a_request_is_as_long_in_every_format_and_understood(dialect: str) -> None:
    body = conversation(dialect, 100_000)
    assert 90_000 < len(body) < 115_000
    read = INBOUND[dialect].read_request(body)
    if dialect != "openai_completions":
        assert len(read.tools) == 12
        assert len(read.turns) > 30


@pytest.mark.parametrize("dialect", FACES)
def test_a_stream_has_one_token_per_event_and_an_end(dialect: str) -> None:
    reader = OUTBOUND[dialect].stream_reader()
    deltas = [delta for event in events_of(FACES[dialect]) for delta in reader.feed(event)] + reader.end()
    texts = [delta.text for delta in deltas if isinstance(delta, TextDelta) and delta.text]
    assert len(texts) == TOKENS
    assert [msgspec.to_builtins(delta)["type"] for delta in deltas].count("finish") == 1


def test_the_table_tells_how_many_times_the_splice_a_translation_costs() -> None:
    costs = {(callers, providers): 2.0 for callers in INBOUND for providers in FACES}
    costs["openai_chat", "openai_chat"] = 0.5
    first = as_table("per event", costs).splitlines()[2]
    assert first.split() == ["openai_chat", "0.50", "splice", *["2.00", "(x4.0)"] * 5]
