"""What a request could not say in a provider's format, in the words of the caller's."""

from collections.abc import Iterator

from gateway.wire.conversation import Conversation, Loss

# A caller's words for what OpenAI's chat format, which has words for most of it, calls by the first one. `thinking` is
# all that may be said of it; with `_budget`, `_off` and `_summary`, one thing.
WORDS: dict[str, dict[str, str]] = {
    "anthropic_messages": {
        "max_completion_tokens": "max_tokens",
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
        "reasoning_effort": "output_config.effort",
        "response_format": "output_config.format",
        "stop": "stop_sequences",
        "thinking_budget": "thinking.budget_tokens",
        "thinking_off": "thinking",
        "thinking_summary": "thinking.display",
        "user": "metadata.user_id",
    },
    "gemini": {
        "frequency_penalty": "generationConfig.frequencyPenalty",
        "logprobs": "generationConfig.responseLogprobs",
        "max_completion_tokens": "generationConfig.maxOutputTokens",
        "metadata": "labels",
        "modalities": "generationConfig.responseModalities",
        "n": "generationConfig.candidateCount",
        "presence_penalty": "generationConfig.presencePenalty",
        "reasoning_effort": "generationConfig.thinkingConfig.thinkingLevel",
        "response_format": "generationConfig.responseMimeType",
        "seed": "generationConfig.seed",
        "service_tier": "serviceTier",
        "stop": "generationConfig.stopSequences",
        "temperature": "generationConfig.temperature",
        "thinking": "generationConfig.thinkingConfig",
        "thinking_budget": "generationConfig.thinkingConfig.thinkingBudget",
        "thinking_off": "generationConfig.thinkingConfig.thinkingBudget",
        "thinking_summary": "generationConfig.thinkingConfig.includeThoughts",
        "tool_choice": "toolConfig.functionCallingConfig",
        "top_k": "generationConfig.topK",
        "top_logprobs": "generationConfig.logprobs",
        "top_p": "generationConfig.topP",
    },
    "openai_chat": {
        "thinking": "reasoning_effort",
        "thinking_budget": "reasoning.max_tokens",
        "thinking_off": "reasoning",
        "thinking_summary": "reasoning.summary",
    },
    "openai_completions": {"max_completion_tokens": "max_tokens"},
    "openai_responses": {
        "max_completion_tokens": "max_output_tokens",
        "reasoning_effort": "reasoning.effort",
        "response_format": "text.format",
        "thinking": "reasoning.effort",
        "thinking_budget": "reasoning",
        "thinking_off": "reasoning",
        "thinking_summary": "reasoning.summary",
        "verbosity": "text.verbosity",
    },
}
LIST_OF_TURNS = {"gemini": "contents", "openai_responses": "input"}
USUAL_TIERS = ("", "auto", "default", "standard", "standard_only", "unspecified")
FOR_ROUTERS = "provider"  # OpenRouter's member: we heed it, and name what of it we cannot
NOT_KNOWN = "the gateway does not know this field"
NO_BIAS = (b"{}", b"null")


class Losses:
    """Collects them while a request is written. What happens in many turns is told once, with its first place."""

    def __init__(self, origin: str) -> None:
        self._words = WORDS.get(origin, {})
        self._turns = LIST_OF_TURNS.get(origin, "messages")
        self._places: dict[tuple[str, str], list[str]] = {}  # by what is lost and why

    def add(self, field: str, reason: str) -> None:
        """field: as OpenAI's chat format calls it; the caller's word for it, or for its first part, is looked up."""
        first, dot, rest = field.partition(".")
        self._places.setdefault((field, reason), [self._words.get(field) or self._words.get(first, first) + dot + rest])

    def add_in_turn(self, turn: int, what: str, reason: str) -> None:
        """what: of that turn, "" for all of it."""
        place = f"{self._turns}[{turn}]" + (f".{what}" if what else "")
        self._places.setdefault((what, reason), []).append(place)

    def add_foreign(self, conversation: Conversation, sayable: frozenset[str], reason: str) -> None:
        """Whatever was asked for beyond what the format has a field for."""
        for field in asked_for(conversation):
            if field not in sayable:
                self.add(field, reason)
        for field in conversation.unknown:
            if field != FOR_ROUTERS:
                self._places.setdefault((field, NOT_KNOWN), [field])
        for loss in conversation.unsaid:
            self.add(loss.field, loss.reason)

    def told(self) -> tuple[Loss, ...]:
        return tuple(
            Loss(places[0], reason if len(places) == 1 else f"{reason} ({len(places)} times)")
            for (_, reason), places in self._places.items()
        )


def asked_for(conversation: Conversation) -> Iterator[str]:
    """The fields that not every format has, as far as they ask for something that does not go without saying."""
    sampling, bias = conversation.sampling, conversation.sampling.logit_bias
    asked = {
        "n": (sampling.choices or 1) > 1,
        "seed": sampling.seed is not None,
        "top_k": sampling.top_k is not None,
        "logprobs": sampling.logprobs,
        "top_logprobs": bool(sampling.top_logprobs),
        "frequency_penalty": bool(sampling.frequency_penalty),
        "presence_penalty": bool(sampling.presence_penalty),
        "logit_bias": bias is not None and bytes(bias) not in NO_BIAS,
        "parallel_tool_calls": conversation.parallel_tool_calls is False and bool(conversation.tools),
        "prompt_cache_key": bool(conversation.cache_key),
        "prompt_cache_retention": bool(conversation.cache_retention),
        "service_tier": conversation.service_tier not in USUAL_TIERS,
        "user": bool(conversation.user),
        "metadata": bool(conversation.metadata),
        "verbosity": bool(conversation.verbosity),
        "modalities": any(modality != "text" for modality in conversation.modalities),
        "store": bool(conversation.store),
    }
    return (field for field, is_asked in asked.items() if is_asked)
