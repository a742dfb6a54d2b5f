"""What a message may repeat of a settings file: anything but what is, or could be, a key."""

import json
import math
import re
from typing import Any

from gateway.settings.finding import Path

HIDDEN = "***"
LONGEST = 60  # characters of a value that a message repeats
PLAIN_KEY = re.compile(r"[\w./@-]+")
# The prefixes of the providers' keys, or 16 and more letters and digits in a row, of both kinds. Names have separators.
KEY_LIKE = re.compile(
    r"\b(sk|pk|rk|gsk|xai|hf|fw|nvapi|csk|pplx|r8|ghp|github_pat)[-_]\w|AIza|(?i:bearer )"
    r"|(?=[a-z]*[0-9])(?=[0-9]*[a-z])[a-z0-9]{16}",
    re.IGNORECASE,
)


def shown(value: Any, path: Path) -> str:
    """The value as it stands in a message."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "empty"
    if is_private(path):
        return HIDDEN
    if isinstance(value, str):
        return quoted(value)
    return json.dumps(value) if isinstance(value, bool | int) else number(value)


def quoted(text: str) -> str:
    """Text in double quotes, cut to a readable length; control characters stay escaped."""
    if KEY_LIKE.search(text):
        return HIDDEN
    short = text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
    return json.dumps(short, ensure_ascii=not short.isprintable())


def number(value: float) -> str:
    """The number as people write it: 0.5, 6, inf."""
    return f"{value:g}" if math.isfinite(value) else str(value)


def is_private(path: Path) -> bool:
    """True where a key belongs, or where a whole block was expected and a key may have been put instead."""
    if "api_key" in path or "headers" in path or "sha256" in path:
        return True
    return len(path) <= 2 and path[:1] in ((), ("keys",), ("providers",))


def dotted(path: Path) -> str:
    """("keys", 0, "name") as people write it: keys[0].name"""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = part if PLAIN_KEY.fullmatch(part) and len(part) <= LONGEST else quoted(part)
            text += ("." if text else "") + (HIDDEN if KEY_LIKE.search(part) else plain)
    return text
