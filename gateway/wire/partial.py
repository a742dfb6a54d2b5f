"""What a caller may rely on when a stream breaks off: the member `partial` of the error that ends it."""

from msgspec import Raw, Struct


class Partial(Struct, frozen=True):
    """How much came, what it cost, and whether it can be gone on from."""

    output_tokens: int  # delivered to the caller
    estimated: bool  # the tokens are our own count
    cost_usd: Raw | None  # so far: a JSON number, exact to the nano-dollar; null when no price is known
    fault: str  # why it broke off, a `providers.faults.FaultKind`
    resumable: bool  # what came is plain text, and another model can go on from it
    why_not: str | None  # null when it is resumable
    next_target: str | None  # who would be asked next; null when nobody is left
