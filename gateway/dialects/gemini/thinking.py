"""How much to think, in Google's words: a level for Gemini 3 and later, a budget of tokens before.

The table is Google's own, of what its OpenAI endpoint makes of `reasoning_effort`; xhigh and max are not in it.
Sources: ai.google.dev/gemini-api/docs/openai and /docs/thinking (ranges of budgets; thinking cannot be turned off for
2.5 Pro and Gemini 3; a level and a budget together are refused), read 2026-11-23.
"""

from gateway.dialects.contract import TargetManner
from gateway.dialects.gemini.media import DIALECT
from gateway.dialects.gemini.model import Model
from gateway.dialects.gemini.schema import ThinkingConfig
from gateway.dialects.losses import Losses
from gateway.wire.conversation import Conversation, Thinking

LEVELS = {"minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH"}
BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
ABOVE = ("xhigh", "max")
FIELD = "reasoning_effort"
BUDGET_FIELD = "thinking_budget"


def write_thinking(
    conversation: Conversation, manner: TargetManner, model: Model, losses: Losses
) -> ThinkingConfig | None:
    """None when the model decides, or does not think at all."""
    thinking = conversation.thinking
    if thinking is None:
        return None
    if not manner.is_reasoning:
        if not is_off(thinking):
            losses.add(FIELD, "this model does not think")
        return None
    amount = as_level if model.thinks_in_levels else as_budget
    config = amount(thinking, model, losses, is_own=conversation.origin == DIALECT)
    shown = is_shown(thinking)
    found = ThinkingConfig(shown, config.thinking_budget, config.thinking_level)
    return None if found == ThinkingConfig() else found


def is_off(thinking: Thinking) -> bool:
    return thinking.effort == "none" or thinking.budget_tokens == 0


def is_shown(thinking: Thinking) -> bool | None:
    """Thoughts are shown to those who ask for them, or for a budget, which elsewhere means to see them."""
    if thinking.is_shown is not None or is_off(thinking):
        return thinking.is_shown
    if thinking.summary:
        return thinking.summary not in ("omitted", "none")
    return True if thinking.budget_tokens else None


def as_level(thinking: Thinking, model: Model, losses: Losses, is_own: bool) -> ThinkingConfig:
    """A budget becomes the level it stands for, unless the caller himself spoke to Google of one."""
    if thinking.effort:
        return ThinkingConfig(thinking_level=level_of(thinking.effort, model, losses, is_own))
    if thinking.budget_tokens is None:
        return ThinkingConfig()
    if is_own:
        return ThinkingConfig(thinking_budget=thinking.budget_tokens)
    if thinking.budget_tokens == 0:
        return ThinkingConfig(thinking_level=level_of("none", model, losses, is_own))
    near = next((word for word in ("low", "medium") if thinking.budget_tokens <= BUDGETS[word]), "high")
    losses.add(BUDGET_FIELD, f"{model.name} thinks in levels; {thinking.budget_tokens} tokens become {near}")
    return ThinkingConfig(thinking_level=LEVELS[near])


def level_of(effort: str, model: Model, losses: Losses, is_own: bool) -> str:
    lowest = "minimal" if model.has_minimal_thinking else "low"
    if is_own:
        return effort.upper()
    if effort in ABOVE:
        losses.add(FIELD, f"'{effort}' is more than {model.name} is known to take; high is asked for")
        return LEVELS["high"]
    if effort == "none":
        losses.add(FIELD, f"the thinking of {model.name} cannot be turned off; {lowest} is asked for")
        return LEVELS[lowest]
    if effort == "minimal" and lowest != effort:
        losses.add(FIELD, f"'minimal' is less than {model.name} takes; {lowest} is asked for")
        return LEVELS[lowest]
    if effort not in LEVELS:
        losses.add(FIELD, f"'{effort}' is no level that Gemini knows; medium is asked for")
    return LEVELS.get(effort, LEVELS["medium"])


def as_budget(thinking: Thinking, model: Model, losses: Losses, is_own: bool) -> ThinkingConfig:
    """The number of tokens, within what the model takes."""
    wanted = thinking.budget_tokens
    if wanted is None and thinking.effort:
        wanted = budget_of(thinking.effort, model, losses)
    if wanted is None:
        return ThinkingConfig(thinking_budget=-1 if thinking.is_adaptive else None)
    taken = wanted if is_own else within_range(wanted, model)
    if taken != wanted:
        losses.add(BUDGET_FIELD, f"{model.name} takes {taken} in the place of {wanted} tokens of thinking")
    return ThinkingConfig(thinking_budget=taken)


def budget_of(effort: str, model: Model, losses: Losses) -> int:
    if effort == "none":
        return 0
    if effort not in BUDGETS:
        near = "high" if effort in ABOVE else "medium"
        losses.add(FIELD, f"'{effort}' is no level that Gemini knows; {near} is asked for")
        return BUDGETS[near]
    return BUDGETS[effort]


def within_range(budget: int, model: Model) -> int:
    """2.5 Pro takes 128 to 32,768 tokens, Flash 0 to 24,576, Flash-Lite 0 or 512 to 24,576."""
    if model.is_pro:
        return min(max(budget, 128), 32768)
    least = 512 if model.is_lite and budget else 0
    return min(max(budget, least), 24576)
