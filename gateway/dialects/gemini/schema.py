"""The generateContent API, as far as anybody here reads it. What is `Raw` stays the bytes it came as.

The same Structs read and write: absent members are not written. Unknown ones are tolerated; requests keep them aside.
Source of the names: google-genai 3.4.0, `google.genai.types`, read 2026-11-23.
"""

from msgspec import Raw, Struct

ABSENT = Raw(b"")  # no such member
NOTHING = (b"", b"null")


class Wire(Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """A message: camelCase outside, snake_case inside."""


class Blob(Wire, frozen=True):
    mime_type: str | None = None
    data: str | None = None  # base64
    display_name: str | None = None


class FileData(Wire, frozen=True):
    mime_type: str | None = None
    file_uri: str | None = None
    display_name: str | None = None


class FunctionCall(Wire, frozen=True):
    id: str | None = None
    name: str | None = None
    args: Raw = ABSENT


class ResponsePart(Wire, frozen=True):
    """A picture or document inside the response of a function."""

    inline_data: Blob | None = None
    file_data: FileData | None = None


class FunctionResponse(Wire, frozen=True):
    id: str | None = None
    name: str | None = None
    response: Raw = ABSENT
    parts: list[ResponsePart] | None = None


class MediaResolution(Wire, frozen=True):
    level: str | None = None


class Part(Wire, frozen=True):
    """One of its first five members, or one of a kind that only Google knows."""

    text: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    media_resolution: MediaResolution | str | None = None
    video_metadata: Raw = ABSENT
    executable_code: Raw = ABSENT
    code_execution_result: Raw = ABSENT


class Content(Wire, frozen=True):
    """One message."""

    parts: list[Part] | None = None
    role: str | None = None


class ThinkingConfig(Wire, frozen=True):
    include_thoughts: bool | None = None
    thinking_budget: int | None = None  # 0: off, -1: the model decides
    thinking_level: str | None = None


class GenerationConfig(Wire, frozen=True):
    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None  # Google's Python SDK sends 40.0
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    candidate_count: int | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    response_mime_type: str | None = None
    response_schema: Raw = ABSENT  # OpenAPI's subset
    response_json_schema: Raw = ABSENT
    response_modalities: list[str] | None = None
    thinking_config: ThinkingConfig | None = None


class FunctionCallingConfig(Wire, frozen=True):
    mode: str | None = None
    allowed_function_names: list[str] | None = None


class ToolConfig(Wire, frozen=True):
    function_calling_config: FunctionCallingConfig | None = None


class FunctionDeclaration(Wire, frozen=True):
    name: str
    description: str | None = None
    parameters: Raw = ABSENT  # OpenAPI's subset
    parameters_json_schema: Raw = ABSENT


class Request(Wire, frozen=True):
    """A request body. The model and whether to stream stand in the URL."""

    contents: list[Content] | Content | str | None = None
    system_instruction: Content | str | None = None
    tools: list[dict[str, Raw]] | dict[str, Raw] | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None
    labels: dict[str, str] | None = None
    service_tier: str | None = None
    model: str | None = None


class ModalityCount(Wire, frozen=True):
    modality: str | None = None
    token_count: int | None = None


class UsageMetadata(Wire, frozen=True):
    """Running totals. `prompt_token_count` includes the cached ones; thoughts and tool use are counted apart."""

    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    total_token_count: int | None = None
    prompt_tokens_details: list[ModalityCount] | None = None
    candidates_tokens_details: list[ModalityCount] | None = None


class Candidate(Wire, frozen=True):
    """One choice, as far as this chunk carries it."""

    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: int | None = None
    grounding_metadata: Raw = ABSENT
    citation_metadata: Raw = ABSENT
    logprobs_result: Raw = ABSENT


class PromptFeedback(Wire, frozen=True):
    block_reason: str | None = None
    block_reason_message: str | None = None


class Chunk(Wire, frozen=True):
    """A GenerateContentResponse: a whole answer, or one chunk of a stream."""

    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None  # Vertex
    error: Raw = ABSENT
