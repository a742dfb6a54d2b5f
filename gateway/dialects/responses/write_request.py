"""A Conversation as the body that a provider of this format gets."""

import msgspec
from msgspec import Raw

from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.losses import Losses
from gateway.dialects.responses.names import DIALECT
from gateway.dialects.responses.namespaces import places_of
from gateway.dialects.responses.write_items import ItemsWriter
from gateway.dialects.responses.write_tools import write_choice, write_format, write_tools
from gateway.wire.conversation import Conversation, Sampling, Text, Thinking, Turn

NO_PLACE = "the Responses format has no place for it"
REFUSED = "the provider refuses it"
LEAST_OUTPUT_TOKENS = 16  # Source: OpenAI's API reference, Create a response, max_output_tokens, read 2026-11-23
ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"
SUMMARIES = ("auto", "concise", "detailed")
# A budget in tokens as an effort: the upper end of each. OpenRouter reads an effort as a share of the output limit,
# 20, 50 and 80 per cent; these are those shares of 20,000 tokens.
EFFORT_OF_BUDGET = ((1_024, "minimal"), (4_000, "low"), (10_000, "medium"))
SERVICE_TIERS = ("auto", "default", "flex", "scale", "priority", "fast")


def write_request(conversation: Conversation, manner: TargetManner) -> Outgoing:
    """The body, and everything that it could not say."""
    is_own = conversation.origin == DIALECT
    losses = Losses(conversation.origin)
    body: dict[str, object] = {"model": manner.model}
    body |= write_turns(conversation, manner, losses)
    body |= write_tool_members(conversation, losses)
    body |= write_sampling(conversation.sampling, manner, is_own, losses)
    body |= write_thinking(conversation.thinking, manner, is_own, losses)
    body |= write_rest(conversation, losses)
    body |= write_state(conversation, manner, losses)
    if is_own:
        add_unknown(body, conversation.unknown)
    else:
        for name in conversation.unknown:
            losses.add(name, NO_PLACE)
    for field in manner.drop_fields:
        if drop(body, field):
            losses.add(field, REFUSED)
    return Outgoing(msgspec.json.encode(body), losses.told() + (() if is_own else conversation.unsaid))


def write_turns(conversation: Conversation, manner: TargetManner, losses: Losses) -> dict[str, object]:
    """`instructions` for a plain system prompt at the start, `input` for everything else."""
    turns = conversation.turns
    instructions = instructions_of(turns[0]) if len(turns) > 1 else ""
    first = 1 if instructions else 0
    writer = ItemsWriter(manner, conversation.origin == DIALECT, places_of(conversation.tools), losses)
    items = writer.take(turns[first:], first)
    return {"instructions": instructions, "input": items} if instructions else {"input": items}


def instructions_of(turn: Turn) -> str:
    """ "" for a turn that is more than one text."""
    part = turn.parts[0] if turn.role == "system" and len(turn.parts) == 1 else None
    return part.text if isinstance(part, Text) and part.cache is None else ""


def write_tool_members(conversation: Conversation, losses: Losses) -> dict[str, object]:
    """`tools`, `tool_choice` and `parallel_tool_calls`; the last two only beside tools."""
    tools = write_tools(conversation.tools, conversation.origin == DIALECT, losses)
    if not tools:
        return {}
    choice = conversation.tool_choice
    return said(
        {
            "tools": tools,
            "tool_choice": write_choice(choice, places_of(conversation.tools)) if choice else None,
            "parallel_tool_calls": conversation.parallel_tool_calls,
        }
    )


def write_sampling(sampling: Sampling, manner: TargetManner, is_own: bool, losses: Losses) -> dict[str, object]:
    lacking = {
        "stop": sampling.stop,
        "n": sampling.choices is not None and sampling.choices > 1,
        "seed": sampling.seed is not None,
        "top_k": sampling.top_k is not None,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "logit_bias": sampling.logit_bias,
    }
    for field, is_asked in lacking.items():
        if is_asked:
            losses.add(field, NO_PLACE)
    return said(
        {
            "max_output_tokens": limit_of(sampling, manner, is_own, losses),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_logprobs": sampling.top_logprobs,
        }
    )


