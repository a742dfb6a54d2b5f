"""A stream ends with its usage for who asks, and for clients that need it and do not ask."""

import pytest

from gateway.dialects.formats import CHAT
from gateway.server.clients import Mode, is_told_usage
from tests.running import Gateway

PLAIN = b'{"model":"auto","stream":true,"messages":[{"role":"user","content":"hi"}]}'
OPENCLAW = b'{"model":"auto","stream":true,"messages":[{"role":"system","content":"<!-- openclaw:attempt:STABLE -->"}]}'
ASKED = b'{"stream_options":{"include_usage":true},' + PLAIN[1:]
PLUGIN = [(b"x-clawrouter-client", b"openclaw")]


@pytest.mark.parametrize(
    ("body", "headers", "modes"),
    [
        (PLAIN, [], {"always"}),
        (ASKED, [], {"asked", "known", "always"}),
        (OPENCLAW, [], {"known", "always"}),
        (PLAIN, PLUGIN, {"known", "always"}),
    ],
    ids=["a client", "one that asks", "OpenClaw", "OpenClaw's plugin"],
)
@pytest.mark.parametrize("mode", ["asked", "known", "always"])
def test_who_is_told(body: bytes, headers: list[tuple[bytes, bytes]], modes: set[str], mode: Mode) -> None:
    assert is_told_usage(CHAT.parse(body, "auto"), headers, mode) == (mode in modes)


def test_openclaw_gets_exactly_one_usage(keyless: Gateway) -> None:
    json_type = {"content-type": "application/json"}
    for body, told in ((PLAIN, 0), (OPENCLAW, 1), (ASKED, 1)):
        text = keyless.http.post("/v1/chat/completions", content=body, headers=json_type).text
        assert text.count('"prompt_tokens"') == told
        assert text.count("[DONE]") == 1
