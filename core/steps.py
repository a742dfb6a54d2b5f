"""Where a request stands in an agent's work, from its structure and from the fixed sentences of known agents.

Sentences as their programs send them, read 2026-11: Claude Code 2.1 and Codex 0.169 ask for a summary when the context
is full, OpenClaw 2026.9 lets its agents look for work every half hour, and all of them start helpers of their own.
"""

from enum import IntEnum


class Step(IntEnum):
    """A request's place in an agent's work."""

    PLAIN = 0  # no agent
    FIRST_TURN = 1  # tools are offered, and somebody asked for something
    TOOL_LOOP = 2  # a tool has answered
    HEARTBEAT = 3  # nobody asked: the agent looks whether there is anything to do
    COMPACTION = 4  # the conversation is to be condensed, so that it fits
    SUB_AGENT = 5  # an agent's helper takes up its errand


STEP_NAMES = tuple(step.name.lower() for step in Step)
LOOKED_AT_BYTES = 1_000  # of the start of the text asked last, and of the conversation's opening
HEARTBEATS = (b"heartbeat.md", b"heartbeat_ok", b"[heartbeat]")
COMPACTIONS = (
    b"summary of the conversation so far",
    b"summary of our conversation",
    b"summarize the conversation",
    b"summarise the conversation",
    b"context checkpoint compaction",
    b"compact the conversation",
    b"prompt for continuing our conversation",
)
SUB_AGENTS = (b"you are a subagent", b"you are a sub-agent", b"# subagent context", b"you are an agent for ")


def step_of(last_role: str, tool_count: int, message_count: int, opening: bytes, focus: bytes) -> Step:
    """The step; opening, focus: raw JSON of the conversation's first text, b"" for none, and of what was asked last.

    Whoever has neither tools nor a conversation behind him is told without a look at his words.
    """
    if last_role in ("tool", "function"):
        return Step.TOOL_LOOP
    if not tool_count and message_count <= 2:
        return Step.PLAIN
    asked = focus[:LOOKED_AT_BYTES].lower()
    if any(mark in asked for mark in COMPACTIONS):
        return Step.COMPACTION
    if any(mark in asked for mark in HEARTBEATS):
        return Step.HEARTBEAT
    if not tool_count:
        return Step.PLAIN
    begun = opening[:LOOKED_AT_BYTES].lower()
    return Step.SUB_AGENT if any(mark in begun for mark in SUB_AGENTS) else Step.FIRST_TURN
