"""What a provider's answer means, whatever its wire format: the vocabulary between outbound and inbound dialects."""

from typing import Literal

from msgspec import Raw, Struct

from gateway.wire.conversation import Citation


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
    cache_write_1h_tokens: int = 0  # of cache_write_tokens, those kept for an hour
    audio_input_tokens: int = 0  # of the input
    audio_output_tokens: int = 0  # of the output
    image_tokens: int = 0  # of the input


class Began(Struct, frozen=True, omit_defaults=True, tag="began"):
    """Who answers. Comes once, before everything else."""

    id: str = ""
    model: str = ""
    created: int = 0  # Unix seconds, 0 when the format does not say


class TextDelta(Struct, frozen=True, omit_defaults=True, tag="text"):
    text: str
    choice: int = 0
    logprobs: Raw | None = None  # OpenAI's object for these tokens


class ThoughtDelta(Struct, frozen=True, omit_defaults=True, tag="thought"):
    text: str
    choice: int = 0


class ThoughtSealed(Struct, frozen=True, omit_defaults=True, tag="sealed"):
    """The thought so far is over and carries this proof. One without text before it was hidden as a whole."""

    signature: str = ""
    hidden: str = ""
    origin: str = ""  # family of the maker
    id: str = ""
    choice: int = 0


class CallBegan(Struct, frozen=True, omit_defaults=True, tag="call"):
    """A tool call opens; its arguments follow, in one or many pieces, or never when it takes none."""

    index: int  # 0, 1, … within the choice
    id: str
    name: str
    choice: int = 0
    is_custom: bool = False
    signature: str = ""  # Gemini's thoughtSignature
    origin: str = ""


class CallArguments(Struct, frozen=True, omit_defaults=True, tag="arguments"):
    index: int
    text: str
    choice: int = 0


class RefusalDelta(Struct, frozen=True, omit_defaults=True, tag="refusal"):
    text: str
    choice: int = 0


class CitationDelta(Struct, frozen=True, omit_defaults=True, tag="citation"):
    """A source of the text before it."""

    citation: Citation
    choice: int = 0


class MediaDelta(Struct, frozen=True, omit_defaults=True, tag="media"):
    """A generated image or a piece of sound."""

    media_type: str
    data: str  # base64
    kind: Literal["image", "audio"] = "image"
    choice: int = 0


class OpaqueDelta(Struct, frozen=True, omit_defaults=True, tag="opaque"):
    """A part of an answer that means something in its own format only, whole; every other format leaves it out."""

    origin: str  # dialect
    raw: Raw
    what: str  # its type there
    choice: int = 0


class UsageReport(Struct, frozen=True, omit_defaults=True, tag="usage"):
    """Running totals; the last one wins."""

    usage: Usage


class Finish(Struct, frozen=True, omit_defaults=True, tag="finish"):
    """How a choice ended. `reason` is OpenAI's word: stop, length, tool_calls, content_filter; or refusal, pause,
    context_window, where a format tells them apart.
    """

    reason: str
    choice: int = 0
    stop_sequence: str = ""  # the one that was met


class Failure(Struct, frozen=True, omit_defaults=True, tag="failure"):
    """The provider ended its answer with an error; `error` is its JSON."""

    error: bytes


Delta = (
    Began
    | TextDelta
    | ThoughtDelta
    | ThoughtSealed
    | CallBegan
    | CallArguments
    | RefusalDelta
    | CitationDelta
    | MediaDelta
    | OpaqueDelta
    | UsageReport
    | Finish
    | Failure
)
