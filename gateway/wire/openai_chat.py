"""OpenAI Chat Completions, as far as anybody here reads it. What is `Raw` stays the bytes it came as.

Requests are the caller's, chunks and answers the provider's. Unknown fields are tolerated: they pass through untouched.
Source of the field names: openai 3.54, `openai.types.chat`, read 2026-11-22.
"""

from msgspec import Raw, Struct

from gateway.wire.no_address import NoAddress
from gateway.wire.wishes import Wishes

ABSENT = Raw(b"")  # no such member

ROLES = ("system", "developer", "user", "assistant", "tool", "function")


class Message(Struct, frozen=True, gc=False):
    """One message of a request."""

    role: str  # one of ROLES
    content: Raw = ABSENT  # a string, an array of parts, or null beside tool calls
    tool_calls: Raw = ABSENT


class Link(Struct, frozen=True, gc=False):
    """Where a picture or a film is to be had; a data URL is the thing itself."""

    url: Raw = ABSENT


class Part(Struct, frozen=True, gc=False):
    """One element of a message's content; each other field belongs to the type of its name."""

    type: str
    text: Raw = ABSENT
    image_url: Link | str | None = None
    video_url: Link | str | None = None


class StreamOptions(Struct, frozen=True, gc=False):
    """What the caller wants of a stream beside its text."""

    include_usage: bool | None = None


class UsageWanted(Struct, frozen=True, gc=False):
    """OpenRouter's way to ask for it."""

    include: bool | None = None


class ResponseFormat(Struct, frozen=True, gc=False):
    """`type` is text, json_object or json_schema."""

    type: str
    json_schema: Raw = ABSENT


class ChatRequest(NoAddress, frozen=True, gc=False):
    """The thin view of a request body: what routing reads, and nothing else."""

    messages: list[Message]
    model: str | None = None
    models: list[str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None  # these four are held to their type, so that a typo costs no round trip
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    tools: list[Raw] | None = None
    functions: list[Raw] | None = None  # what tools were called before 2023-11
    response_format: ResponseFormat | None = None
    logprobs: bool | None = None
    prompt_cache_key: str | None = None
    session_id: str | None = None  # OpenRouter's
    provider: Wishes | None = None  # OpenRouter's
    tool_choice: Raw = ABSENT
    usage: UsageWanted | None = None  # OpenRouter's
    metadata: Raw = ABSENT
    user: str | None = None
    safety_identifier: str | None = None


class PromptTokens(Struct, frozen=True, gc=False):
    """Parts of `prompt_tokens`."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class CompletionTokens(Struct, frozen=True, gc=False):
    """Parts of `completion_tokens`."""

    reasoning_tokens: int | None = None


class UsageReport(Struct, frozen=True, gc=False):
    """`usage` of an answer, in every spelling of the compatible family."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: PromptTokens | None = None
    completion_tokens_details: CompletionTokens | None = None
    prompt_cache_hit_tokens: int | None = None  # DeepSeek's
    cached_tokens: int | None = None  # Moonshot's


class ChunkChoice(Struct, frozen=True, gc=False):
    """One choice of a chunk."""

    index: int | None = None
    delta: dict[str, Raw] | None = None
    finish_reason: str | None = None
    error: Raw = ABSENT  # OpenRouter's


class GroqExtras(Struct, frozen=True, gc=False):
    """`x_groq`: the usage of a stream that did not ask for any."""

    usage: Raw = ABSENT
    error: Raw = ABSENT


class Chunk(Struct, frozen=True, gc=False):
    """One event of a stream."""

    choices: list[Raw] | None = None
    usage: Raw = ABSENT
    error: Raw = ABSENT
    x_groq: GroqExtras | None = None


class ChoicesOnly(Struct, frozen=True, gc=False):
    """One event of a stream, for who asks for nothing but its choices."""

    choices: list[Raw] | None = None


class Identity(Struct, frozen=True, gc=False):
    """What all chunks of a stream, or an answer, say about themselves."""

    id: Raw = Raw(b'""')
    created: Raw = Raw(b"0")
    model: Raw = Raw(b'""')


class AnswerChoice(Struct, frozen=True, gc=False):
    """One choice of a whole answer."""

    message: dict[str, Raw] | None = None
    finish_reason: str | None = None
    error: Raw = ABSENT


class Answer(Struct, frozen=True, gc=False):
    """A whole answer."""

    choices: list[AnswerChoice] | None = None
    model: str | None = None
    usage: Raw = ABSENT
    error: Raw = ABSENT


class ErrorObject(Struct, frozen=True, omit_defaults=False):
    """What stands in `error` of an answer."""

    message: str
    type: str
    param: str | None = None
    code: str | int | None = None
