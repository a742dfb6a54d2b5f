"""A request to Gemini's generateContent.

Source: google-genai 3.4.0, `types.GenerateContentConfig` and what it sends, and
ai.google.dev/api/generate-content, read 2026-11-23.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from gateway.simulator.chat import Chat, Count, ForcedTool, Message, Part, ResponseFormat, Tool, Wanted
from gateway.simulator.extras import Extras
from gateway.simulator.faces.camel import in_camel_case
from gateway.simulator.faces.face import Where
from gateway.simulator.faces.google_schema import json_schema
from gateway.simulator.faces.reading import IMAGE, OTHER, decoded, forced, function_tool, refused, shaped
from gateway.simulator.faces.seals import is_seal_of


class Strict(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Gemini refuses names that it does not know."""


class FunctionCall(Strict, frozen=True):
    name: str
    args: dict[str, object] = {}
    id: str = ""


class FunctionResponse(Strict, frozen=True):
    name: str
    response: dict[str, object]
    id: str = ""
    parts: Raw = Raw()


class ContentPart(Strict, frozen=True):
    text: str | None = None
    thought: bool = False
    thought_signature: str = ""
    inline_data: dict[str, str] | None = None
    file_data: dict[str, str] | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    video_metadata: Raw = Raw()
    media_resolution: Raw = Raw()


class Content(Strict, frozen=True):
    parts: list[ContentPart]
    role: Literal["user", "model", "function"] = "user"


class Declaration(Strict, frozen=True):
    name: str
    description: str = ""
    parameters: dict[str, object] | None = None
    parameters_json_schema: dict[str, object] | None = None
    response: Raw = Raw()
    response_json_schema: Raw = Raw()
    behavior: str = ""


class OfferedTools(Struct, frozen=True, rename="camel"):
    """Tools of other kinds are Google's own, and never called here."""

    function_declarations: list[Declaration] = []


class CallingConfig(Strict, frozen=True):
    mode: Literal["AUTO", "ANY", "NONE", "VALIDATED"] = "AUTO"
    allowed_function_names: list[str] = []


class ToolConfig(Strict, frozen=True):
    function_calling_config: CallingConfig = CallingConfig()
    retrieval_config: Raw = Raw()


class ThinkingConfig(Strict, frozen=True):
    include_thoughts: bool = False
    thinking_budget: int | None = None
    thinking_level: Literal["minimal", "low", "medium", "high", "MINIMAL", "LOW", "MEDIUM", "HIGH"] | None = None


class GenerationConfig(Strict, frozen=True):
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: float | None = None
    candidate_count: Annotated[int, Meta(ge=1, le=8)] = 1
    max_output_tokens: Count | None = None
    stop_sequences: Annotated[list[str], Meta(max_length=5)] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_mime_type: str = "text/plain"
    response_schema: dict[str, object] | None = None
    response_json_schema: dict[str, object] | None = None
    response_logprobs: bool = False
    logprobs: Annotated[int, Meta(ge=0, le=20)] = 0
    response_modalities: list[str] | None = None
    media_resolution: Raw = Raw()
    speech_config: Raw = Raw()
    thinking_config: ThinkingConfig = ThinkingConfig()


class GeminiRequest(Strict, frozen=True):
    contents: Raw
    system_instruction: Raw = Raw(b"null")
    tools: Raw = Raw(b"null")
    tool_config: ToolConfig = ToolConfig()
    generation_config: GenerationConfig = GenerationConfig()
    safety_settings: Raw = Raw()
    cached_content: str = ""
    service_tier: str = ""


REQUEST = msgspec.json.Decoder(GeminiRequest)
CONTENTS = msgspec.json.Decoder(Annotated[list[Content], Meta(min_length=1)])
INSTRUCTION = msgspec.json.Decoder(Content | None)
TOOLS = msgspec.json.Decoder(list[OfferedTools] | None)


