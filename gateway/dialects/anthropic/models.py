"""What the generations of Claude accept, read from a model's name. Any other maker's model counts as unknown.

Sources, read 2026-11-23: anthropics/skills, claude-api/references (thinking-effort, common-pitfalls,
mid-conversation-system-messages); platform.claude.com, "What's new in Claude Sonnet 5.5", "Effort",
"Structured outputs".
"""

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

# claude-opus-4-7, anthropic.claude-sonnet-4-5-20250929-v1:0, claude-3-7-sonnet@20250219, anthropic/claude-opus-4.6
NAME = re.compile(
    r"claude-(?:(?P<line>[a-z]+)-(?P<version>\d+(?:[-.]\d{1,2}(?!\d))?)|(?P<old>\d(?:[-.]\d(?!\d))?)-(?P<kind>[a-z]+))"
)
ALWAYS_THINKING = ("fable", "mythos")

Off = Literal["omitted", "disabled", "between_tools", "never"]


class Abilities(Struct, frozen=True):
    """What one model takes. The defaults are those of a model of which nothing is known but this format."""

    is_claude: bool = False
    adaptive: bool = False  # thinking {"type": "adaptive"}
    budget: bool = True  # thinking {"type": "enabled"}
    on_by_default: bool = False  # thinks when nothing is said
    off: Off = "omitted"  # how thinking is turned off
    efforts: tuple[str, ...] = ()  # values of output_config.effort, the least first
    sampling: bool = True  # temperature, top_p, top_k
    both_sampling: bool = True  # temperature and top_p in one request
    schema: bool = True  # output_config.format and strict tools
    system_turns: bool = False  # role "system" inside `messages`
    prefill: bool = True  # a last message of the assistant
    max_output_tokens: int = 4_096  # that every model of its generation allows


@lru_cache(maxsize=512)
def abilities_of(model: str) -> Abilities:
    """By the provider's name for the model, with or without vendor, date and region around it."""
    found = NAME.search(model.lower())
    if found is None:
        return Abilities()
    line = found["line"] or found["kind"]
    major, _, minor = (found["version"] or found["old"]).replace(".", "-").partition("-")
    return claude(line, (int(major), int(minor or 0)))


def claude(line: str, version: tuple[int, int]) -> Abilities:
    thinks_always = line in ALWAYS_THINKING or (line == "opus" and version >= (5, 5))
    return Abilities(
        is_claude=True,
        adaptive=version >= (4, 6),
        budget=(3, 7) <= version < (4, 7),
        on_by_default=thinks_always or version >= (5, 0),
        off=off_switch(line, version, thinks_always),
        efforts=efforts_of(line, version),
        sampling=version < (4, 7),
        both_sampling=version < (4, 1),
        schema=version >= (4, 5),
        # Sonnet 5 does, after some versions of the documentation; Claude Code stopped relying on it (2.1.201).
        system_turns=version >= (4, 8) and (line, version) != ("sonnet", (5, 0)),
        prefill=version < (4, 6),
        max_output_tokens=32_000 if version >= (4, 0) else 4_096,
    )


def off_switch(line: str, version: tuple[int, int], thinks_always: bool) -> Off:
    if version < (4, 6):
        return "omitted"
    if line == "sonnet" and version >= (5, 5):
        return "between_tools"
    return "never" if thinks_always or version >= (5, 5) else "disabled"


def efforts_of(line: str, version: tuple[int, int]) -> tuple[str, ...]:
    if version >= (4, 7):
        return ("low", "medium", "high", "xhigh", "max")
    if version == (4, 6):
        return ("low", "medium", "high", "max")
    return ("low", "medium", "high") if (line, version) == ("opus", (4, 5)) else ()