def limit_of(sampling: Sampling, manner: TargetManner, is_own: bool, losses: Losses) -> int | None:
    """The caller's limit, neither more than the target takes nor less than the format does."""
    wanted, most = sampling.max_output_tokens, manner.max_output_tokens
    if wanted is None:
        return None
    if most and wanted > most:
        losses.add("max_completion_tokens", f"{wanted} is over the limit of the model, {most}")
        return most
    if wanted < LEAST_OUTPUT_TOKENS and not is_own:
        losses.add("max_completion_tokens", f"{wanted} is less than this format takes, {LEAST_OUTPUT_TOKENS}")
        return LEAST_OUTPUT_TOKENS
    return wanted


def write_thinking(thinking: Thinking | None, manner: TargetManner, is_own: bool, losses: Losses) -> dict[str, object]:
    """`reasoning`, with a summary for who wants to see what was thought."""
    if thinking is None:
        return {}
    effort, budget = thinking.effort, thinking.budget_tokens
    summary = thinking.summary if thinking.summary in SUMMARIES else "auto" if thinking.is_shown else ""
    if not manner.is_reasoning and not is_own:
        if effort not in ("", "none") or budget:
            losses.add("reasoning_effort" if effort else "thinking_budget", "the model does not reason")
        return {}
    if not effort and budget == 0:
        losses.add("thinking_off", "no switch here works for all models")
        summary = ""
    elif not effort and budget is not None:
        effort = next((word for most, word in EFFORT_OF_BUDGET if budget <= most), "high")
        losses.add("thinking_budget", f"told as the effort {effort}")
    reasoning = said({"effort": effort or None, "summary": summary or None})
    return {"reasoning": reasoning} if reasoning or is_own else {}


def write_rest(conversation: Conversation, losses: Losses) -> dict[str, object]:
    tier = conversation.service_tier
    if tier and conversation.origin != DIALECT and tier not in SERVICE_TIERS:
        losses.add("service_tier", f"this format has no tier {tier}")
        tier = ""
    if any(modality != "text" for modality in conversation.modalities):
        losses.add("modalities", NO_PLACE)
    text = said(
        {
            "format": write_format(conversation.output) if conversation.output else None,
            "verbosity": conversation.verbosity or None,
        }
    )
    return said(
        {
            "text": text or None,
            "prompt_cache_key": conversation.cache_key or None,
            "prompt_cache_retention": conversation.cache_retention or None,
            "service_tier": tier or None,
            "user": conversation.user or None,
            "metadata": conversation.metadata or None,
            "stream": True if conversation.stream else None,
        }
    )


def write_state(conversation: Conversation, manner: TargetManner, losses: Losses) -> dict[str, object]:
    """Nothing is kept at the provider unless the caller says so, so a reasoning model's thoughts have to be handed out.

    A model that does not reason refuses to be asked for them.
    """
    is_kept = conversation.origin == DIALECT and conversation.store is True
    if conversation.store and not is_kept:
        losses.add("store", "kept here an answer would be for the next request, not to learn from")
    include = [ENCRYPTED] if manner.is_reasoning and not is_kept else []
    if conversation.sampling.logprobs:
        include.append(LOGPROBS)
    return {"store": is_kept, "include": include} if include else {"store": is_kept}


def add_unknown(body: dict[str, object], unknown: dict[str, Raw]) -> None:
    """The caller's own members; a dotted name stands inside another."""
    for name, raw in unknown.items():
        outer, _, inner = name.partition(".")
        if inner:
            inside = body.get(outer)
            body[outer] = (inside if isinstance(inside, dict) else {}) | {inner: raw}
        else:
            body[name] = raw


def drop(body: dict[str, object], field: str) -> bool:
    """Take a member out, or one inside another. Whether it was there."""
    outer, _, inner = field.partition(".")
    if not inner:
        return body.pop(field, None) is not None
    inside = body.get(outer)
    return isinstance(inside, dict) and inside.pop(inner, None) is not None


def said(members: dict[str, object]) -> dict[str, object]:
    """Without what nobody said."""
    return {name: value for name, value in members.items() if value is not None}
