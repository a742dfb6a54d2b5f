"""Names that were meant, and names that are ours."""

from collections.abc import Collection
from difflib import get_close_matches

# In place of a caller's key, and of a router, in receipts of calls that no caller has asked for. No router can be named
# so, no key may be.
SHADOW, JUDGE = "(shadow)", "(judge)"
MAX_LISTED = 12
MAX_COMPARED = 100  # characters; difflib's time grows with their square


def closest(word: str, known: Collection[str], alike: float = 0.6) -> str | None:
    """The known name that is most like `word`, whatever the case; None if none is `alike` (0-1) enough."""
    folded = {name.lower(): name for name in known}
    found = get_close_matches(word.lower()[:MAX_COMPARED], folded, 1, alike)
    return folded[found[0]] if found else None


def nearest(word: str, known: Collection[str]) -> str:
    """What was probably meant, else what there is."""
    name = closest(word, known)
    if name is not None:
        return f"did you mean {name}?"
    if len(known) > MAX_LISTED:
        return f"none of the {len(known)} that there are is like it"
    return f"there are: {', '.join(sorted(known))}"
