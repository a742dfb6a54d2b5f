"""What a request could not say here, in the caller's words."""

from gateway.wire.conversation import Loss

# The names of the fields that this format lacks, where a caller's format has names of its own for them.
WORDS: dict[str, dict[str, str]] = {
    "gemini": {
        "n": "generationConfig.candidateCount",
        "seed": "generationConfig.seed",
        "logprobs": "generationConfig.responseLogprobs",
        "frequency_penalty": "generationConfig.frequencyPenalty",
        "presence_penalty": "generationConfig.presencePenalty",
        "response_format": "generationConfig.responseMimeType",
        "temperature": "generationConfig.temperature",
        "top_p": "generationConfig.topP",
        "top_k": "generationConfig.topK",
        "stop": "generationConfig.stopSequences",
        "max_tokens": "generationConfig.maxOutputTokens",
        "modalities": "generationConfig.responseModalities",
        "thinking": "generationConfig.thinkingConfig",
        "tool_choice": "toolConfig.functionCallingConfig",
    },
    "openai_responses": {
        "response_format": "text.format",
        "verbosity": "text.verbosity",
        "max_tokens": "max_output_tokens",
        "thinking": "reasoning.effort",
    },
    "anthropic_messages": {"response_format": "output_config.format", "stop": "stop_sequences"},
    "openai_chat": {"thinking": "reasoning_effort"},
}
PLACE_OF_TURN = {"openai_responses": "input", "gemini": "contents"}


class Losses:
    """Collects them while a request is written. What happens in many turns is told once, with its first place."""

    def __init__(self, origin: str) -> None:
        self._words = WORDS.get(origin, {})
        self._turns = PLACE_OF_TURN.get(origin, "messages")
        self._places: dict[tuple[str, str], list[str]] = {}  # by what is lost and why

    def add(self, field: str, reason: str) -> None:
        """field: in OpenAI's words, the caller's are looked up."""
        self._places.setdefault((field, reason), []).append(self._words.get(field, field))

    def add_at(self, turn: int, what: str, reason: str) -> None:
        """For something inside a turn."""
        place = f"{self._turns}[{turn}]" + (f".{what}" if what else "")
        self._places.setdefault((what, reason), []).append(place)

    def told(self) -> tuple[Loss, ...]:
        return tuple(
            Loss(places[0], reason if len(places) == 1 else f"{reason} ({len(places)} times)")
            for (_, reason), places in self._places.items()
        )
