"""What this format is called, and its words for what other formats call differently."""

DIALECT = "openai_chat"
OPENAI = "openai"  # the family that takes all of the format, not only what everybody took over

FINISHES = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "complete": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",  # Mistral's
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "sensitive": "content_filter",  # Zhipu's
    "refusal": "refusal",
}
# DeepSeek's word for an answer that it had to give up, and what OpenRouter and Zhipu say instead.
BROKEN_OFF = ("error", "insufficient_system_resource", "network_error")
FINISHES_WRITTEN = {"refusal": "content_filter", "pause": "stop", "context_window": "length", "function_call": "stop"}
OPENAI_FINISHES = ("stop", "length", "tool_calls", "content_filter")


def finish_of(reason: str, has_calls: bool) -> str:
    """The finish that a provider's reason means. Some end a turn of tool calls like any other: Gemini, Ollama."""
    finish = FINISHES.get(reason.lower(), "stop")
    return "tool_calls" if has_calls and finish == "stop" else finish


def finish_written(finish: str, has_calls: bool) -> str:
    """OpenAI's word for a finish; its clients run tools only when it is tool_calls."""
    finish = finish if finish in OPENAI_FINISHES else FINISHES_WRITTEN.get(finish, "stop")
    return "tool_calls" if has_calls and finish == "stop" else finish
