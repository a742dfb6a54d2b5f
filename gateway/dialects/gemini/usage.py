"""Google's count of tokens and ours."""

from gateway.dialects.gemini.schema import ModalityCount, UsageMetadata
from gateway.wire.delta import Usage


def read_usage(told: UsageMetadata) -> Usage:
    """Thoughts are counted apart and billed as output, results of Google's own tools as input."""
    given = (told.prompt_token_count or 0) + (told.tool_use_prompt_token_count or 0)
    thoughts = told.thoughts_token_count or 0
    output = (told.candidates_token_count or 0) + thoughts
    hidden = (told.total_token_count or 0) - given  # where thoughts stand in the total only
    return Usage(
        input_tokens=given,
        cached_tokens=told.cached_content_token_count or 0,
        output_tokens=max(output, hidden) if given else output,
        reasoning_tokens=thoughts,
        audio_input_tokens=of_modality("AUDIO", told.prompt_tokens_details),
        audio_output_tokens=of_modality("AUDIO", told.candidates_tokens_details),
        image_tokens=of_modality("IMAGE", told.prompt_tokens_details),
    )


def of_modality(modality: str, details: list[ModalityCount] | None) -> int:
    return sum(count.token_count or 0 for count in details if count.modality == modality) if details else 0


def merged(before: UsageMetadata, now: UsageMetadata) -> UsageMetadata:
    """Running totals: what a later report leaves out stays as it was. One with a total leaves nothing out."""
    if now.total_token_count is not None:
        return now
    pairs = ((name, getattr(now, name), getattr(before, name)) for name in UsageMetadata.__struct_fields__)
    return UsageMetadata(**{name: new if new is not None else old for name, new, old in pairs})


def written(usage: Usage) -> UsageMetadata:
    """As Google tells it; details only where there is more than text."""
    media = {"IMAGE": usage.image_tokens, "AUDIO": usage.audio_input_tokens}
    spoken = usage.audio_output_tokens
    return UsageMetadata(
        prompt_token_count=usage.input_tokens,
        cached_content_token_count=usage.cached_tokens or None,
        candidates_token_count=max(usage.output_tokens - usage.reasoning_tokens, 0),
        thoughts_token_count=usage.reasoning_tokens or None,
        total_token_count=usage.input_tokens + usage.output_tokens,
        prompt_tokens_details=details(usage.input_tokens, media) if any(media.values()) else None,
        candidates_tokens_details=details(usage.output_tokens - usage.reasoning_tokens, {"AUDIO": spoken})
        if spoken
        else None,
    )


def details(total: int, media: dict[str, int]) -> list[ModalityCount]:
    """What is left of the total is text."""
    counts = {"TEXT": max(total - sum(media.values()), 0)} | media
    return [ModalityCount(modality, count) for modality, count in counts.items() if count]
