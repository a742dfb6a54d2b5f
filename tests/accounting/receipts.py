"""Receipts to test with."""

from msgspec.structs import replace

from gateway.accounting.receipt import AttemptRecord, Receipt
from gateway.wire.delta import Usage

TYPICAL = Receipt(
    id="dec_1",
    time=1_764_000_000.0,
    key="team",
    router="auto",
    dialect="openai_chat",
    requested="auto",
    target="openai/gpt-5-mini@openai",
    model="openai/gpt-5-mini",
    provider="openai",
    status=200,
    outcome="ok",
    stream=False,
    fallback=True,
    usage=Usage(input_tokens=412, cached_tokens=128, output_tokens=180, reasoning_tokens=64),
    cost_nano_usd=463_000,
    cost_estimated=False,
    carbon_g=0.25,
    seconds=0.84,
    first_token_seconds=0.31,
    overhead_seconds=0.0004,
    task="code_generation",
    session="s1",
    catalog_version="2026-11-22",
    attempts=(
        AttemptRecord("meta-llama/llama-3.3-70b@groq", "failed", 0.05, status=429, fault="rate_limited"),
        AttemptRecord("openai/gpt-5-mini@openai", "ok", 0.79, first_token_seconds=0.26, status=200),
    ),
)


def a_receipt(id: str = "dec_1", **changes: object) -> Receipt:  # noqa: A002
    """A typical receipt, changed where a test cares."""
    return replace(TYPICAL, id=id, **changes)
