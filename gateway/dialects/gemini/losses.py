"""What a Gemini request cannot say, collected in the caller's words."""

from gateway.wire.conversation import Loss

# The names that other formats have for what OpenAI's chat format calls by the first one.
WORDS = {
    "anthropic_messages": {
        "reasoning_effort": "output_config.effort",
        "response_format": "output_config.format",
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
        "stop": "stop_sequences",
        "user": "metadata.user_id",
    },
    "openai_responses": {
        "reasoning_effort": "reasoning.effort",
        "response_format": "text.format",
        "verbosity": "text.verbosity",
        "max_tokens": "max_output_tokens",
    },
    "gemini": {
        "reasoning_effort": "generationConfig.thinkingConfig",
        "response_format": "generationConfig.responseMimeType",
        "stop": "generationConfig.stopSequences",
        "max_tokens": "generationConfig.maxOutputTokens",
    },
}
LIST_OF_TURNS = {"gemini": "contents", "openai_responses": "input"}


class Losses:
    """Each field once, however often it is met."""

    def __init__(self, origin: str) -> None:
        self._found: dict[str, Loss] = {}
        self._words = WORDS.get(origin, {})
        self._turns = LIST_OF_TURNS.get(origin, "messages")

    def add(self, field: str, reason: str) -> None:
        """field: as OpenAI's chat format calls it, or as the caller does."""
        first, dot, rest = field.partition(".")
        field = self._words.get(first, first) + dot + rest
        self._found.setdefault(field, Loss(field, reason))

    def add_in_turn(self, turn: int, member: str, reason: str) -> None:
        """member: what of that turn is lost."""
        self.add(f"{self._turns}[{turn}].{member}", reason)

    def all(self) -> tuple[Loss, ...]:
        return tuple(self._found.values())
