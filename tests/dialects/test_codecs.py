"""What every codec has in common, whatever the two formats."""

import json
import tracemalloc
from typing import Any

import pytest

from gateway.dialects.codec import Asked, Identity, Relay
from gateway.dialects.codecs import CODECS, codec_of
from gateway.dialects.contract import Inbound
from gateway.dialects.formats import CHAT, MESSAGES, RESPONSES

HELLO: dict[str, dict[str, Any]] = {
    "openai_chat": {"messages": [{"role": "user", "content": "hi"}]},
    "openai_responses": {"input": "hi"},
    "anthropic_messages": {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]},
}
ANSWERS: dict[str, dict[str, Any]] = {
    "openai_chat": {
        "id": "c1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "word"}, "finish_reason": "stop"}],
    },
    "openai_responses": {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "output": [
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "word", "annotations": []}],
            }
        ],
    },
    "anthropic_messages": {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "content": [{"type": "text", "text": "word"}],
        "stop_reason": "end_turn",
    },
}
EVENTS = (*ANSWERS, "gemini", "cohere_v2")  # formats whose streams are server-sent events
PAIRS = [(inbound, name) for inbound, name in CODECS if name in EVENTS and inbound in (CHAT, RESPONSES, MESSAGES)]
EQUALS = [pair for pair in PAIRS if pair[0].name == pair[1]]


def name_of(value: Inbound | str) -> str:
    return value if isinstance(value, str) else value.name


def asked(inbound: Inbound) -> Asked:
    body = json.dumps({"model": "m", "stream": True, **HELLO[inbound.name]}).encode()
    return Asked(inbound.parse(body, "m"), inbound, Identity("dec_1", 7))


def relay_of(inbound: Inbound, outbound: str) -> Relay:
    return codec_of(inbound, outbound).relay(asked(inbound), "m")


@pytest.mark.parametrize(("inbound", "outbound"), EQUALS, ids=name_of)
def test_an_end_that_is_told_twice_loses_nothing(inbound: Inbound, outbound: str) -> None:
    relay = relay_of(inbound, outbound)
    body = json.dumps(ANSWERS[outbound]).encode()
    told = [relay.feed(body[:20]), relay.feed(body[20:])]
    relay.end()
    relay.end()
    told.append(relay.closing(None))
    assert relay.complete
    assert b'"word"' in b"".join(told)


@pytest.mark.parametrize("before", [b"", b"what is no field\n\n"], ids=["alone", "behind_rubbish"])
@pytest.mark.parametrize(("inbound", "outbound"), PAIRS, ids=name_of)
def test_a_long_event_is_not_copied_with_each_piece(inbound: Inbound, outbound: str, before: bytes) -> None:
    relay = relay_of(inbound, outbound)
    relay.feed(before + b'data: {"x": "' + b"x" * 2**20)
    relay.feed(b"x" * 1_000)  # from here on there is room in the buffer for what follows
    tracemalloc.start()
    try:
        relay.feed(b"x")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not relay.oversized
    assert peak_bytes < 2**17


@pytest.mark.parametrize(("inbound", "outbound"), [pair for pair in PAIRS if pair[1] in ANSWERS], ids=name_of)
def test_the_estimate_is_of_bytes_whatever_the_script(inbound: Inbound, outbound: str) -> None:
    answer = json.dumps(ANSWERS[outbound], ensure_ascii=False).replace("word", "語" * 100)
    facts, _ = codec_of(inbound, outbound).answer(answer.encode(), asked(inbound), "m")
    assert facts.output_tokens_estimate >= 75
    relay = relay_of(inbound, outbound)
    relay.feed_answer(answer.encode())
    assert relay.output_tokens_estimate >= 75
