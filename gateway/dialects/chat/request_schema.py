"""A caller's request in full. Unknown members are tolerated here and kept by the reader.

Source of the names: openai 3.54, `openai.types.chat`; `reasoning`, `cache_control` and `video_url` are OpenRouter's,
`thinking` is DeepSeek's. Read 2026-11-23.
"""

from msgspec import Raw, Struct

from gateway.dialects.chat.media import FileObject, ImageUrl, InputAudio
from gateway.dialects.chat.reasoning import ReasoningDetail

ABSENT = Raw(b"")  # no such member


class StreamOptions(Struct, frozen=True, gc=False):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ReasoningOptions(Struct, frozen=True, gc=False):
    """OpenRouter's."""

    effort: str | None = None
    max_tokens: int | None = None
    exclude: bool | None = None
    enabled: bool | None = None
    summary: str | None = None


class ThinkingOptions(Struct, frozen=True, gc=False):
    """What DeepSeek, Zhipu and Moonshot took over from Anthropic."""

    type: str = ""
    budget_tokens: int | None = None


class Function(Struct, frozen=True, gc=False):
    """A definition, in `tools` or the older `functions`."""

    name: str
    description: str | None = None
    parameters: Raw = ABSENT
    strict: bool | None = None


class CustomFormat(Struct, frozen=True, gc=False):
    type: str = "text"


class Custom(Struct, frozen=True, gc=False):
    name: str
    description: str | None = None
    format: CustomFormat | None = None


class CacheControl(Struct, frozen=True, gc=False, omit_defaults=True):
    """Anthropic's mark, which OpenRouter and others take."""

    type: str = ""
    ttl: str | None = None


class CacheBreakpoint(Struct, frozen=True, gc=False):
    """OpenAI's mark."""

    mode: str = ""
    ttl: str | None = None


class ToolDefinition(Struct, frozen=True, gc=False):
    """`name` and what follows stand at this level in the flat shape, which the Responses API has."""

    type: str = "function"
    function: Function | None = None
    custom: Custom | None = None
    cache_control: CacheControl | None = None
    name: str | None = None
    description: str | None = None
    parameters: Raw = ABSENT
    strict: bool | None = None


class Named(Struct, frozen=True, gc=False):
    name: str


class AllowedTool(Struct, frozen=True, gc=False):
    type: str = "function"
    function: Named | None = None
    custom: Named | None = None
    name: str | None = None


class AllowedTools(Struct, frozen=True, gc=False):
    mode: str = "auto"
    tools: list[AllowedTool] = []


class ToolChoiceObject(Struct, frozen=True, gc=False):
    type: str = "function"
    function: Named | None = None
    custom: Named | None = None
    allowed_tools: AllowedTools | None = None
    name: str | None = None


class JsonSchema(Struct, frozen=True, gc=False):
    name: str | None = None
    description: str | None = None
    schema: Raw = ABSENT
    strict: bool | None = None


class ResponseFormat(Struct, frozen=True, gc=False):
    """`schema` beside json_object is Together's and Fireworks'."""

    type: str
    json_schema: JsonSchema | None = None
    schema: Raw = ABSENT


class GoogleExtras(Struct, frozen=True, gc=False):
    thought_signature: str | None = None


class ExtraContent(Struct, frozen=True, gc=False):
    """Where Gemini's OpenAI endpoint puts what the format has no place for."""

    google: GoogleExtras | None = None


class CalledFunction(Struct, frozen=True, gc=False):
    name: str
    arguments: dict[str, Raw] | str | None = None  # a string; some clients send the object


class CalledCustom(Struct, frozen=True, gc=False):
    name: str
    input: str = ""


class Call(Struct, frozen=True, gc=False):
    """A tool call of an earlier turn."""

    id: str | None = None
    type: str | None = None
    function: CalledFunction | None = None
    custom: CalledCustom | None = None
    extra_content: ExtraContent | None = None


class ImageOfAnswer(Struct, frozen=True, gc=False):
    """OpenRouter's: an image that a model made."""

    image_url: ImageUrl
    type: str = "image_url"


class Message(Struct, frozen=True, gc=False):
    role: str
    content: list[Raw] | str | None = None
    name: str | None = None
    tool_calls: list[Raw] | None = None
    function_call: CalledFunction | None = None
    tool_call_id: str | None = None
    refusal: str | None = None
    audio: Raw = ABSENT
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[ReasoningDetail] | None = None
    annotations: list[Raw] | None = None
    images: list[ImageOfAnswer] | None = None
    cache_control: CacheControl | None = None


class Part(Struct, frozen=True, gc=False):
    """One element of a message's content, whatever its type."""

    type: str
    text: str | None = None
    image_url: ImageUrl | str | None = None
    video_url: ImageUrl | str | None = None
    input_audio: InputAudio | None = None
    file: FileObject | None = None
    refusal: str | None = None
    thinking: Raw = ABSENT  # Mistral's: an array of text parts
    cache_control: CacheControl | None = None
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class RawMessages(Struct, frozen=True, gc=False):
    """The same messages, to find members that nobody reads."""

    messages: list[dict[str, Raw]] = []


class ChatRequest(Struct, frozen=True, gc=False):
    """Everything that has a place in a Conversation; the first five members are for routing only."""

    model: Raw = ABSENT
    models: Raw = ABSENT
    steelyard: Raw = ABSENT
    session_id: Raw = ABSENT
    stream_options: StreamOptions | None = None
    messages: list[Message] = []
    tools: list[Raw] | None = None
    functions: list[Function] | None = None
    tool_choice: ToolChoiceObject | str | None = None
    function_call: Named | str | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: str | None = None
    reasoning: ReasoningOptions | None = None
    thinking: ThinkingOptions | None = None
    include_reasoning: bool | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop: list[str] | str | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: Raw = ABSENT
    stream: bool | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    service_tier: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: dict[str, str] | None = None
    verbosity: str | None = None
    modalities: list[str] | None = None
    store: bool | None = None
