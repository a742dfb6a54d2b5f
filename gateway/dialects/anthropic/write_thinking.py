"""How much to think, and what that forbids: thinking, effort, sampling and forced tools depend on each other here."""

from gateway.dialects.anthropic.models import Abilities
from gateway.dialects.anthropic.names import DIALECT
from gateway.dialects.anthropic.written import OutputConfigOut, RequestOut, ThinkingConfigOut, ToolChoiceOut
from gateway.dialects.losses import Losses
from gateway.wire.conversation import Conversation, Thinking

LEAST_BUDGET = 1_024  # Source: anthropic 2.12, ThinkingConfigEnabledParam
MOST_BUDGET = 128_000

# Shares of the answer that may be spent on thinking. Anthropic publishes no such table; this is OpenRouter's.
# Source: openrouter.ai/docs, "Reasoning Tokens", read 2026-11-23.
BUDGET_OF_EFFORT = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.95, "max": 0.95}
EFFORTS = tuple(BUDGET_OF_EFFORT)
FORCED = ("any", "tool")


def write_thinking(body: RequestOut, conversation: Conversation, able: Abilities, losses: Losses) -> None:
    """Set thinking and effort, and take out of the rest of the body what the API refuses beside them."""
    asked = conversation.thinking
    if asked is not None:
        if asked.effort not in ("", "none"):
            write_effort(body, asked, conversation, able, losses)
        body.thinking = config_of(asked, conversation, body, able, losses)
    if body.thinking is not None and body.thinking.type == "enabled" and continues_without_thought(body):
        body.thinking = None
        losses.add("thinking", "the tool loop was begun without thoughts of this model, so it goes on without")
    if body.tool_choice is not None and body.tool_choice.type in FORCED:
        force_tool(body, able, losses)
    calm_effort(body, losses)
    write_sampling(body, conversation, able, losses)


def is_off(asked: Thinking) -> bool:
    return asked.budget_tokens == 0 or (asked.effort == "none" and not asked.budget_tokens)


def write_effort(
    body: RequestOut, asked: Thinking, conversation: Conversation, able: Abilities, losses: Losses
) -> None:
    """output_config.effort, where the model takes it."""
    if not able.efforts:
        if conversation.origin == DIALECT:
            losses.add("reasoning_effort", "this model takes no effort")
        return
    effort = asked.effort
    if effort not in able.efforts:
        effort = nearest(effort, able.efforts)
        losses.add("thinking", f"this model has no effort '{asked.effort}'; '{effort}' was asked for")
    body.output_config = OutputConfigOut(effort=effort)


def nearest(effort: str, efforts: tuple[str, ...]) -> str:
    """The most that is not more than asked for; the least there is for anything below it or unheard of."""
    rank = EFFORTS.index(effort) if effort in EFFORTS else 0
    return next((known for known in reversed(efforts) if EFFORTS.index(known) <= rank), efforts[0])


def config_of(
    asked: Thinking, conversation: Conversation, body: RequestOut, able: Abilities, losses: Losses
) -> ThinkingConfigOut | None:
    if is_off(asked):
        return switched_off(able, losses)
    says_effort_only = asked.budget_tokens is None and not asked.is_adaptive
    if says_effort_only and (not asked.effort or conversation.origin == DIALECT):
        return None  # an effort alone, in our own format, turns nothing on
    display = display_of(asked)
    if able.adaptive and (asked.is_adaptive or says_effort_only or not able.budget):
        if asked.budget_tokens is not None:
            replace_budget(asked.budget_tokens, body, able, losses)
        return ThinkingConfigOut("adaptive", display=display)
    if not able.budget:
        losses.add("thinking", "this model does not think")
        return None
    budget = asked.budget_tokens
    if budget is None:
        share = BUDGET_OF_EFFORT.get(asked.effort or "high", BUDGET_OF_EFFORT["medium"])
        budget = max(LEAST_BUDGET, min(MOST_BUDGET, int(body.max_tokens * share)))
    return with_budget(budget, asked, body, display, losses)


def with_budget(
    budget: int, asked: Thinking, body: RequestOut, display: str | None, losses: Losses
) -> ThinkingConfigOut | None:
    """The API wants 1,024 or more, and fewer than max_tokens."""
    if body.max_tokens <= LEAST_BUDGET:
        losses.add("thinking", f"thinking takes {LEAST_BUDGET} tokens at least, and max_tokens is {body.max_tokens}")
        return None
    fitting = min(max(budget, LEAST_BUDGET), body.max_tokens - 1)
    if asked.budget_tokens is not None and fitting != asked.budget_tokens:
        losses.add("thinking", f"a budget of {asked.budget_tokens} tokens is out of range; {fitting} were asked for")
    return ThinkingConfigOut("enabled", fitting, display)


