"""A caller's whole request to a Conversation."""

from collections.abc import Iterator

from msgspec import Raw
from msgspec.structs import replace

from gateway.dialects.anthropic.invalid import decoded, missing, not_one_of, read_body, refusal
from gateway.dialects.anthropic.names import DIALECT
from gateway.dialects.anthropic.read_blocks import Unsaid, mark_of, parts_of
from gateway.dialects.anthropic.schema import (
    KNOWN,
    KNOWN_OF_TOOL,
    MEMBERS,
    REQUEST,
    TOOL,
    FormatMember,
    Message,
    Request,
    ThinkingMember,
    ToolChoiceMember,
    is_absent,
)
from gateway.wire.conversation import (
    CacheMark,
    Conversation,
    OutputFormat,
    Part,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    ToolResult,
    Turn,
)

MODE_OF_CHOICE = {"auto": "auto", "any": "required", "tool": "named", "none": "none"}
HALF_KNOWN = ("output_config", "metadata")  # objects of which only some members are known


def read_request(body: bytes) -> Conversation:
    """Everything that the body says. Raises InvalidRequest."""
    request = read_body(REQUEST, body)
    unsaid = Unsaid()
    turns = list(turns_of(request, unsaid))
    if request.cache_control is not None:
        mark_last(turns, mark_of(request.cache_control, "") or CacheMark())
    choice = request.tool_choice
    return Conversation(
        origin=DIALECT,
        turns=tuple(turns),
        tools=tuple(tool_of(raw, f"tools.{number}", unsaid) for number, raw in enumerate(request.tools or ())),
        tool_choice=choice_of(choice) if choice else None,
        parallel_tool_calls=not choice.disable_parallel_tool_use
        if choice is not None and choice.disable_parallel_tool_use is not None
        else None,
        output=output_of(request.output_config.format if request.output_config else None),
        thinking=thinking_of(request),
        sampling=Sampling(
            max_output_tokens=request.max_tokens,
            temperature=request.temperature,
            top_p=request.top_p,
            top_k=request.top_k,
            stop=tuple(request.stop_sequences or ()),
        ),
        stream=bool(request.stream),
        service_tier=request.service_tier or "",
        user=(request.metadata.user_id or "") if request.metadata else "",
        unknown=unknown_of(body, request),
        unsaid=tuple(unsaid.losses),
    )


def turns_of(request: Request, unsaid: Unsaid) -> Iterator[Turn]:
    """The system prompt, then every message; results of tools in turns of their own."""
    if not is_absent(request.system):
        system = parts_of(request.system, "system", unsaid)
        if system != [Text("")]:
            yield Turn("system", tuple(system))
    for number, message in enumerate(request.messages):
        yield from turns_of_message(message, f"messages.{number}", unsaid)


def turns_of_message(message: Message, at: str, unsaid: Unsaid) -> Iterator[Turn]:
    parts = parts_of(message.content, f"{at}.content", unsaid)
    if message.role != "user":
        yield Turn(message.role, tuple(parts))
        return
    results = tuple(part for part in parts if isinstance(part, ToolResult))
    said = tuple(part for part in parts if not isinstance(part, ToolResult))
    if results:
        yield Turn("tool", results)
    if said or not results:
        yield Turn("user", said)


def mark_last(turns: list[Turn], mark: CacheMark) -> None:
    """A mark on the whole request is one on its last part that can carry it."""
    for place in range(len(turns) - 1, -1, -1):
        parts = list(turns[place].parts)
        for number in range(len(parts) - 1, -1, -1):
            part: Part = parts[number]
            if hasattr(part, "cache"):
                parts[number] = replace(part, cache=part.cache or mark)
                turns[place] = replace(turns[place], parts=tuple(parts))
                return


def tool_of(raw: Raw, at: str, unsaid: Unsaid) -> Tool:
    """A function, or something that the provider runs or brings the definition of."""
    read = decoded(TOOL, raw, at)
    cache = mark_of(read.cache_control, at)
    if read.type not in (None, "custom"):
        return Tool(read.name or read.type or "", kind="hosted", origin=DIALECT, raw=raw, cache=cache)
    if not read.name:
        raise missing(f"{at}.name")
    extras = [name for name in MEMBERS.decode(raw) if name not in KNOWN_OF_TOOL]
    for name in extras:
        unsaid.add(at, name)
    return Tool(
        read.name,
        read.description or "",
        None if is_absent(read.input_schema) else read.input_schema,
        read.strict,
        origin=DIALECT if extras else "",
        raw=raw if extras else None,
        cache=cache,
    )


def choice_of(choice: ToolChoiceMember) -> ToolChoice:
    if choice.type not in MODE_OF_CHOICE:
        raise not_one_of("tool_choice.type", choice.type, tuple(MODE_OF_CHOICE))
    if choice.type != "tool":
        return ToolChoice({"auto": "auto", "any": "required", "none": "none"}[choice.type])  # type: ignore[arg-type]
    if not choice.name:
        raise missing("tool_choice.name")
    return ToolChoice("named", choice.name)


def output_of(format_: FormatMember | None) -> OutputFormat | None:
    if format_ is None:
        return None
    if format_.type != "json_schema":
        raise not_one_of("output_config.format.type", format_.type, ("json_schema",))
    if is_absent(format_.schema):
        raise missing("output_config.format.schema")
    return OutputFormat("schema", schema=format_.schema)


def thinking_of(request: Request) -> Thinking | None:
    """`thinking` and `output_config.effort`; who asks to think expects to see it unless he says otherwise."""
    effort = (request.output_config.effort or "") if request.output_config else ""
    member = request.thinking
    if member is None:
        return Thinking(effort) if effort else None
    summary = member.display or ""
    is_shown = summary != "omitted"
    if member.type == "enabled":
        return Thinking(effort, budget_of(member), summary=summary, is_shown=is_shown)
    if member.type == "adaptive":
        return Thinking(effort, is_adaptive=True, summary=summary, is_shown=is_shown)
    if member.type in ("disabled", "between_tools"):  # the second is the least that some models can do
        return Thinking(effort, 0)
    raise not_one_of("thinking.type", member.type, ("enabled", "disabled", "adaptive", "between_tools"))


def budget_of(member: ThinkingMember) -> int:
    if member.budget_tokens is None:
        raise missing("thinking.enabled.budget_tokens")
    if member.budget_tokens < 1:
        raise refusal("thinking.enabled.budget_tokens", f"{member.budget_tokens} is not greater than 0")
    return member.budget_tokens


def unknown_of(body: bytes, request: Request) -> dict[str, Raw]:
    """Members that nothing above reads. Those inside an object that we know in part are named with a dot."""
    members = MEMBERS.decode(body)
    unknown = {name: raw for name, raw in members.items() if name not in KNOWN}
    for name, known in (("output_config", ("effort", "format")), ("metadata", ("user_id",))):
        if not is_absent(members.get(name, Raw(b""))):
            inside = MEMBERS.decode(members[name])
            unknown |= {f"{name}.{inner}": raw for inner, raw in inside.items() if inner not in known}
    if request.thinking is not None and request.thinking.type == "between_tools":
        unknown["thinking"] = members["thinking"]
    return unknown
