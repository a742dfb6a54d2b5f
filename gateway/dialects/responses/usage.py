"""Usage in this format and ours; both count cached tokens as input."""

from msgspec import Struct

from gateway.wire.delta import Usage


class InputDetails(Struct, frozen=True, gc=False):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class OutputDetails(Struct, frozen=True, gc=False):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class UsageMember(Struct, frozen=True, gc=False):
    """`usage` of an answer; some servers write it in the words of Chat Completions."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def read_usage(told: UsageMember | None) -> Usage | None:
    """None when nobody counted."""
    if told is None:
        return None
    read, written = told.input_tokens_details or InputDetails(), told.output_tokens_details or OutputDetails()
    input_tokens = told.input_tokens or told.prompt_tokens or 0
    output_tokens = told.output_tokens or told.completion_tokens or 0
    # As in Chat Completions: xAI counts thinking in the total but not in the output, and bills it as output.
    hidden = told.total_tokens - input_tokens - output_tokens if told.total_tokens else 0
    return Usage(
        input_tokens=input_tokens,
        cached_tokens=read.cached_tokens or 0,
        cache_write_tokens=read.cache_write_tokens or 0,
        output_tokens=output_tokens + max(hidden, 0),
        reasoning_tokens=written.reasoning_tokens or 0,
        audio_input_tokens=read.audio_tokens or 0,
        audio_output_tokens=written.audio_tokens or 0,
        image_tokens=read.image_tokens or 0,
    )


class InputDetailsOut(Struct, frozen=True, omit_defaults=True):
    cached_tokens: int
    cache_write_tokens: int
    audio_tokens: int = 0
    image_tokens: int = 0


class OutputDetailsOut(Struct, frozen=True, omit_defaults=True):
    reasoning_tokens: int
    audio_tokens: int = 0


class UsageOut(Struct, frozen=True, omit_defaults=True):
    """`usage` as every client expects it: the first five members are always there."""

    input_tokens: int
    input_tokens_details: InputDetailsOut
    output_tokens: int
    output_tokens_details: OutputDetailsOut
    total_tokens: int
    estimated: bool = False  # ours: nobody but us counted


def usage_out(usage: Usage | None) -> UsageOut | None:
    if usage is None:
        return None
    return UsageOut(
        usage.input_tokens,
        InputDetailsOut(usage.cached_tokens, usage.cache_write_tokens, usage.audio_input_tokens, usage.image_tokens),
        usage.output_tokens,
        OutputDetailsOut(usage.reasoning_tokens, usage.audio_output_tokens),
        usage.input_tokens + usage.output_tokens,
        usage.estimated,
    )
