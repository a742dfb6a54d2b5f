"""Counts of tokens, in both directions."""

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from gateway.dialects import answer
from gateway.dialects.tail import report_of
from gateway.wire.delta import Usage


class MediaTokens(Struct, frozen=True, gc=False):
    audio_tokens: int | None = None
    image_tokens: int | None = None


class MediaReport(Struct, frozen=True, gc=False):
    """The counts of a `usage` that only translations need."""

    prompt_tokens_details: MediaTokens | None = None
    completion_tokens_details: MediaTokens | None = None


MEDIA_REPORT = msgspec.json.Decoder(MediaReport)
NO_MEDIA = MediaTokens()


def read_usage(raw: Raw | bytes) -> Usage | None:
    """The provider's count, in any spelling of the family; None when there is none."""
    usage = answer.read_usage(raw)
    text = bytes(raw)
    if usage is None or (b"audio_tokens" not in text and b"image_tokens" not in text):
        return usage
    try:
        report = MEDIA_REPORT.decode(raw)
    except msgspec.DecodeError:
        return usage
    read, written = report.prompt_tokens_details or NO_MEDIA, report.completion_tokens_details or NO_MEDIA
    return replace(
        usage,
        audio_input_tokens=read.audio_tokens or 0,
        image_tokens=read.image_tokens or 0,
        audio_output_tokens=written.audio_tokens or 0,
    )


def write_usage(usage: Usage) -> Raw:
    """The `usage` object of an answer."""
    return Raw(msgspec.json.encode(report_of(usage) if usage.estimated else full_report_of(usage)))


def full_report_of(usage: Usage) -> dict[str, object]:
    """A provider's count in OpenAI's shape."""
    read = {"cached_tokens": usage.cached_tokens, "audio_tokens": usage.audio_input_tokens}
    if usage.cache_write_tokens:
        read["cache_write_tokens"] = usage.cache_write_tokens
    if usage.image_tokens:
        read["image_tokens"] = usage.image_tokens
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": read,
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": usage.audio_output_tokens,
        },
    }
