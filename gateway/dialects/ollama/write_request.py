"""A Conversation to the body that Ollama gets."""

import msgspec
from msgspec import Raw

from gateway.dialects.arguments import FREE_TEXT, TAKES_NOTHING, WITHOUT_GRAMMAR
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.losses import Losses
from gateway.dialects.ollama.write_messages import MessageWriter
from gateway.dialects.ollama.written import FunctionOut, OptionsOut, RequestOut, ToolOut
from gateway.dialects.thinking import is_off, note_no_thinker
from gateway.wire.conversation import Conversation, Sampling, Thinking, Tool, ToolChoice

SAYABLE = frozenset(("seed", "top_k", "logprobs", "top_logprobs", "frequency_penalty", "presence_penalty"))
NO_FIELD = "Ollama's chat API has no such field"
# "think value \"high\" is not supported for this model" from all others: musistudio/claude-code-router#1093, read
# 2026-11-23; ollama/ollama-python#553 names the family.
LEVELS_FAMILY = "gpt-oss"
LEVELS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
REQUIRED_KEPT = ("model", "messages", "stream")


def write_request(conversation: Conversation, manner: TargetManner) -> Outgoing:
    """The body, and what could not be said in it. Whether to stream is always said: silence means yes."""
    losses, sampling = Losses(conversation.origin), conversation.sampling
    body = RequestOut(
        model=manner.model,
        messages=MessageWriter(losses).write(conversation),
        stream=conversation.stream,
        format=format_of(conversation),
        think=think_of(conversation.thinking, manner, losses),
        options=options_of(sampling, manner, losses),
        logprobs=sampling.logprobs or None,
        top_logprobs=sampling.top_logprobs or None,
    )
    write_tools(body, conversation, losses)
    losses.add_foreign(conversation, SAYABLE, NO_FIELD)
    drop_fields(body, manner.drop_fields, losses)
    return Outgoing(msgspec.json.encode(body), losses.told())


def options_of(sampling: Sampling, manner: TargetManner, losses: Losses) -> OptionsOut | None:
    wanted, most = sampling.max_output_tokens, manner.max_output_tokens
    if wanted is not None and most and wanted > most:
        losses.add("max_completion_tokens", f"{wanted} is over this model's limit; {most} were asked for")
        wanted = most
    options = OptionsOut(
        num_predict=wanted,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        seed=sampling.seed,
        stop=list(sampling.stop) or None,
        frequency_penalty=sampling.frequency_penalty,
        presence_penalty=sampling.presence_penalty,
    )
    return None if options == OptionsOut() else options


def format_of(conversation: Conversation) -> str | Raw | None:
    output = conversation.output
    if output is None or output.kind == "text":
        return None
    return output.schema if output.kind == "schema" and output.schema is not None else "json"


def think_of(thinking: Thinking | None, manner: TargetManner, losses: Losses) -> bool | str | None:
    """Yes or no; one family takes a level instead. A model that cannot think refuses the question."""
    if thinking is None:
        return None
    if not manner.is_reasoning:
        note_no_thinker(thinking, losses)
        return None
    if thinking.budget_tokens:
        losses.add("thinking_budget", "Ollama takes no number of tokens to think")
    if LEVELS_FAMILY in manner.model:
        return level_of(thinking, losses)
    if thinking.effort not in ("", "none"):
        losses.add("reasoning_effort", f"this model thinks or does not; '{thinking.effort}' is told as that it should")
    return not is_off(thinking)


def level_of(thinking: Thinking, losses: Losses) -> str | None:
    """This family cannot stop thinking."""
    if is_off(thinking):
        field = "reasoning_effort" if thinking.effort else "thinking_off"
        losses.add(field, "the thinking of this model cannot be turned off; low is asked for")
        return "low"
    if not thinking.effort:
        return None
    level = LEVELS.get(thinking.effort, "medium")
    if level != thinking.effort:
        losses.add("reasoning_effort", f"'{thinking.effort}' is no level of this model's; {level} is asked for")
    return level


def write_tools(body: RequestOut, conversation: Conversation, losses: Losses) -> None:
    """Whether to call one is the model's choice alone: what it must not call it is not told of."""
    choice = conversation.tool_choice or ToolChoice()
    if choice.mode in ("required", "named"):
        losses.add("tool_choice", "Ollama cannot make a model call a tool")
    tools = [tool for tool in conversation.tools if may_be_called(tool, choice)]
    body.tools = [told for tool in tools if (told := tool_of(tool, losses)) is not None] or None


def may_be_called(tool: Tool, choice: ToolChoice) -> bool:
    if choice.mode in ("none", "named"):
        return choice.mode == "named" and tool.name == choice.name
    return not choice.allowed or tool.name in choice.allowed


def tool_of(tool: Tool, losses: Losses) -> ToolOut | None:
    if tool.cache is not None:
        losses.add("cache_control", "Ollama keeps the beginnings of prompts by itself and takes no marks")
    if tool.kind == "hosted":
        losses.add(f"tools.{tool.name}", "a tool that its own provider runs is not to be had elsewhere")
        return None
    if tool.kind == "custom":
        losses.add(f"tools.{tool.name}", WITHOUT_GRAMMAR)
        return ToolOut(FunctionOut(tool.name, FREE_TEXT, tool.description or None))
    if tool.strict:
        losses.add("tools[].strict", "Ollama does not hold a model to the schema of a tool")
    return ToolOut(FunctionOut(tool.name, tool.schema or TAKES_NOTHING, tool.description or None))


def drop_fields(body: RequestOut, fields: tuple[str, ...], losses: Losses) -> None:
    """Of the body or of its options."""
    for field in fields:
        for place in (body, body.options):
            if field not in REQUIRED_KEPT and getattr(place, field, None) is not None:
                setattr(place, field, None)
                losses.add(field, "the provider refuses it")
