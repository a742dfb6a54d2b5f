"""An answer without content is none, whatever format it is in: another target answers."""

import pytest

from gateway.dialects.contract import Inbound
from gateway.dialects.formats import CHAT, COMPLETIONS, GEMINI, MESSAGES, RESPONSES
from gateway.live import Snapshot
from tests.execution.providers import simulated
from tests.execution.spine import opened, snapshot_of

BASES = {"openai_chat": "/v1", "openai_responses": "/v1", "anthropic_messages": "/v1", "gemini": "/v1beta"}
MESSAGE = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 300}
CALLERS: dict[Inbound, dict[str, object]] = {
    CHAT: MESSAGE,
    COMPLETIONS: {"prompt": "hello", "max_tokens": 300},
    RESPONSES: {"input": "hello", "max_output_tokens": 300},
    MESSAGES: MESSAGE,
    GEMINI: {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]},
}
# Gemini's callers ask for a stream by the URL.
WAYS = [(caller, stream) for caller in CALLERS for stream in (False, True) if not (stream and caller is GEMINI)]


def two_hosts(dialect: str, fault: str, empty: int, good: int) -> Snapshot:
    """A model at a server of this format whose answers are empty, and, dearer, at one that is well."""
    providers = {
        "empty": {
            "base_url": f"http://127.0.0.1:{empty}{BASES[dialect]}",
            "dialect": dialect,
            "models": [{"id": "own/model", "upstream_name": f"sim/swift-mini:{fault}", "input_price_usd": 0.1}],
        },
        "good": {
            "base_url": f"http://127.0.0.1:{good}/v1",
            "models": [{"id": "own/model", "upstream_name": "sim/swift-mini", "input_price_usd": 9}],
        },
    }
    return snapshot_of({}, providers=providers, router={"weights": {"cost": 1}})


@pytest.mark.parametrize("dialect", BASES)
@pytest.mark.parametrize("fault", ["F39", "F39;v=null"])
async def test_an_answer_without_content_is_answered_by_another_target(dialect: str, fault: str) -> None:
    async with simulated("sim-alpha", "sim-bravo") as sim:
        for caller, stream in WAYS:
            snapshot = two_hosts(dialect, fault, sim.ports["sim-alpha"], sim.ports["sim-bravo"])
            async with opened(snapshot) as spine:
                document = {"model": "own/model", **({"stream": True} if stream else {}), **CALLERS[caller]}
                reply = await spine.ask(inbound=caller, document=document)
                [receipt] = spine.receipts
            assert reply.status == 200
            assert [one.target for one in receipt.attempts] == ["own/model@empty", "own/model@good"], (caller, stream)
            assert receipt.attempts[0].fault in ("empty_answer", "broken_answer", "stream_cut")
