"""What a caller means by what he says of thinking; formats say the same in an effort, a budget, or yes and no."""

from gateway.dialects.losses import Losses
from gateway.wire.conversation import Thinking


def is_off(thinking: Thinking) -> bool:
    """Not to think at all."""
    return thinking.effort == "none" or thinking.budget_tokens == 0


def field_of(thinking: Thinking) -> str:
    """The field in which he says it, for `Losses`."""
    return "thinking_budget" if thinking.budget_tokens is not None and not thinking.effort else "reasoning_effort"


def note_no_thinker(thinking: Thinking, losses: Losses) -> None:
    """The model does not think: who asked it not to has what he wanted."""
    if not is_off(thinking):
        losses.add(field_of(thinking), "this model does not think")
