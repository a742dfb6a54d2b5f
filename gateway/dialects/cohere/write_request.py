"""A Conversation to the body that Cohere gets."""

import msgspec

from gateway.dialects.arguments import FREE_TEXT, TAKES_NOTHING, WITHOUT_GRAMMAR
from gateway.dialects.cohere.write_messages import MessageWriter
from gateway.dialects.cohere.written import (
    FormatOut,
    FunctionOut,
    RequestOut,
    ThinkingConfigOut,
    ToolOut,
)
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.losses import Losses
from gateway.dialects.thinking import is_off, note_no_thinker
from gateway.wire.conversation import Conversation, OutputFormat, Sampling, Thinking, Tool, ToolChoice

SAYABLE = frozenset(("seed", "top_k", "logprobs", "frequency_penalty", "presence_penalty"))
NO_FIELD = "Cohere's chat API has no such field"
# Ranges and numbers. Source: cohere 7.3.1, `V2Client.chat`, read 2026-11-23.
MAX_STOPS = 5
MOST_K = 500
PENALTIES = (0.0, 1.0)
NUCLEUS = (0.01, 0.99)
# An effort has no number of its own here; these are Google's for its OpenAI endpoint, the only such table there is.
BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192}
REQUIRED_KEPT = ("model", "messages", "stream")


def write_request(conversation: Conversation, manner: TargetManner) -> Outgoing:
    """The body, and what could not be said in it."""
    losses, sampling = Losses(conversation.origin), conversation.sampling
    body = RequestOut(
        model=manner.model,
        messages=MessageWriter(manner.is_reasoning, losses).write(conversation),
        stream=conversation.stream,
        max_tokens=limit_of(sampling, manner, losses),
        stop_sequences=stops_of(sampling, losses),
        temperature=sampling.temperature,
        p=nucleus_of(sampling.top_p, losses),
        k=None if sampling.top_k is None else int(within("top_k", sampling.top_k, (0, MOST_K), losses)),
        seed=sampling.seed,
        frequency_penalty=penalty_of("frequency_penalty", sampling.frequency_penalty, losses),
        presence_penalty=penalty_of("presence_penalty", sampling.presence_penalty, losses),
        logprobs=sampling.logprobs or None,
        response_format=format_of(conversation, losses),
        thinking=thinking_of(conversation.thinking, manner, losses),
    )
    write_tools(body, conversation, losses)
    losses.add_foreign(conversation, SAYABLE, NO_FIELD)
    drop_fields(body, manner.drop_fields, losses)
    return Outgoing(msgspec.json.encode(body), losses.told())


def limit_of(sampling: Sampling, manner: TargetManner, losses: Losses) -> int | None:
    wanted, most = sampling.max_output_tokens, manner.max_output_tokens
    if wanted is None or not most or wanted <= most:
        return wanted
    losses.add("max_completion_tokens", f"{wanted} is over this model's limit; {most} were asked for")
    return most


def stops_of(sampling: Sampling, losses: Losses) -> list[str] | None:
    if len(sampling.stop) > MAX_STOPS:
        losses.add("stop", f"Cohere takes {MAX_STOPS} stop sequences; the first ones are told")
    return list(sampling.stop[:MAX_STOPS]) or None


def nucleus_of(top_p: float | None, losses: Losses) -> float | None:
    """1 is what everybody else writes for no limit at all, and 0.99 the nearest that there is; silence means 0.75."""
    if top_p is None or top_p == 1:
        return None if top_p is None else NUCLEUS[1]
    return within("top_p", top_p, NUCLEUS, losses)


def penalty_of(field: str, penalty: float | None, losses: Losses) -> float | None:
    return None if penalty is None else within(field, penalty, PENALTIES, losses)


def within(field: str, value: float, limits: tuple[float, float], losses: Losses) -> float:
    low, high = limits
    taken = min(max(value, low), high)
    if taken != value:
        losses.add(field, f"Cohere takes {low:g} to {high:g}; {taken:g} was told for {value:g}")
    return taken


def format_of(conversation: Conversation, losses: Losses) -> FormatOut | None:
    """JSON, with or without a schema. Source: docs.cohere.com/v2/docs/structured-outputs, read 2026-11-23."""
    output = conversation.output
    if output is None or output.kind == "text":
        return None
    if conversation.tools:
        losses.add("response_format", "Cohere cannot be held to JSON and have tools as well")
        return None
    return FormatOut(schema_in(output))


def schema_in(output: OutputFormat) -> msgspec.Raw | None:
    return output.schema if output.kind == "schema" else None


def thinking_of(thinking: Thinking | None, manner: TargetManner, losses: Losses) -> ThinkingConfigOut | None:
    """On or off, and a budget. Source: docs.cohere.com/v2/docs/reasoning, read 2026-11-23."""
    if thinking is None:
        return None
    if not manner.is_reasoning:
        note_no_thinker(thinking, losses)
        return None
    if is_off(thinking):
        return ThinkingConfigOut("disabled")
    budget = thinking.budget_tokens
    if budget is None and thinking.effort in BUDGETS:
        budget = BUDGETS[thinking.effort]
        losses.add("reasoning_effort", f"Cohere has no levels; '{thinking.effort}' becomes {budget} tokens of thinking")
    elif budget is None and thinking.effort not in ("", "high"):
        losses.add("reasoning_effort", f"Cohere has no levels; '{thinking.effort}' is told as thinking without a limit")
    return ThinkingConfigOut("enabled", budget)


def write_tools(body: RequestOut, conversation: Conversation, losses: Losses) -> None:
    """The tools that may be called. One that has to be is the only one left."""
    choice = conversation.tool_choice or ToolChoice()
    tools = [tool for tool in conversation.tools if may_be_called(tool, choice)]
    written = [told for tool in tools if (told := tool_of(tool, losses)) is not None]
    if not written:
        if choice.mode in ("required", "named"):
            losses.add("tool_choice", "there is no tool to choose")
        return
    body.tools = written
    body.tool_choice = {"required": "REQUIRED", "named": "REQUIRED", "none": "NONE"}.get(choice.mode)
    if any(tool.strict for tool in tools):
        if all(tool.strict for tool in tools):
            body.strict_tools = True
        else:
            losses.add("tools[].strict", "Cohere holds the model to the schemas of all tools or of none")


def may_be_called(tool: Tool, choice: ToolChoice) -> bool:
    if choice.mode == "named":
        return tool.name == choice.name
    return not choice.allowed or tool.name in choice.allowed


def tool_of(tool: Tool, losses: Losses) -> ToolOut | None:
    if tool.cache is not None:
        losses.add("cache_control", "Cohere caches the beginnings of prompts by itself and takes no marks")
    if tool.kind == "hosted":
        losses.add(f"tools.{tool.name}", "a tool that its own provider runs is not to be had elsewhere")
        return None
    if tool.kind == "custom":
        losses.add(f"tools.{tool.name}", WITHOUT_GRAMMAR)
        return ToolOut(FunctionOut(tool.name, FREE_TEXT, tool.description or None))
    return ToolOut(FunctionOut(tool.name, tool.schema or TAKES_NOTHING, tool.description or None))


def drop_fields(body: RequestOut, fields: tuple[str, ...], losses: Losses) -> None:
    for field in fields:
        if field not in REQUIRED_KEPT and getattr(body, field, None) is not None:
            setattr(body, field, None)
            losses.add(field, "the provider refuses it")
