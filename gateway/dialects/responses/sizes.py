"""How much an item of an answer says."""

import msgspec
from msgspec import Raw

from gateway.dialects.answer import bytes_of
from gateway.dialects.responses.events import HEAD, ITEM


def content_bytes(raw: Raw) -> int:
    """Bytes of content; 0 for a message or a thought that says nothing. All else says something by being there."""
    if HEAD.decode(raw).type not in ("message", "reasoning"):
        return len(bytes(raw))
    try:
        item = ITEM.decode(raw)
    except msgspec.ValidationError:
        return len(bytes(raw))
    texts = [part.text or part.refusal or "" for part in (*(item.content or ()), *(item.summary or ()))]
    return sum(map(bytes_of, texts)) or len(item.encrypted_content or "")
