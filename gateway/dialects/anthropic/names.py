"""What this format is called, and how its words for things translate."""

DIALECT = "anthropic_messages"
FAMILY = "anthropic"  # whose signatures go through it bare

FINISH_OF_STOP = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_window",
}
STOP_OF_FINISH = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
    "context_window": "model_context_window_exceeded",
}


def finish_of(stop_reason: str, has_calls: bool) -> str:
    """The finish that a stop reason means. Some hosts of this format end a turn of tool calls like any other."""
    finish = FINISH_OF_STOP.get(stop_reason, "stop")
    return "tool_calls" if has_calls and stop_reason == "end_turn" else finish


def stop_of(finish: str, stop_sequence: str, has_calls: bool) -> str:
    """The stop reason that a finish means. Clients run tools only when it is tool_use."""
    if finish == "stop" and stop_sequence:
        return "stop_sequence"
    stop_reason = STOP_OF_FINISH.get(finish, "end_turn")
    return "tool_use" if has_calls and stop_reason == "end_turn" else stop_reason
