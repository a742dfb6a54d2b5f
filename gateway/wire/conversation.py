"""A request in full: what a translation reads from one format and writes in another.

The same vocabulary serves whole answers. Raw members stay JSON as it came, so that nothing in them changes on the way.
"""

from typing import Literal

from msgspec import Raw, Struct

Role = Literal["system", "developer", "user", "assistant", "tool"]


class CacheMark(Struct, frozen=True, omit_defaults=True):
    """The prompt up to here is worth keeping in the provider's cache."""

    seconds: int = 300  # how long: 300 or 3600


class Citation(Struct, frozen=True, omit_defaults=True):
    """A source of a text. Foreign formats take url and title; its own format gets the `raw` one back."""

    origin: str  # dialect
    raw: Raw
    url: str = ""
    title: str = ""
    quote: str = ""  # the cited words
    start: int | None = None  # of the text, in characters
    end: int | None = None


class Text(Struct, frozen=True, omit_defaults=True, tag="text"):
    text: str
    cache: CacheMark | None = None
    citations: tuple[Citation, ...] = ()


class Media(Struct, frozen=True, omit_defaults=True, tag="media"):
    """An image, a recording, a document or a film: by URL, as base64, or by the id of an upload at one provider."""

    kind: Literal["image", "audio", "file", "video"]
    url: str = ""
    data: str = ""  # base64, without the data: prefix
    media_type: str = ""  # "image/png"; "" when nobody said
    file_id: str = ""
    origin: str = ""  # dialect whose upload `file_id` is
    name: str = ""
    detail: str = ""  # OpenAI's "low", "high", "auto"
    cache: CacheMark | None = None
    raw: Raw | None = None  # as it came, where its own format says more; `Conversation.unsaid` names what


class Thought(Struct, frozen=True, omit_defaults=True, tag="thought"):
    """What a model thought before it answered. Who sealed it wants it back unchanged, or not at all."""

    text: str = ""
    signature: str = ""  # proves to `origin` that the text is its own
    hidden: str = ""  # encrypted or redacted thought, readable to `origin` only
    origin: str = ""  # family of the maker: "anthropic", "google", "openai", …; "" when it is plain text
    id: str = ""


class ToolCall(Struct, frozen=True, omit_defaults=True, tag="call"):
    id: str
    name: str
    arguments: str = "{}"  # JSON text as the model wrote it, perhaps not valid; plain text when `is_custom`
    is_custom: bool = False  # takes free text instead of JSON
    signature: str = ""  # Gemini's thoughtSignature of this call
    origin: str = ""  # family that signed it
    cache: CacheMark | None = None
    raw: Raw | None = None  # as it came, where its own format says more; `Conversation.unsaid` names what


class ToolResult(Struct, frozen=True, omit_defaults=True, tag="result"):
    call_id: str
    parts: "tuple[Text | Media, ...]" = ()
    name: str = ""  # of the tool, where the format says it
    is_error: bool = False
    is_custom: bool = False
    cache: CacheMark | None = None
    raw: Raw | None = None  # as it came, where its own format says more; `Conversation.unsaid` names what


class Refusal(Struct, frozen=True, omit_defaults=True, tag="refusal"):
    text: str


class Opaque(Struct, frozen=True, omit_defaults=True, tag="opaque"):
    """A part that means something in its own format only; every other format loses it."""

    origin: str  # dialect
    raw: Raw
    what: str  # its type there, for the report of the loss


Part = Text | Media | Thought | ToolCall | ToolResult | Refusal | Opaque


class Turn(Struct, frozen=True, omit_defaults=True):
    """One message. Results of tools stand in turns of their own, role "tool", before what the user says."""

    role: Role
    parts: tuple[Part, ...]
    name: str = ""  # of the participant


class Tool(Struct, frozen=True, omit_defaults=True):
    """Something the model may call."""

    name: str
    description: str = ""
    schema: Raw | None = None  # JSON schema of its arguments; None: takes none
    strict: bool | None = None
    kind: Literal["function", "custom", "hosted"] = "function"  # hosted: the provider runs it (web search, …)
    origin: str = ""  # dialect that `raw` is written in
    raw: Raw | None = None  # the definition as it came, for its own format
    cache: CacheMark | None = None


class ToolChoice(Struct, frozen=True, omit_defaults=True):
    mode: Literal["auto", "none", "required", "named"] = "auto"
    name: str = ""  # for "named"
    allowed: tuple[str, ...] = ()  # only these; empty: all


class OutputFormat(Struct, frozen=True, omit_defaults=True):
    kind: Literal["text", "json", "schema"] = "text"
    name: str = ""
    description: str = ""
    schema: Raw | None = None
    strict: bool | None = None


class Thinking(Struct, frozen=True, omit_defaults=True):
    """How much to think, and whether to show it."""

    effort: str = ""  # none, minimal, low, medium, high, xhigh, max; "" when not said
    budget_tokens: int | None = None  # 0: off
    is_adaptive: bool = False  # the model decides
    summary: str = ""  # OpenAI's auto, concise, detailed; Anthropic's display
    is_shown: bool | None = None  # Gemini's includeThoughts; None: not said


class Sampling(Struct, frozen=True, omit_defaults=True):
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    choices: int | None = None  # `n`
    logprobs: bool = False
    top_logprobs: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: Raw | None = None


class Conversation(Struct, frozen=True, omit_defaults=True):
    """Everything that a caller asked for. None and empty mean: not said."""

    origin: str  # dialect that it was read from
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    output: OutputFormat | None = None
    thinking: Thinking | None = None
    sampling: Sampling = Sampling()
    stream: bool = False
    cache_key: str = ""  # prompt_cache_key
    cache_retention: str = ""
    service_tier: str = ""
    user: str = ""
    metadata: dict[str, str] = {}
    verbosity: str = ""
    modalities: tuple[str, ...] = ()  # what the answer may consist of: "text", "audio", "image"
    store: bool | None = None
    unknown: dict[str, Raw] = {}  # top-level members that the reader does not know, by their names there
    unsaid: "tuple[Loss, ...]" = ()  # what only the `raw` of a part or tool says: lost in every format but its own


class Loss(Struct, frozen=True, omit_defaults=True):
    """Something that the target's format, or the target, has no place for."""

    field: str  # in the caller's words: "messages[3].content[0].image_url", "seed"
    reason: str


class Answer(Struct, frozen=True, omit_defaults=True):
    """A whole answer, read from one format, to be written in another."""

    id: str
    model: str  # as the provider names it
    created: int  # Unix seconds, 0 when the format does not say
    choices: "tuple[AnswerChoice, ...]"


class AnswerChoice(Struct, frozen=True, omit_defaults=True):
    parts: tuple[Part, ...]
    finish: str  # see wire.delta.Finish
    stop_sequence: str = ""
    logprobs: Raw | None = None  # OpenAI's object; None when there is none
