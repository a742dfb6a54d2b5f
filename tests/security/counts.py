"""How often a check is repeated: seldom as part of all tests, in full with `make security`."""

import os

VARIABLE = "STEELYARD_SECURITY"
IS_FULL = os.environ.get(VARIABLE) == "full"


def count(usual: int, full: int) -> int:
    """The number for this run."""
    return full if IS_FULL else usual
