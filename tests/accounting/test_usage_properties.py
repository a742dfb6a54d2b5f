"""Whatever a provider reports, what is billed is possible."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.accounting.usage import LARGEST_COUNT, settle
from gateway.wire.delta import Usage

counts = st.one_of(st.integers(-10, 10_000), st.integers(-(2**70), 2**70))
usages = st.builds(Usage, counts, counts, counts, counts, counts, st.booleans())


@given(st.none() | usages, usages)
def test_settled_usage_is_consistent_and_never_negative(reported: Usage | None, estimate: Usage) -> None:
    settled = settle(reported, estimate)
    assert 0 <= settled.cached_tokens + settled.cache_write_tokens <= settled.input_tokens <= LARGEST_COUNT
    assert 0 <= settled.reasoning_tokens <= settled.output_tokens <= LARGEST_COUNT
    assert min(settled.cached_tokens, settled.cache_write_tokens) >= 0


@given(st.none() | usages, usages)
def test_every_figure_that_is_not_the_providers_is_marked(reported: Usage | None, estimate: Usage) -> None:
    settled = settle(reported, estimate)
    assert settled.estimated or settled == reported


@given(usages, usages)
def test_settling_twice_changes_nothing(reported: Usage, estimate: Usage) -> None:
    once = settle(reported, estimate)
    assert settle(once, estimate) == once
