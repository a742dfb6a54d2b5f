"""How an answer ended: Google's words and ours. Source: google-genai 3.4.0, FinishReason, read 2026-11-23."""

import msgspec

REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",  # the limit of one request; the answer could go on in another
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "ESCALATION": "content_filter",
    "PUP_LIMITED_DISABLED": "content_filter",
    "MODEL_ARMOR": "content_filter",
}
# The model, not the caller, made a mess of it: there is no answer, and another try may have one.
FAILED = ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE")
# Here it was the request.
REFUSED = ("MISSING_THOUGHT_SIGNATURE",)
WORDS = {
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "context_window": "MAX_TOKENS",
    "pause": "OTHER",
}


def reason_of(word: str, has_calls: bool) -> str:
    """Ours. Google says STOP also after calls, and OTHER or a word of the future where it does not say why."""
    reason = REASONS.get(word, "stop")
    return "tool_calls" if reason == "stop" and has_calls else reason


def word_of(reason: str) -> str:
    """Google's."""
    return WORDS.get(reason, "STOP")


def failure_in(word: str, message: str) -> bytes | None:
    """The error that a finish reason stands for; None for an end of an answer."""
    if word not in (*FAILED, *REFUSED):
        return None
    code = 400 if word in REFUSED else 502
    text = f"Gemini ended its answer with {word}" + (f": {message}" if message else "")
    return msgspec.json.encode({"code": code, "message": text, "status": word})
