"""Make a provider's words fit to be shown: no key of ours, no control character, no novel."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gateway.providers.error_body import ErrorBody

LONGEST_MESSAGE = 300  # characters
DEEPEST = 16  # levels of a provider's error that a caller gets to see
STARS = "***"


def without_secrets(text: str, secrets: Sequence[str]) -> str:
    """The text with every known key replaced by ***; longer keys first, as one may begin with another."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, STARS)
    return text


def one_line(text: str, secrets: Sequence[str]) -> str:
    """At most 300 printable characters on one line. Keys go first, so that none is cut in two and missed."""
    clean = "".join(c if c.isprintable() else " " for c in without_secrets(text, secrets)[: 8 * LONGEST_MESSAGE])
    line = " ".join(clean.split())
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


def redacted_document(error: ErrorBody, secrets: Sequence[str]) -> bytes:
    """The error as an OpenAI error document, with all that the provider added and no key of ours."""
    fields = {"message": error.message, "type": "invalid_request_error", "param": None, "code": error.code or None}
    own = {name: value for name, value in error.object.items() if value is not None and name != "message"}
    return msgspec.json.encode({"error": _clean({**fields, **own}, secrets, DEEPEST)})


def _clean(node: Any, secrets: Sequence[str], depth: int) -> Any:
    """The same JSON value without keys of ours, and without what lies deeper than `depth`."""
    if isinstance(node, str):
        return without_secrets(node, secrets)
    if depth == 0 and isinstance(node, Mapping | list):
        return None
    if isinstance(node, Mapping):
        return {without_secrets(str(name), secrets): _clean(value, secrets, depth - 1) for name, value in node.items()}
    if isinstance(node, list):
        return [_clean(item, secrets, depth - 1) for item in node]
    return node
