"""countTokens: what is to be counted, and the answer."""

import msgspec
from msgspec import Raw

from gateway.dialects.gemini.names import COUNT, MEMBERS, camel
from gateway.dialects.gemini.schema import NOTHING


def counted_body(body: bytes) -> bytes:
    """The request whose tokens are to be counted: itself, or the one inside its `generateContentRequest`."""
    try:
        inner = MEMBERS.decode(camel(body, COUNT)).get("generateContentRequest", Raw(b""))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body  # its reader says what is wrong with it
    return body if bytes(inner) in NOTHING else bytes(inner)


def count_answer(tokens: int) -> bytes:
    """How many there are."""
    details = [{"modality": "TEXT", "tokenCount": tokens}]
    return msgspec.json.encode({"totalTokens": tokens, "promptTokensDetails": details})
