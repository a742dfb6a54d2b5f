"""A reply as a list of steps: what to write, how long to wait, how to part. Pure; `connection` carries it out."""

import enum
from collections.abc import Iterator
from typing import NamedTuple


class Send(NamedTuple):
    """Write `data`. `tokens` of output travel in it, and are billed once it is written."""

    data: bytes
    tokens: int = 0


class Wait(NamedTuple):
    """Write nothing for `seconds`; 0 lets the loop turn once, so that what was written goes out on its own."""

    seconds: float


class End(enum.Enum):
    """How a reply ends. Running out of steps is KEEP."""

    KEEP = enum.auto()  # complete; the connection serves the next request
    CLOSE = enum.auto()  # complete; FIN after everything has been written
    CUT = enum.auto()  # not complete; FIN after everything has been written
    RESET = enum.auto()  # RST
    HOLD = enum.auto()  # neither write nor close until the peer does
    DOOM = enum.auto()  # complete, looks kept alive, and closes as soon as the next request arrives


Step = Send | Wait | End
Steps = Iterator[Step]

TURN = Wait(0.0)
