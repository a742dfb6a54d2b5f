"""What a request could not say here, collected in the caller's words."""

from gateway.wire.conversation import Loss

# A caller's words for what this format calls otherwise, or lacks.
WORDS: dict[str, dict[str, str]] = {
    "anthropic_messages": {
        "max_output_tokens": "max_tokens",
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
        "reasoning.effort": "output_config.effort",
        "reasoning.summary": "thinking.display",
        "stop": "stop_sequences",
        "text.format": "output_config.format",
        "thinking_budget": "thinking.budget_tokens",
        "thinking_off": "thinking",
        "user": "metadata.user_id",
    },
    "gemini": {
        "frequency_penalty": "generationConfig.frequencyPenalty",
        "max_output_tokens": "generationConfig.maxOutputTokens",
        "modalities": "generationConfig.responseModalities",
        "n": "generationConfig.candidateCount",
        "presence_penalty": "generationConfig.presencePenalty",
        "reasoning.effort": "generationConfig.thinkingConfig.thinkingLevel",
        "reasoning.summary": "generationConfig.thinkingConfig.includeThoughts",
        "seed": "generationConfig.seed",
        "stop": "generationConfig.stopSequences",
        "temperature": "generationConfig.temperature",
        "text.format": "generationConfig.responseMimeType",
        "thinking_budget": "generationConfig.thinkingConfig.thinkingBudget",
        "thinking_off": "generationConfig.thinkingConfig.thinkingBudget",
        "tool_choice": "toolConfig.functionCallingConfig",
        "top_k": "generationConfig.topK",
        "top_logprobs": "generationConfig.logprobs",
        "top_p": "generationConfig.topP",
    },
    "openai_chat": {
        "max_output_tokens": "max_completion_tokens",
        "reasoning.effort": "reasoning_effort",
        "text.format": "response_format",
        "text.verbosity": "verbosity",
        "thinking_budget": "reasoning.max_tokens",
        "thinking_off": "reasoning",
    },
    "openai_completions": {"max_output_tokens": "max_tokens"},
    "openai_responses": {"thinking_budget": "reasoning", "thinking_off": "reasoning"},
}
LIST_OF_TURNS = {"gemini": "contents", "openai_responses": "input"}


class Losses:
    """Collects them while a request is written; each field counts once."""

    def __init__(self, origin: str) -> None:
        self._words = WORDS.get(origin, {})
        self._turns = LIST_OF_TURNS.get(origin, "messages")
        self._found: dict[str, Loss] = {}

    def add(self, field: str, reason: str) -> None:
        """field: as this format calls it."""
        field = self._words.get(field, field)
        self._found.setdefault(field, Loss(field, reason))

    def add_in_turn(self, turn: int, what: str, reason: str) -> None:
        """what: of that turn."""
        self.add(f"{self._turns}[{turn}].{what}", reason)

    def told(self) -> tuple[Loss, ...]:
        return tuple(self._found.values())
