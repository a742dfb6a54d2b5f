"""A caller's request to the older POST /v1/completions.

Source of the names: openai 3.54, `openai.types.completion_create_params`, read 2026-11-23.
"""

import msgspec
from msgspec import Raw, Struct

from gateway.wire.no_address import NoAddress
from gateway.wire.wishes import Wishes

DIALECT = "openai_completions"
ABSENT = Raw(b"")


class StreamOptions(Struct, frozen=True, gc=False):
    include_usage: bool | None = None


class CompletionRequest(NoAddress, frozen=True, gc=False):
    """Everything that has a place in a Conversation, and what routing reads."""

    prompt: Raw = ABSENT
    model: str | None = None
    models: list[str] | None = None
    steelyard: Raw = ABSENT
    session_id: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    n: int | None = None
    stop: list[str] | str | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: Raw = ABSENT
    best_of: int | None = None
    prompt_cache_key: str | None = None
    user: str | None = None
    provider: Wishes | None = None  # OpenRouter's


REQUEST = msgspec.json.Decoder(CompletionRequest)
