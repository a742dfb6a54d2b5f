"""Whose count of tokens to believe: the provider's, unless it is missing, impossible or absurd; then our own."""

from msgspec.structs import replace

from gateway.wire.delta import Usage

# A report may exceed our count tenfold: tokenizers differ, scaffolding that a provider adds is not seen by us, and
# hidden reasoning is delivered to nobody. Small counts get room for that. Source: a 200 k token answer is longer than
# any model of the catalog may write; no provider adds 20 k tokens of its own to a prompt.
TOLERANCE = 10
INPUT_FLOOR_TOKENS = 2_000
OUTPUT_FLOOR_TOKENS = 20_000
LARGEST_COUNT = 2**40  # tokens; above it no estimate of ours is needed to call a count absurd
DELIVERED_FLOOR_TOKENS = 100  # that much text was delivered, and less than a tenth of it reported: the report is wrong
# An answer that broke off may have been counted when it began, and never again: Anthropic says 1 or so with its first
# event. Gemini counts with every chunk. Our own count is hardly ever twice the provider's.
BROKEN_TOLERANCE = 2


def settle(reported: Usage | None, estimate: Usage, *, is_whole: bool = True) -> Usage:
    """The usage to bill: `reported` where it can be true, `estimate` (our own count) where it cannot.

    is_whole: the answer came to its end, and the report with it.
    The result is consistent and never negative: cached + written <= input, reasoning <= output. `estimated` is set
    as soon as one figure is not the provider's.
    """
    if reported is not None and is_plausible(reported, estimate, is_whole=is_whole):
        return reported
    ours = consistent(estimate)
    if reported is None or missing(reported, ours):
        return marked(ours)
    input_holds = 0 < reported.input_tokens <= ceiling(ours.input_tokens, INPUT_FLOOR_TOKENS) or (
        reported.input_tokens == ours.input_tokens == 0
    )
    output_holds = 0 <= reported.output_tokens <= ceiling(ours.output_tokens, OUTPUT_FLOOR_TOKENS) and not (
        is_too_little(reported.output_tokens, ours.output_tokens, is_whole=is_whole)
    )
    input_side, output_side = reported if input_holds else ours, reported if output_holds else ours
    claimed = Usage(
        input_tokens=input_side.input_tokens,
        cached_tokens=input_side.cached_tokens,
        cache_write_tokens=input_side.cache_write_tokens,
        output_tokens=output_side.output_tokens,
        reasoning_tokens=output_side.reasoning_tokens,
        estimated=reported.estimated,
        cache_write_1h_tokens=input_side.cache_write_1h_tokens,
        audio_input_tokens=input_side.audio_input_tokens,
        audio_output_tokens=output_side.audio_output_tokens,
        image_tokens=input_side.image_tokens,
    )
    settled = consistent(claimed)
    if missing(settled, ours):
        return marked(ours)
    return settled if input_holds and output_holds and settled == claimed else marked(settled)


def is_plausible(reported: Usage, estimate: Usage, *, is_whole: bool) -> bool:
    """The ordinary case at a glance: consistent, and so small that no estimate could call it absurd."""
    return (
        0 < reported.input_tokens <= TOLERANCE * INPUT_FLOOR_TOKENS
        and reported.cached_tokens >= 0
        and 0 <= reported.cache_write_tokens <= reported.input_tokens - reported.cached_tokens
        and 0 <= reported.reasoning_tokens <= reported.output_tokens <= TOLERANCE * OUTPUT_FLOOR_TOKENS
        and 0 <= reported.cache_write_1h_tokens <= reported.cache_write_tokens
        and 0 <= reported.audio_input_tokens <= reported.input_tokens
        and 0 <= reported.audio_output_tokens <= reported.output_tokens
        and 0 <= reported.image_tokens <= reported.input_tokens
        and not is_too_little(reported.output_tokens, estimate.output_tokens, is_whole=is_whole)
    )


def is_too_little(reported: int, delivered: int, *, is_whole: bool) -> bool:
    """Whether so few output tokens cannot be what was delivered, by our own count of that."""
    if reported == 0:
        return delivered > 0
    if not is_whole:
        return reported * BROKEN_TOLERANCE < delivered
    return delivered >= DELIVERED_FLOOR_TOKENS and reported * TOLERANCE < delivered


def missing(reported: Usage, ours: Usage) -> bool:
    """Zeros everywhere, although something was sent, are what some servers say for "not counted"."""
    return reported.input_tokens == 0 == reported.output_tokens and ours.input_tokens + ours.output_tokens > 0


def ceiling(ours: int, floor: int) -> int:
    """The largest count that is still plausible beside our own."""
    return min(TOLERANCE * max(ours, floor), LARGEST_COUNT)


def consistent(usage: Usage) -> Usage:
    """Every part clamped into the whole that holds it."""
    whole_input = clamp(usage.input_tokens, LARGEST_COUNT)
    whole_output = clamp(usage.output_tokens, LARGEST_COUNT)
    cached = clamp(usage.cached_tokens, whole_input)
    written = clamp(usage.cache_write_tokens, whole_input - cached)
    return Usage(
        input_tokens=whole_input,
        cached_tokens=cached,
        cache_write_tokens=written,
        output_tokens=whole_output,
        reasoning_tokens=clamp(usage.reasoning_tokens, whole_output),
        estimated=usage.estimated,
        cache_write_1h_tokens=clamp(usage.cache_write_1h_tokens, written),
        audio_input_tokens=clamp(usage.audio_input_tokens, whole_input),
        audio_output_tokens=clamp(usage.audio_output_tokens, whole_output),
        image_tokens=clamp(usage.image_tokens, whole_input),
    )


def clamp(count: int, most: int) -> int:
    return min(max(count, 0), most)


def marked(usage: Usage) -> Usage:
    """The same count, marked as ours."""
    return replace(usage, estimated=True)