def read_gemini(body: bytes, where: Where) -> Chat:
    """The request, or a Refusal."""
    request = decoded(REQUEST, in_camel_case(body))
    contents, instruction = decoded(CONTENTS, request.contents), decoded(INSTRUCTION, request.system_instruction)
    offered = [tool for entry in decoded(TOOLS, request.tools) or [] for tool in entry.function_declarations]
    check_calls(contents)
    prompt = (bytes(request.system_instruction) if instruction else b"") + bytes(request.contents)
    config = request.generation_config
    extras = Extras(
        logprobs=config.response_logprobs,
        top_logprobs=config.logprobs,
        shows_thoughts=config.thinking_config.include_thoughts,
    )
    tools = allowed(offered, request.tool_config.function_calling_config)
    messages = [message for content in contents for message in messages_of(content)]
    if tools:
        prompt += bytes(request.tools)
    return Chat(wanted(request, where), messages, tools, prompt, extras)


def wanted(request: GeminiRequest, where: Where) -> Wanted:
    config = request.generation_config
    return Wanted(
        model=where.model,
        stream=where.stream,
        n=config.candidate_count,
        max_tokens=config.max_output_tokens,
        stop=config.stop_sequences,
        seed=config.seed,
        tool_choice=choice_of(request.tool_config.function_calling_config),
        response_format=format_of(config),
        reasoning_effort=effort_of(config.thinking_config),
    )


def choice_of(calling: CallingConfig) -> Literal["none", "auto", "required"] | ForcedTool:
    if calling.mode == "ANY":
        names = calling.allowed_function_names
        return forced(names[0]) if len(names) == 1 else "required"
    return "none" if calling.mode == "NONE" else "auto"


def allowed(offered: list[Declaration], calling: CallingConfig) -> list[Tool]:
    """What may be called."""
    names = set(calling.allowed_function_names)
    if names and calling.mode not in ("ANY", "VALIDATED"):
        raise refused("allowed_function_names is set, but the mode is neither ANY nor VALIDATED", "toolConfig")
    if unknown := names - {tool.name for tool in offered}:
        raise refused(f"allowed_function_names: {sorted(unknown)[0]} is not declared", "toolConfig")
    return [function_tool(tool.name, schema_of(tool)) for tool in offered if not names or tool.name in names]


def schema_of(tool: Declaration) -> dict[str, object] | None:
    if tool.parameters is not None and tool.parameters_json_schema is not None:
        raise refused(f"{tool.name}: parameters and parameters_json_schema exclude each other", "tools")
    return tool.parameters_json_schema if tool.parameters is None else json_schema(tool.parameters)


def format_of(config: GenerationConfig) -> ResponseFormat | None:
    schema = config.response_json_schema
    if config.response_schema is not None:
        schema = json_schema(config.response_schema)
    if config.response_mime_type == "application/json":
        return ResponseFormat("json_object") if schema is None else shaped(schema)
    if schema is not None:
        raise refused("a response schema needs the response mime type application/json", "generationConfig")
    return None


def effort_of(thinking: ThinkingConfig) -> str:
    if thinking.thinking_budget is not None and thinking.thinking_level is not None:
        raise refused("thinking_budget and thinking_level exclude each other", "generationConfig")
    if thinking.thinking_level is not None:
        return thinking.thinking_level.lower()
    return "none" if thinking.thinking_budget == 0 else "medium"


def check_calls(contents: list[Content]) -> None:
    """A turn of calls is followed by as many responses; signatures come back as they were."""
    open_calls = 0
    for content in contents:
        responses = sum(part.function_response is not None for part in content.parts)
        if responses != open_calls:
            raise refused(
                "the number of function response parts must equal the number of function call parts", "contents"
            )
        open_calls = sum(part.function_call is not None for part in content.parts)
        for part in content.parts:
            if part.thought_signature and not is_seal_of(part.thought_signature, ""):
                raise refused("Thought signature is not valid", "contents")
    if open_calls:
        raise refused("function calls must be followed by function responses", "contents")


def messages_of(content: Content) -> list[Message]:
    """As the model sees them; a function's response is a message of its own."""
    results = [part.function_response for part in content.parts if part.function_response is not None]
    told = [Message("tool", msgspec.json.encode(result.response).decode()) for result in results]
    rest = [part_of(part) for part in content.parts if part.function_response is None]
    role: Literal["assistant", "user"] = "assistant" if content.role == "model" else "user"
    return [*told, Message(role, rest)] if rest else told


def part_of(part: ContentPart) -> Part:
    if part.text is not None:
        return Part("text", part.text)
    blob = part.inline_data or part.file_data or {}
    return IMAGE if blob.get("mimeType", "").startswith("image/") else OTHER
