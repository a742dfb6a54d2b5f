"""A request to Anthropic's Messages API.

Source: anthropic 2.12.0, `types.message_create_params`, and platform.claude.com, "Messages" and
"Extended thinking", read 2026-11-23.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from gateway.simulator.chat import Chat, Count, ForcedTool, Message, Part, Tool, Wanted
from gateway.simulator.extras import Extras
from gateway.simulator.faces.reading import (
    IMAGE,
    OTHER,
    check_answered,
    decoded,
    forced,
    function_tool,
    refused,
    shaped,
)
from gateway.simulator.faces.seals import is_seal_of

LEAST_BUDGET = 1024
EFFORTS = {"max": "xhigh"}


class Block(Struct, frozen=True):
    """One block of content, of any type."""

    type: str
    text: str | None = None
    id: str = ""
    name: str = ""
    input: dict[str, object] | None = None
    tool_use_id: str = ""
    content: "str | list[Block] | None" = None
    thinking: str = ""
    signature: str = ""


class Turn(Struct, frozen=True):
    role: Literal["user", "assistant", "system"]
    content: str | list[Block]

    @property
    def blocks(self) -> list[Block]:
        return [Block("text", self.content)] if isinstance(self.content, str) else self.content


class OwnTool(Struct, frozen=True):
    """One of the caller's; those with a type of their own are run by Anthropic, and never called here."""

    name: str
    input_schema: dict[str, object] | None = None
    type: str = "custom"


class ToolChoice(Struct, frozen=True):
    type: Literal["auto", "any", "tool", "none"]
    name: str = ""
    disable_parallel_tool_use: bool = False


class Thinking(Struct, frozen=True):
    type: Literal["enabled", "disabled", "adaptive", "between_tools"]
    budget_tokens: int | None = None
    display: str = "summarized"

    @property
    def is_on(self) -> bool:
        return self.type != "disabled"


class Format(Struct, frozen=True):
    type: Literal["json_schema"]
    schema: dict[str, object]


class OutputConfig(Struct, frozen=True):
    effort: str | None = None
    format: Format | None = None


class MessagesRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Anthropic refuses members that it does not know."""

    model: str
    max_tokens: Count
    messages: Raw
    system: str | list[Block] = ""
    stream: bool = False
    tools: Raw = Raw(b"null")
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    stop_sequences: list[str] | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    metadata: Raw = Raw()
    cache_control: Raw = Raw()
    container: Raw = Raw()
    context_management: Raw = Raw()
    diagnostics: Raw = Raw()
    inference_geo: Raw = Raw()
    mcp_servers: Raw = Raw()
    service_tier: Raw = Raw()
    speed: Raw = Raw()

    @property
    def thinks(self) -> bool:
        return self.thinking is not None and self.thinking.is_on

    @property
    def forces_tools(self) -> bool:
        return self.tool_choice is not None and self.tool_choice.type in ("any", "tool")


REQUEST = msgspec.json.Decoder(MessagesRequest)
TURNS = msgspec.json.Decoder(Annotated[list[Turn], Meta(min_length=1)])
TOOLS = msgspec.json.Decoder(list[OwnTool] | None)


def read_messages(body: bytes, headers: list[tuple[bytes, bytes]]) -> Chat:
    """The request, or a Refusal."""
    if not any(name == b"anthropic-version" for name, _ in headers):
        raise refused("anthropic-version: header is required")
    request = decoded(REQUEST, body)
    turns, tools = decoded(TURNS, request.messages), decoded(TOOLS, request.tools) or []
    check_thinking(request)
    check_turns(turns)
    system = msgspec.json.encode(request.system) if request.system else b""
    prompt = system + bytes(request.messages) + (bytes(request.tools) if tools else b"")
    offered = [own_tool(tool) for tool in tools]
    shown = request.thinking is not None and request.thinking.display != "omitted"
    return Chat(wanted(request), messages_of(turns), offered, prompt, Extras(shows_thoughts=shown))


def wanted(request: MessagesRequest) -> Wanted:
    config, choice = request.output_config or OutputConfig(), request.tool_choice
    effort = (EFFORTS.get(config.effort or "", config.effort) or "medium") if request.thinks else "none"
    return Wanted(
        model=request.model,
        stream=request.stream,
        max_tokens=request.max_tokens,
        stop=request.stop_sequences,
        tool_choice=None if choice is None else choice_of(choice),
        parallel_tool_calls=choice is None or not choice.disable_parallel_tool_use,
        response_format=None if config.format is None else shaped(config.format.schema),
        reasoning_effort=effort,
    )


def choice_of(choice: ToolChoice) -> Literal["none", "auto", "required"] | ForcedTool:
    match choice.type:
        case "tool":
            return forced(choice.name)
        case "any":
            return "required"
        case "none":
            return "none"
        case _:
            return "auto"


def own_tool(tool: OwnTool) -> Tool:
    if tool.type != "custom":
        return Tool(tool.type)
    if tool.input_schema is None or tool.input_schema.get("type") != "object":
        raise refused(f"tools.{tool.name}.input_schema: an object schema is required", "tools")
    return function_tool(tool.name, tool.input_schema)


def check_thinking(request: MessagesRequest) -> None:
    """What does not go together with thoughts."""
    if not request.thinks or request.thinking is None:
        return
    budget = request.thinking.budget_tokens
    if request.thinking.type == "enabled" and (budget is None or budget < LEAST_BUDGET):
        raise refused(f"thinking.enabled.budget_tokens: should be greater than or equal to {LEAST_BUDGET}", "thinking")
    if budget is not None and budget >= request.max_tokens:
        raise refused("`max_tokens` must be greater than `thinking.budget_tokens`", "max_tokens")
    if request.temperature not in (None, 1):
        raise refused("`temperature` may only be set to 1 when thinking is enabled", "temperature")
    if request.forces_tools:
        raise refused("Thinking may not be enabled when tool_choice forces tool use", "tool_choice")


def check_turns(turns: list[Turn]) -> None:
    """Texts say something, thoughts are unchanged, and results follow their calls at once."""
    called: set[str] = set()
    for number, turn in enumerate(turns):
        for block in turn.blocks:
            check_block(block, f"messages.{number}")
        if turn.role != "system":
            check_answered(
                called, [block.tool_use_id for block in turn.blocks if block.tool_use_id], f"messages.{number}"
            )
            called = {block.id for block in turn.blocks if block.type == "tool_use"}
    if called:
        raise refused(f"messages: the call `{sorted(called)[0]}` has no result after it", "messages")


def check_block(block: Block, where: str) -> None:
    if block.type == "text" and not block.text:
        raise refused(f"{where}: text content blocks must be non-empty", "messages")
    if block.type == "thinking" and not is_seal_of(block.signature, block.thinking):
        raise refused(f"{where}: Invalid `signature` in `thinking` block", "messages")
    if block.type == "tool_use" and block.input is None:
        raise refused(f"{where}: tool_use.input: Field required", "messages")


def messages_of(turns: list[Turn]) -> list[Message]:
    """As the model sees them; results of tools are messages of their own."""
    told: list[Message] = []
    for turn in turns:
        results = [block for block in turn.blocks if block.type == "tool_result"]
        told += [Message("tool", parts_of(block.content or "")) for block in results]
        rest = parts_of([block for block in turn.blocks if block.type != "tool_result"])
        if rest or not results:
            told.append(Message(turn.role, rest))
    return told


def parts_of(content: str | list[Block]) -> list[Part]:
    if isinstance(content, str):
        return [Part("text", content)]
    kinds = {"text": None, "image": IMAGE}
    return [kinds.get(block.type, OTHER) or Part("text", block.text) for block in content]
