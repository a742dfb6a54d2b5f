"""What this format is called, and how its words for an end translate."""

import msgspec

DIALECT = "cohere_v2"

FINISHES = {"COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls"}
# Cohere gave up: there is no answer, and another try may have one.
FAILED = {"ERROR": 500, "TIMEOUT": 504, "ERROR_TOXIC": 400, "ERROR_LIMIT": 429}


def finish_of(word: str, has_calls: bool) -> str:
    """Ours. A word of the future is taken for an ordinary end."""
    finish = FINISHES.get(word, "stop")
    return "tool_calls" if has_calls and finish == "stop" else finish


def failure_in(word: str, message: str) -> bytes | None:
    """The error that a finish reason, or a message beside it, stands for; None for an end of an answer."""
    if word not in FAILED and not message:
        return None
    text = message or f"Cohere ended its answer with {word}"
    return msgspec.json.encode({"message": text, "type": word.lower() or "error", "code": FAILED.get(word, 500)})
