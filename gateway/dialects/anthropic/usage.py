"""Usage in this format and ours. Here `input_tokens` leaves out what the cache read and wrote; ours includes both."""

from msgspec import Struct

from gateway.dialects.anthropic.events import UsageMember
from gateway.wire.delta import Usage


class RunningUsage:
    """Adds up what a stream reports at its start and its end."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self._input = UsageMember()
        self._output_tokens = 0
        self._thinking_tokens = 0

    def take(self, report: UsageMember | None) -> Usage | None:
        """The totals after this report; None where it says nothing."""
        if report is None:
            return None
        # Every report is a running total. A last one that counts the output only must not undo the input, and some
        # hosts put zeros there.
        if report.input_tokens or report.cache_read_input_tokens or report.cache_creation_input_tokens:
            self._input = later(self._input, report)
        self._output_tokens = report.output_tokens or self._output_tokens
        if report.output_tokens_details is not None:
            self._thinking_tokens = report.output_tokens_details.thinking_tokens or self._thinking_tokens
        self.usage = self._total()
        return self.usage

    def _total(self) -> Usage:
        counted = self._input
        read, written = counted.cache_read_input_tokens or 0, counted.cache_creation_input_tokens or 0
        kept_long = counted.cache_creation.ephemeral_1h_input_tokens if counted.cache_creation else 0
        return Usage(
            input_tokens=(counted.input_tokens or 0) + read + written,
            cached_tokens=read,
            cache_write_tokens=written,
            cache_write_1h_tokens=kept_long or 0,
            output_tokens=self._output_tokens,
            reasoning_tokens=self._thinking_tokens,
        )


def later(before: UsageMember, report: UsageMember) -> UsageMember:
    """Member by member: what the later report leaves out stays."""

    def pick(new: int | None, old: int | None) -> int | None:
        return old if new is None else new

    return UsageMember(
        pick(report.input_tokens, before.input_tokens),
        pick(report.cache_creation_input_tokens, before.cache_creation_input_tokens),
        pick(report.cache_read_input_tokens, before.cache_read_input_tokens),
        report.cache_creation or before.cache_creation,
    )


class CacheCreationOut(Struct, frozen=True):
    ephemeral_5m_input_tokens: int
    ephemeral_1h_input_tokens: int


class OutputTokensDetailsOut(Struct, frozen=True):
    thinking_tokens: int


class UsageOut(Struct, frozen=True, omit_defaults=True):
    """`usage` as every client expects it: the first four members are always there."""

    input_tokens: int
    cache_creation_input_tokens: int
    cache_read_input_tokens: int
    output_tokens: int
    cache_creation: CacheCreationOut | None = None
    output_tokens_details: OutputTokensDetailsOut | None = None
    estimated: bool = False  # ours: nobody but us counted


def usage_out(usage: Usage | None) -> UsageOut:
    """Zeros where nobody counted: clients insist on numbers."""
    if usage is None:
        return UsageOut(0, 0, 0, 0)
    written, kept_long = usage.cache_write_tokens, usage.cache_write_1h_tokens
    return UsageOut(
        input_tokens=max(usage.input_tokens - usage.cached_tokens - written, 0),
        cache_creation_input_tokens=written,
        cache_read_input_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
        cache_creation=CacheCreationOut(max(written - kept_long, 0), kept_long) if written else None,
        output_tokens_details=OutputTokensDetailsOut(usage.reasoning_tokens) if usage.reasoning_tokens else None,
        estimated=usage.estimated,
    )
