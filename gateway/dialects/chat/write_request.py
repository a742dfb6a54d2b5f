"""A Conversation as the body that a provider of this format gets."""

import msgspec

from gateway.dialects.chat.ids import name_told
from gateway.dialects.chat.target import Target
from gateway.dialects.chat.write_messages import MessagesWriter
from gateway.dialects.chat.write_tools import write_format, write_tools
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.losses import Losses
from gateway.wire.conversation import Conversation, Sampling, Thinking

MAX_COMPLETION_TOKENS = "max_completion_tokens"
SERVICE_TIERS = ("auto", "default", "flex", "scale", "priority", "fast")
# A budget in tokens as an effort: the upper end of each. OpenRouter reads an effort as a share of the output limit,
# 20, 50 and 80 per cent; these are those shares of 20,000 tokens. Not every model that reasons takes less than low.
EFFORT_OF_BUDGET = ((4_000, "low"), (10_000, "medium"))
REFUSED = "the provider refuses it"
NO_PLACE = "Chat Completions has no place for it"


def write_request(conversation: Conversation, manner: TargetManner) -> Outgoing:
    """The body, and everything that it could not say."""
    losses, target = Losses(conversation.origin), Target(conversation, manner)
    body: dict[str, object] = {"model": manner.model}
    body["messages"] = MessagesWriter(target, losses).take(conversation.turns)
    body |= write_tools(conversation, target, losses)
    body |= write_sampling(conversation.sampling, target, losses)
    body |= write_thinking(conversation.thinking, target, losses)
    body |= write_rest(conversation, target, losses)
    if conversation.stream:
        body["stream"] = True
    for field in manner.drop_fields:
        if body.pop(field, None) is not None:
            losses.add(field, REFUSED)
    if conversation.stream and manner.stream_usage:
        body["stream_options"] = {"include_usage": True}
    unsaid = () if target.is_callers_format else conversation.unsaid
    return Outgoing(msgspec.json.encode(body), losses.told() + unsaid)


def write_sampling(sampling: Sampling, target: Target, losses: Losses) -> dict[str, object]:
    members: dict[str, object] = {
        target.manner.max_tokens_field or MAX_COMPLETION_TOKENS: limit_of(sampling, target, losses),
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "stop": sampling.stop or None,
        "n": sampling.choices,
        "logprobs": sampling.logprobs or None,
        "top_logprobs": sampling.top_logprobs,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "logit_bias": sampling.logit_bias,
    }
    if sampling.top_k is not None:
        if target.takes("top_k"):
            members["top_k"] = sampling.top_k
        else:
            losses.add("top_k", NO_PLACE)
    return said(members)


def limit_of(sampling: Sampling, target: Target, losses: Losses) -> int | None:
    """The caller's limit of output tokens, and never more than the target's, which would be refused."""
    wanted, most = sampling.max_output_tokens, target.manner.max_output_tokens
    if wanted is None or not most or wanted <= most:
        return wanted
    losses.add(MAX_COMPLETION_TOKENS, f"{wanted} is over the limit of the model, {most}")
    return most


def write_thinking(thinking: Thinking | None, target: Target, losses: Losses) -> dict[str, object]:
    """reasoning_effort; beside it OpenRouter's `reasoning`, which takes a budget, or DeepSeek's switch `thinking`."""
    if thinking is None:
        return {}
    effort, budget = thinking.effort, thinking.budget_tokens
    needs_object = budget is not None or thinking.is_shown is not None or thinking.summary
    if target.takes("reasoning") and needs_object:
        return {"reasoning": reasoning_of(thinking)}
    if thinking.summary and thinking.summary != "omitted":
        losses.add("thinking_summary", NO_PLACE)
    if not target.manner.is_reasoning and not target.is_callers_format:
        if effort not in ("", "none") or budget:
            losses.add("reasoning_effort" if effort else "thinking_budget", "the model does not reason")
        return {}
    members: dict[str, object] = {}
    if not effort and budget:
        effort = next((word for most, word in EFFORT_OF_BUDGET if budget <= most), "high")
        losses.add("thinking_budget", f"told as reasoning_effort {effort}")
    if target.takes("thinking") and (budget is not None or thinking.is_adaptive):
        members["thinking"] = {"type": "disabled" if budget == 0 else "enabled"}
    elif budget == 0 and not effort:
        losses.add("thinking_off", "no switch here works for all models")
    if effort:
        members["reasoning_effort"] = effort
    return members


def reasoning_of(thinking: Thinking) -> dict[str, object]:
    """effort and max_tokens exclude each other there."""
    is_off = not thinking.effort and thinking.budget_tokens == 0
    return said(
        {
            "effort": thinking.effort or None,
            "max_tokens": None if thinking.effort else thinking.budget_tokens or None,
            "enabled": False if is_off else None,
            "exclude": None if thinking.is_shown is None else not thinking.is_shown,
            "summary": thinking.summary or None,
        }
    )


def write_rest(conversation: Conversation, target: Target, losses: Losses) -> dict[str, object]:
    members: dict[str, object] = {
        "response_format": write_format(conversation.output) if conversation.output else None,
        "prompt_cache_key": conversation.cache_key or None,
        "prompt_cache_retention": conversation.cache_retention or None,
        "user": conversation.user or None,
        "verbosity": conversation.verbosity or None,
        "service_tier": conversation.service_tier or None,
        "modalities": conversation.modalities or None,
    }
    if target.is_callers_format:
        # Elsewhere `store` keeps an answer for the next request; here it only lets OpenAI learn from it.
        members |= {"store": conversation.store, "metadata": conversation.metadata or None}
        return said(members | conversation.unknown)
    if conversation.metadata:
        losses.add("metadata", "Chat Completions takes metadata of stored answers only")
    if conversation.service_tier not in ("", *SERVICE_TIERS):
        members["service_tier"] = None
        losses.add("service_tier", f"Chat Completions has no tier {conversation.service_tier}")
    if conversation.modalities == ("text",):
        members["modalities"] = None
    for name, told in (("prompt_cache_key", conversation.cache_key), ("user", conversation.user)):
        if told and name_told(told) != told:
            members[name] = name_told(told)
            losses.add(name, "longer than providers take; told as its SHA-256")
    for name in conversation.unknown:
        losses.add(name, NO_PLACE)
    return said(members)


def said(members: dict[str, object]) -> dict[str, object]:
    """Without what nobody said."""
    return {name: value for name, value in members.items() if value is not None}
