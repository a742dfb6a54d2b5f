"""A caller's body to a Conversation."""

from collections.abc import Callable
from typing import TypeVar

import msgspec
from msgspec import Raw

from core.scan import NOT_AN_OBJECT, Malformed, check_object
from gateway.dialects.findings import half_a_character, joined, kind_of, missing, wrong_field, wrong_type
from gateway.dialects.gemini.media import DIALECT
from gateway.dialects.gemini.names import MEMBERS, camel, encoded
from gateway.dialects.gemini.openapi import json_schema
from gateway.dialects.gemini.read_contents import ContentsReader, RawParts
from gateway.dialects.gemini.schema import (
    NOTHING,
    Content,
    FunctionCallingConfig,
    FunctionDeclaration,
    GenerationConfig,
    Part,
    Request,
    ThinkingConfig,
)
from gateway.dialects.openai_chat import MAX_VALUES
from gateway.errors import InvalidRequest
from gateway.wire.conversation import (
    Conversation,
    Loss,
    OutputFormat,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    Turn,
)

REQUEST = msgspec.json.Decoder(Request)
DECLARATIONS = msgspec.json.Decoder(list[Raw])
DECLARATION = msgspec.json.Decoder(FunctionDeclaration)

Value = TypeVar("Value")

OURS = ("models", "steelyard", "model", "provider")
MODES = ("auto", "any", "none", "validated", "mode_unspecified")


def read_request(body: bytes, stream: bool = False) -> Conversation:
    """All of it. stream: what the URL says. Raises InvalidRequest."""
    body = checked(body)
    request, members = guarded(lambda: REQUEST.decode(body), body), MEMBERS.decode(body)
    contents = ContentsReader(RawParts(members))
    read_contents(contents, request.contents)
    generation = request.generation_config or GenerationConfig()
    calling = calling_config(request)
    tools = read_tools(request, is_strict=mode_of(calling) == "validated")
    return Conversation(
        origin=DIALECT,
        turns=(*system_turns(request, members), *contents.turns),
        tools=tools,
        tool_choice=read_choice(calling),
        output=read_output_format(generation),
        thinking=read_thinking(generation.thinking_config),
        sampling=read_sampling(generation),
        stream=stream,
        service_tier=(request.service_tier or "").lower(),
        metadata=request.labels or {},
        modalities=tuple(modality.lower() for modality in generation.response_modalities or ()),
        unknown=unknown_members(members),
        unsaid=(*contents.unsaid, *unsaid_of(tools)),
    )


def checked(body: bytes) -> bytes:
    """The body in camelCase, once it is known to be well-formed JSON of a size that we want to read."""
    try:
        check_object(body, MAX_VALUES)
        return camel(body)
    except Malformed as error:
        if str(error) == NOT_AN_OBJECT:
            guarded(lambda: REQUEST.decode(body), body)
        raise InvalidRequest(f"The request body cannot be accepted: {error}.") from error
    except msgspec.DecodeError as error:  # the check has passed, so it is about what the escapes spell
        raise half_a_character(body, str(error)) from error


