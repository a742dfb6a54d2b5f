"""What this format is called, and how its words for an end translate."""

import msgspec

DIALECT = "bedrock_converse"
FAMILY = "bedrock"  # whose signatures come through it; Claude is asked in its own format

FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "model_context_window_exceeded": "context_window",
}
# The model wrote something that Bedrock cannot read: there is no answer, and another try may have one.
MALFORMED = ("malformed_model_output", "malformed_tool_use")
DAMAGED = "damaged_event_stream"


def finish_of(stop_reason: str, has_calls: bool) -> str:
    """Ours. A word of the future is taken for an ordinary end; some models end calls with end_turn."""
    finish = FINISHES.get(stop_reason, "stop")
    return "tool_calls" if has_calls and finish == "stop" else finish


def malformed_error(stop_reason: str) -> bytes:
    """The error that such a stop reason stands for."""
    message = f"Bedrock ended the answer with {stop_reason}"
    return msgspec.json.encode({"message": message, "type": stop_reason, "code": 502})


def damage_error(what: str) -> bytes:
    """The error that a damaged stream is."""
    return msgspec.json.encode({"message": f"the event stream is damaged: {what}", "type": DAMAGED})
