"""Marks of what the provider should keep in its cache, in both directions."""

from msgspec import UNSET, UnsetType

from gateway.dialects.chat.request_schema import CacheBreakpoint, CacheControl
from gateway.dialects.chat.target import Target
from gateway.dialects.losses import Losses
from gateway.wire.conversation import CacheMark

HOUR = 3600


def mark_of(control: CacheControl | None, breakpoint_: CacheBreakpoint | None) -> CacheMark | None:
    """Anthropic's mark or OpenAI's. OpenAI's lifetimes are 30 minutes and 12 hours; an hour is nearest to either."""
    if control is not None:
        return CacheMark(HOUR) if control.ttl == "1h" else CacheMark()
    if breakpoint_ is not None:
        return CacheMark(HOUR) if breakpoint_.ttl else CacheMark()
    return None


def control_of(mark: CacheMark | None, target: Target, losses: Losses) -> CacheControl | UnsetType:
    """`cache_control` where the target knows it; the others find common prefixes by themselves."""
    if mark is None:
        return UNSET
    if not target.takes("cache_control"):
        losses.add("cache_control", "the provider caches prompts by itself, without marks")
        return UNSET
    return CacheControl("ephemeral", "1h" if mark.seconds >= HOUR else None)
