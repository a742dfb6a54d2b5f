"""A caller's whole request to a Conversation."""

from msgspec import Raw

from gateway.dialects.findings import kind_of, wrong_type
from gateway.dialects.responses.names import DIALECT
from gateway.dialects.responses.prompt import check, empty_input
from gateway.dialects.responses.read_items import ItemsReader, turns_of_string
from gateway.dialects.responses.read_tools import read_choice, read_format, read_tools
from gateway.dialects.responses.reading import MEMBERS, RAWS, STRING, Unsaid, decoded, is_absent, is_array, is_string
from gateway.dialects.responses.schema import KNOWN, REQUEST, Request
from gateway.wire.conversation import Conversation, Sampling, Text, Thinking, Turn

ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"
SAID_BY_US = (ENCRYPTED, LOGPROBS)  # what `include` may ask for without a word to the provider
# Members that say nothing where they say this.
DEFAULTS = {"truncation": b'"disabled"', "background": b"false", "stream_options": b"{}"}
INSIDE = {"text": ("format", "verbosity"), "reasoning": ("effort", "summary", "generate_summary")}


def read_request(body: bytes) -> Conversation:
    """Everything that the body says. Raises InvalidRequest."""
    check(body)
    request = decoded(REQUEST, body, "")
    unsaid = Unsaid()
    turns = read_input(request.input, unsaid)
    if request.instructions:
        turns = (Turn("system", (Text(request.instructions),)), *turns)
    tools = read_tools(request.tools or (), unsaid)
    choice, is_choice_known = read_choice(request.tool_choice, tools)
    unknown = unknown_of(body, request)
    if not is_choice_known:
        unknown["tool_choice"] = request.tool_choice
    return Conversation(
        origin=DIALECT,
        turns=turns,
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=request.parallel_tool_calls,
        output=read_format(request.text.format if request.text else None),
        thinking=thinking_of(request),
        sampling=sampling_of(request),
        stream=bool(request.stream),
        cache_key=request.prompt_cache_key or "",
        cache_retention=request.prompt_cache_retention or "",
        service_tier=request.service_tier or "",
        user=request.user or request.safety_identifier or "",
        metadata=request.metadata or {},
        verbosity=(request.text.verbosity or "") if request.text else "",
        store=request.store,
        unknown=unknown,
        unsaid=tuple(unsaid.losses),
    )


def read_input(raw: Raw, unsaid: Unsaid) -> tuple[Turn, ...]:
    if is_string(raw):
        return turns_of_string(decoded(STRING, raw, "input"))
    if is_array(raw):
        items = RAWS.decode(raw)
        if not items:
            raise empty_input()
        return ItemsReader(unsaid).take(items, "input")
    if is_absent(raw):
        return ()
    raise wrong_type("input", "a string or an array of items", kind_of(raw))


def thinking_of(request: Request) -> Thinking | None:
    """Who asks for a summary wants to see it."""
    if request.reasoning is None:
        return None
    summary = request.reasoning.summary or request.reasoning.generate_summary or ""
    return Thinking(request.reasoning.effort or "", summary=summary, is_shown=True if summary else None)


def sampling_of(request: Request) -> Sampling:
    return Sampling(
        max_output_tokens=request.max_output_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        logprobs=bool(request.top_logprobs) or LOGPROBS in (request.include or ()),
        top_logprobs=request.top_logprobs,
    )


def unknown_of(body: bytes, request: Request) -> dict[str, Raw]:
    """Members that nothing above reads. Those inside an object that we know in part are named with a dot.

    Here is what only the server can do: previous_response_id, conversation, prompt, background; see `state`.
    """
    members = MEMBERS.decode(body)
    unknown = {
        name: raw
        for name, raw in members.items()
        if name not in KNOWN and not is_absent(raw) and bytes(raw) != DEFAULTS.get(name)
    }
    for name, known in INSIDE.items():
        if name in members and not is_absent(members[name]):
            inside = MEMBERS.decode(members[name])
            unknown |= {
                f"{name}.{inner}": raw for inner, raw in inside.items() if inner not in known and not is_absent(raw)
            }
    if any(wanted not in SAID_BY_US for wanted in request.include or ()):
        unknown["include"] = members["include"]
    if request.user and request.safety_identifier and request.user != request.safety_identifier:
        unknown["safety_identifier"] = members["safety_identifier"]
    return unknown
