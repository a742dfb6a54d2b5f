"""Shapes of provider streams, `tests/fixtures/streams/x.sse` with `x.json`, and what a relay makes of them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from openai._streaming import SSEDecoder

from gateway.dialects.relay import StreamRelay

FOLDER = Path(__file__).parent.parent / "fixtures" / "streams"
NAMES = sorted(path.stem for path in FOLDER.glob("*.sse"))


def stream(name: str) -> bytes:
    return (FOLDER / f"{name}.sse").read_bytes()


def expected(name: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return facts


def relayed(pieces: Iterable[bytes], wants_usage: bool = True, choices: int = 1) -> tuple[StreamRelay, bytes]:
    """The relay after the whole stream, and everything that the caller got; a broken answer has no closing frames."""
    relay = StreamRelay(wants_usage, choices=choices)
    out = b"".join([relay.feed(piece) for piece in pieces])
    relay.end()
    return relay, out + relay.closing(None) if relay.complete else out


def facts(relay: StreamRelay) -> dict[str, Any]:
    """Everything that a relay tells about a stream."""
    usage = relay.usage
    counts = None
    if usage is not None:
        counts = [usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens, usage.output_tokens]
        counts.append(usage.reasoning_tokens)
    return {
        "usage": counts,
        "started": relay.started,
        "complete": relay.complete,
        "empty": relay.empty,
        "done": relay.done,
        "malformed": relay.malformed,
        "error": None if relay.error is None else json.loads(relay.error),
        "finish": relay.finish,
        "model": relay.provider_model,
        "estimate": relay.output_tokens_estimate,
        "oversized": relay.oversized,
    }


def payloads(out: bytes) -> list[str]:
    """The data of every event, by the official SDK's decoder."""
    return [event.data for event in SSEDecoder().iter_bytes(iter([out]))]


def chunks(out: bytes) -> list[dict[str, Any]]:
    return [json.loads(data) for data in payloads(out) if data != "[DONE]"]


def said(out: bytes, index: int = 0) -> dict[str, Any]:
    """What a client makes of the events: the texts of one choice joined, its tool calls put together, every finish."""
    heard: dict[str, Any] = {"text": "", "reasoning": "", "tools": [], "finish": {}}
    calls: dict[int, list[str]] = {}
    for chunk in chunks(out):
        for choice in chunk["choices"]:
            if choice.get("finish_reason"):
                assert str(choice["index"]) not in heard["finish"], "two finishes of one choice"
                heard["finish"][str(choice["index"])] = choice["finish_reason"]
            if choice.get("index", 0) == index:
                listen(heard, calls, choice.get("delta") or {})
    heard["tools"] = [calls[number] for number in sorted(calls)]
    return heard


def listen(heard: dict[str, Any], calls: dict[int, list[str]], delta: dict[str, Any]) -> None:
    heard["text"] += delta.get("content") or ""
    heard["reasoning"] += delta.get("reasoning_content") or delta.get("reasoning") or ""
    for call in delta.get("tool_calls") or ():
        known = calls.setdefault(call["index"], ["", ""])
        known[0] += call["function"].get("name") or ""
        known[1] += call["function"].get("arguments") or ""