def replace_budget(budget: int, body: RequestOut, able: Abilities, losses: Losses) -> None:
    """For models that know efforts only: the effort whose share of the answer the budget reaches, "high" at most."""
    if body.output_config is not None or not able.efforts:
        return
    share = budget / max(body.max_tokens, 1)
    effort = next((name for name in ("low", "medium") if share <= BUDGET_OF_EFFORT[name]), "high")
    body.output_config = OutputConfigOut(effort=effort)
    losses.add("thinking", f"this model takes no budget in tokens; effort '{effort}' was asked for")


def display_of(asked: Thinking) -> str | None:
    """What of the thoughts comes back; several models keep them to themselves unless told."""
    if asked.summary in ("summarized", "omitted"):
        return asked.summary
    if asked.is_shown is False:
        return "omitted"
    return "summarized" if asked.summary in ("auto", "concise", "detailed") else None


def switched_off(able: Abilities, losses: Losses) -> ThinkingConfigOut | None:
    if able.off == "omitted":
        return None
    if able.off == "never":
        losses.add("thinking", "this model always thinks")
        return None
    return ThinkingConfigOut(able.off)


def continues_without_thought(body: RequestOut) -> bool:
    """Whether the answer goes on a tool loop whose calls come without the thinking that the API wants before them."""
    if len(body.messages) < 2 or not any(kind_of(block) == "tool_result" for block in body.messages[-1].content):
        return False
    before = next((message for message in reversed(body.messages) if message.role == "assistant"), None)
    return before is not None and kind_of(before.content[0]) not in ("thinking", "redacted_thinking")


def kind_of(block: object) -> str:
    config = getattr(type(block), "__struct_config__", None)
    return str(config.tag) if config is not None else ""


def force_tool(body: RequestOut, able: Abilities, losses: Losses) -> None:
    """Thinking goes with tools that the model chooses itself; the tool counts more."""
    if body.thinking is None and not able.on_by_default:
        return
    if able.off in ("never", "between_tools"):
        choice = body.tool_choice
        body.tool_choice = ToolChoiceOut("auto", None, choice.disable_parallel_tool_use if choice else None)
        losses.add("tool_choice", "this model cannot be made to call a tool; it may")
        return
    if body.thinking is not None and body.thinking.type != "disabled":
        losses.add("thinking", "a model that has to call a tool cannot think before")
    body.thinking = ThinkingConfigOut("disabled") if able.off == "disabled" else None


def calm_effort(body: RequestOut, losses: Losses) -> None:
    """Without thinking the two highest efforts are refused."""
    is_without = body.thinking is not None and body.thinking.type in ("disabled", "between_tools")
    if is_without and body.output_config is not None and body.output_config.effort in ("xhigh", "max"):
        losses.add("thinking", f"effort '{body.output_config.effort}' needs thinking; 'high' was asked for")
        body.output_config.effort = "high"


def write_sampling(body: RequestOut, conversation: Conversation, able: Abilities, losses: Losses) -> None:
    """Temperature, top_p and top_k, as far as model and thinking leave them to the caller."""
    asked = conversation.sampling
    body.temperature, body.top_p, body.top_k = asked.temperature, asked.top_p, asked.top_k
    if body.temperature is not None and body.temperature > 1:
        losses.add("temperature", f"{body.temperature:g} is over the limit; 1 was asked for")
        body.temperature = 1.0
    if not able.sampling:
        drop(body, losses, "this model takes no sampling parameters", least_top_p=1.0)
    elif body.thinking is not None and body.thinking.type in ("enabled", "adaptive"):
        drop(body, losses, "it cannot be set while the model thinks", least_top_p=0.95)
    elif not able.both_sampling and body.temperature is not None and body.top_p is not None:
        if body.temperature == 1:
            body.temperature = None
        else:
            if body.top_p < 1:
                losses.add("top_p", "this model takes either temperature or top_p")
            body.top_p = None


def drop(body: RequestOut, losses: Losses, reason: str, least_top_p: float) -> None:
    """Take them out; a default is none that anybody misses. least_top_p: from here on top_p stays below 1."""
    if body.temperature not in (None, 1):
        losses.add("temperature", reason)
    if body.top_k is not None:
        losses.add("top_k", reason)
    body.temperature = body.top_k = None
    if body.top_p is not None and not least_top_p <= body.top_p < 1:
        if body.top_p < 1:
            losses.add("top_p", reason)
        body.top_p = None
