"""What a caller wishes of the choice, in OpenRouter's words: its `provider` member and model suffixes.

Source: OpenRouter's API reference, "Provider Routing", read 2026-11-22.
"""

from typing import Literal

from msgspec import Struct

Sort = Literal["price", "throughput", "latency", "exacto"]


class SortBy(Struct, frozen=True):
    by: Sort


class MaxPrice(Struct, frozen=True):
    """USD per million tokens. OpenRouter's clients send numbers and strings of digits."""

    prompt: float | str | None = None
    completion: float | str | None = None


class Wishes(Struct, frozen=True):
    """Providers go by our names for them, whatever the case."""

    order: tuple[str, ...] = ()  # tried first, as written
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    allow_fallbacks: bool = True  # false: nobody but those in `order`; without it, one attempt
    sort: Sort | SortBy | None = None
    max_price: MaxPrice | None = None
    require_parameters: bool = False  # nobody who would lose something of the request
    unheeded: tuple[str, ...] = ()  # ours: members that ask for what cannot be known here, such as "zdr"

    @property
    def sorted_by(self) -> str:
        """price, throughput, latency or "" """
        sort = self.sort.by if isinstance(self.sort, SortBy) else self.sort
        return "" if sort in (None, "exacto") else str(sort)
