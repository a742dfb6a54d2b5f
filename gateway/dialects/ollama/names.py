"""What this format is called, and its words for an end."""

DIALECT = "ollama"

FINISHES = {"stop": "stop", "length": "length"}


def finish_of(word: str, has_calls: bool) -> str:
    """Ours. Ollama ends a turn of tool calls like any other."""
    finish = FINISHES.get(word, "stop")
    return "tool_calls" if has_calls and finish == "stop" else finish