def guarded(read: Callable[[], Value], body: bytes | Raw, path: str = "") -> Value:
    """What `read` makes of it; findings become words for the caller."""
    try:
        return read()
    except msgspec.ValidationError as error:
        raise wrong_field(str(error), path, b"" if path else bytes(body)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise half_a_character(bytes(body), str(error)) from error  # or whatever else is no JSON


def read_contents(reader: ContentsReader, contents: list[Content] | Content | str | None) -> None:
    """A list, a single message, or just a text."""
    if isinstance(contents, str):
        reader.take(Content([Part(text=contents)]), "contents")
    elif isinstance(contents, Content):
        reader.take(contents, "contents")
    elif contents:
        for number, content in enumerate(contents):
            reader.take(content, f"contents[{number}]")
    else:
        raise missing("contents")


def system_turns(request: Request, members: dict[str, Raw]) -> list[Turn]:
    """The system instruction, whatever role it says it has."""
    instruction = request.system_instruction
    if instruction is None:
        return []
    if isinstance(instruction, str):
        return [Turn("system", (Text(instruction),))] if instruction else []
    reader = ContentsReader(RawParts(members))
    reader.take(Content(instruction.parts), "systemInstruction")
    return [Turn("system", turn.parts) for turn in reader.turns]


def read_tools(request: Request, is_strict: bool) -> tuple[Tool, ...]:
    """Functions, and what Google runs itself, in their order."""
    entries = [request.tools] if isinstance(request.tools, dict) else request.tools or []
    tools: list[Tool] = []
    for number, entry in enumerate(entries):
        for name, raw in entry.items():
            if name == "functionDeclarations":
                tools += read_functions(raw, f"tools[{number}].functionDeclarations", is_strict)
            else:
                tools.append(Tool(name, kind="hosted", origin=DIALECT, raw=encoded({name: raw})))
    return tuple(tools)


def read_functions(raw: Raw, path: str, is_strict: bool) -> list[Tool]:
    if bytes(raw) in NOTHING:
        return []
    items = guarded(lambda: DECLARATIONS.decode(raw), raw, path)
    return [read_function(item, f"{path}[{number}]", is_strict) for number, item in enumerate(items)]


def read_function(raw: Raw, path: str, is_strict: bool) -> Tool:
    declaration = guarded(lambda: DECLARATION.decode(raw), raw, path)
    schema = read_schema(declaration.parameters_json_schema, declaration.parameters, f"{path}.parameters")
    return Tool(
        declaration.name,
        declaration.description or "",
        schema,
        strict=True if is_strict else None,
        origin=DIALECT,
        raw=raw,
    )


def unsaid_of(tools: tuple[Tool, ...]) -> list[Loss]:
    """What only the `raw` of a function says: above all a schema of its response, which no other format has."""
    functions = [(number, tool.raw) for number, tool in enumerate(tools) if tool.kind == "function" and tool.raw]
    return [
        Loss(f"tools[{number}].{name}", "only Gemini has it")
        for number, raw in functions
        for name in MEMBERS.decode(raw)
        if name not in FunctionDeclaration.__struct_encode_fields__
    ]


def read_schema(schema: Raw, google_schema: Raw, path: str) -> Raw | None:
    """The JSON schema, from either of the two languages; None for none."""
    if bytes(schema) not in NOTHING:
        return schema
    if bytes(google_schema) in NOTHING:
        return None
    if not bytes(google_schema).startswith(b"{"):
        raise wrong_type(path, "an object", kind_of(google_schema))
    return guarded(lambda: json_schema(google_schema), google_schema, path)


def calling_config(request: Request) -> FunctionCallingConfig:
    config = request.tool_config
    return (config.function_calling_config if config else None) or FunctionCallingConfig()


def mode_of(config: FunctionCallingConfig) -> str:
    """In lower case: Google's SDKs take either."""
    mode = (config.mode or "mode_unspecified").lower()
    if mode not in MODES:
        path = "toolConfig.functionCallingConfig.mode"
        raise InvalidRequest(
            f"Invalid value for '{path}': '{(config.mode or '')[:40]}'; expected AUTO, ANY, NONE or VALIDATED.",
            param=path,
            code="invalid_value",
        )
    return mode


def read_choice(config: FunctionCallingConfig) -> ToolChoice | None:
    mode, allowed = mode_of(config), tuple(config.allowed_function_names or ())
    if mode == "none":
        return ToolChoice("none")
    if mode == "any":
        return ToolChoice("named", allowed[0]) if len(allowed) == 1 else ToolChoice("required", allowed=allowed)
    return ToolChoice("auto", allowed=allowed) if mode != "mode_unspecified" or allowed else None


def read_output_format(generation: GenerationConfig) -> OutputFormat | None:
    """JSON, of a schema or of any; plain text is what everybody gets who says nothing."""
    path = joined("generationConfig", "responseSchema")
    schema = read_schema(generation.response_json_schema, generation.response_schema, path)
    if schema is not None:
        return OutputFormat("schema", schema=schema)
    return OutputFormat("json") if generation.response_mime_type == "application/json" else None


def read_thinking(config: ThinkingConfig | None) -> Thinking | None:
    if config is None:
        return None
    budget = config.thinking_budget
    effort = (config.thinking_level or "").lower().removeprefix("thinking_level_")
    return Thinking(
        effort="" if effort == "unspecified" else effort,
        budget_tokens=budget if budget is not None and budget >= 0 else None,
        is_adaptive=budget is not None and budget < 0,
        is_shown=config.include_thoughts,
    )


def read_sampling(generation: GenerationConfig) -> Sampling:
    return Sampling(
        max_output_tokens=generation.max_output_tokens,
        temperature=generation.temperature,
        top_p=generation.top_p,
        top_k=None if generation.top_k is None else int(generation.top_k),
        seed=generation.seed,
        stop=tuple(generation.stop_sequences or ()),
        choices=generation.candidate_count,
        logprobs=bool(generation.response_logprobs),
        top_logprobs=generation.logprobs,
        frequency_penalty=generation.frequency_penalty,
        presence_penalty=generation.presence_penalty,
    )


def unknown_members(members: dict[str, Raw]) -> dict[str, Raw]:
    """Every member that nothing above reads, by its path."""
    unknown = rest(members, Request, "")
    unknown |= rest(inside(members, "generationConfig"), GenerationConfig, "generationConfig.")
    unknown |= {
        f"toolConfig.{name}": raw
        for name, raw in inside(members, "toolConfig").items()
        if name != "functionCallingConfig" and bytes(raw) != b"null"
    }
    mime_type = bytes(inside(members, "generationConfig").get("responseMimeType", b""))
    if mime_type not in (b"", b"null", b'"application/json"', b'"text/plain"'):
        unknown["generationConfig.responseMimeType"] = Raw(mime_type)
    return unknown


def rest(members: dict[str, Raw], known: type[msgspec.Struct], prefix: str) -> dict[str, Raw]:
    names = (*known.__struct_encode_fields__, *(() if prefix else OURS))
    return {f"{prefix}{name}": raw for name, raw in members.items() if name not in names and bytes(raw) != b"null"}


def inside(members: dict[str, Raw], name: str) -> dict[str, Raw]:
    raw = members.get(name, b"")
    return MEMBERS.decode(raw) if bytes(raw) not in NOTHING else {}
