"""What some client programs need and do not ask for."""

from typing import Literal

from gateway.wire.prompt import Prompt

Mode = Literal["asked", "known", "always"]

# OpenClaw shows its context from the usage of a stream and never asks custom providers for it. Its system prompt begins
# with this mark, its ClawRouter plugin sends this header. Source: recorded requests of OpenClaw 2026.9.6.
MARK = b"<!-- openclaw:"
HEADER = b"x-clawrouter-client"


def is_told_usage(prompt: Prompt, headers: list[tuple[bytes, bytes]], mode: Mode) -> bool:
    """Whether a stream ends with its usage: when asked for, and for a client that is known to need it."""
    if prompt.wants_usage or mode == "always":
        return True
    if mode == "asked" or not prompt.stream:
        return False
    return any(name == HEADER for name, _ in headers) or MARK in prompt.body
