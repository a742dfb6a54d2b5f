"""What the caller hears when no candidate answered."""

from collections.abc import Mapping, Sequence

from gateway.errors import (
    ContextTooLong,
    GatewayError,
    NothingEligible,
    Overloaded,
    PayloadTooLarge,
    UnknownModel,
    UpstreamExhausted,
)
from gateway.execution.health import Cooldown
from gateway.providers.faults import SLOW_TO_RETURN, Fault, FaultKind

CUT_SHORT = "; the others were not asked, for too many requests are failing now"


def exhausted(
    failures: Sequence[tuple[str, Fault]],
    cooling: Mapping[str, Cooldown],
    now: float,
    is_pinned: bool = False,
    is_cut_short: bool = False,
    out_seconds: float | None = None,
) -> GatewayError:
    """What the caller is told when every candidate failed or must not be asked now.

    cooling: by target. is_pinned: the caller named the models, so one that is gone is for him to change.
    is_cut_short: there were more to ask, but too many requests are failing for each to ask them all.
    out_seconds: until the first of those that have failed of late may be asked again; None when none was spared.
    """
    kinds = {fault.kind for _, fault in failures} | {cooldown.kind for cooldown in cooling.values()}
    told = in_words(failures, cooling, now) + (CUT_SHORT if is_cut_short else "")
    retry_after = least_wait(failures, cooling, now)
    if FaultKind.CONTEXT_TOO_LONG in kinds:
        return ContextTooLong(f"The request is longer than every candidate's context window. {told}")
    if kinds == {FaultKind.LOSS}:
        return NothingEligible(
            f"No candidate's format can say all of the request, and this router loses nothing. {told}"
        )
    if kinds == {FaultKind.TOO_LARGE}:
        return PayloadTooLarge(f"The request is larger than every candidate takes. {told}")
    if not kinds and out_seconds is not None:
        return Overloaded(
            "Every candidate has failed of late, and other requests find out whether that is over.",
            retry_after_seconds=max(out_seconds, 1.0),
        )
    if not kinds:  # nobody was asked, and nobody kept out
        return UpstreamExhausted("No time was left to ask anybody.", status=504, code="upstream_timeout")
    if not kinds - {FaultKind.RATE_LIMITED}:
        error: GatewayError = UpstreamExhausted(
            f"Rate limit reached at every candidate; try again later. {told}",
            status=429,
            code="rate_limit_exceeded",
            retry_after_seconds=retry_after or 1.0,
        )
        error.type = "rate_limit_error"
        return error
    if kinds == {FaultKind.QUOTA_EXHAUSTED}:
        return UpstreamExhausted(
            f"The account with every candidate's provider is used up. {told}", code="upstream_quota_exhausted"
        )
    if not kinds - {FaultKind.CREDENTIALS, FaultKind.PERMISSION, FaultKind.QUOTA_EXHAUSTED}:
        return UpstreamExhausted(f"No candidate accepts our credentials. {told}", code="upstream_credentials_exhausted")
    if kinds == {FaultKind.MODEL_GONE}:
        unknown = f"No candidate's provider knows the model. {told}"
        return UnknownModel(unknown) if is_pinned else UpstreamExhausted(unknown, code="upstream_model_gone")
    if kinds & {FaultKind.OVERLOADED, FaultKind.RATE_LIMITED} or retry_after is not None:
        return Overloaded(f"Every candidate failed or is cooling down. {told}", retry_after_seconds=retry_after or 5.0)
    timeouts = {FaultKind.HEADER_TIMEOUT, FaultKind.FIRST_TOKEN_TIMEOUT, FaultKind.TOTAL_TIMEOUT}
    if not kinds - timeouts - {FaultKind.CONNECT_TIMEOUT}:
        return UpstreamExhausted(f"No candidate answered in time. {told}", status=504, code="upstream_timeout")
    return UpstreamExhausted(f"Every candidate failed. {told}")


def least_wait(failures: Sequence[tuple[str, Fault]], cooling: Mapping[str, Cooldown], now: float) -> float | None:
    """Seconds after which asking again may help; None when nobody has stated a wait that ends the fault."""
    stated = [fault.wait_seconds for _, fault in failures if fault.kind not in SLOW_TO_RETURN]
    cooled = [cooldown.until - now for cooldown in cooling.values() if cooldown.kind not in SLOW_TO_RETURN]
    return min([*(wait for wait in stated if wait is not None), *cooled], default=None)


def in_words(failures: Sequence[tuple[str, Fault]], cooling: Mapping[str, Cooldown], now: float) -> str:
    """Target by target what happened, or why it was not asked."""
    said = [f"{target}: {fault.kind.value}: {fault.message}" for target, fault in failures]
    failed = {target for target, _ in failures}
    kept = [
        f"{target}: {cooldown.kind.value} before, not asked again for {cooldown.until - now:.0f} s"
        for target, cooldown in cooling.items()
        if target not in failed
    ]
    return "; ".join([*said, *kept])
