"""What a provider's answer means, whatever its wire format: the vocabulary between outbound and inbound dialects."""

from msgspec import Struct


class Usage(Struct, frozen=True, gc=False):
    """Tokens of one attempt, as counted by the provider or, if `estimated`, by us.

    `input_tokens` includes the cached ones (OpenAI's convention); `output_tokens` includes reasoning tokens.
    """

    input_tokens: int = 0
    cached_tokens: int = 0  # of the input, read from the provider's prompt cache
    cache_write_tokens: int = 0  # of the input, written to the provider's prompt cache
    output_tokens: int = 0
    reasoning_tokens: int = 0  # of the output
    estimated: bool = False


class Finish(Struct, frozen=True):
    """How an answer ended. `reason` is OpenAI's word: stop, length, tool_calls, content_filter, function_call."""

    reason: str
