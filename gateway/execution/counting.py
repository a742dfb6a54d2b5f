"""How many tokens a target counts for each that we count: learned from whole streams, used for those that broke off.

Our own count takes a piece of a stream, or four bytes, for a token. Tokenizers, languages and what is added to prompts
differ, each target in its own way.
"""

from msgspec import Struct
from msgspec.structs import replace

from gateway.wire.delta import Usage

PRIOR_TOKENS = 200.0  # for which our own count is believed, before the target's have come
KEPT = 0.99  # of what is known, with each stream: the latest hundred count
MOST = 4.0  # times our own count, or a fraction of it


class Counted(Struct, gc=False):
    """Tokens of the latest streams, read and written: by the target, and by us."""

    read: float = PRIOR_TOKENS
    read_by_us: float = PRIOR_TOKENS
    written: float = PRIOR_TOKENS
    written_by_us: float = PRIOR_TOKENS


class Counting:
    """The counts of all targets of one snapshot, by column."""

    def __init__(self) -> None:
        self._counted: dict[int, Counted] = {}

    def heard(self, column: int, theirs: Usage, ours: Usage) -> None:
        """A stream came to its end. Reasoning that nobody was shown is not in our count, so it is left out."""
        known = self._counted.get(column)
        if known is None:
            known = self._counted[column] = Counted()
        known.read = KEPT * known.read + theirs.input_tokens
        known.read_by_us = KEPT * known.read_by_us + ours.input_tokens
        known.written = KEPT * known.written + theirs.output_tokens - theirs.reasoning_tokens
        known.written_by_us = KEPT * known.written_by_us + ours.output_tokens

    def corrected(self, column: int, ours: Usage) -> Usage:
        """Our own count, as the target would have it."""
        known = self._counted.get(column)
        if known is None:
            return ours
        return replace(
            ours,
            input_tokens=scaled(ours.input_tokens, known.read, known.read_by_us),
            output_tokens=scaled(ours.output_tokens, known.written, known.written_by_us),
        )

    def adopt(self, column: int, old: "Counting", before: int) -> None:
        """Take over what an earlier snapshot knew of the same target, `before` there."""
        if before in old._counted:
            self._counted[column] = old._counted[before]


def scaled(tokens: int, theirs: float, ours: float) -> int:
    return round(tokens * min(max(theirs / ours, 1.0 / MOST), MOST))
