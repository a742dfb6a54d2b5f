"""What a simulated provider does not serve, it refuses in OpenAI's words."""

import json

import pytest

from gateway.simulator.spawn import SimulatorProcess
from tests.simulator.wire import Seen, ask, connect, post, read_reply

TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}


def error_of(seen: Seen) -> dict[str, object]:
    error: dict[str, object] = json.loads(seen.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


def send(port: int, body: bytes, path: str = "/v1/chat/completions", method: str = "POST") -> Seen:
    with connect(port) as caller:
        caller.sendall(post(path, body, {}, method))
        return read_reply(caller, Seen())


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"", None),
        (b"[]", None),
        (b'{"model":"sim/swift-mini"}', "messages"),
        (b'{"messages":[{"role":"user","content":"x"}]}', "model"),
        (b'{"model":"sim/swift-mini","messages":[]}', None),
        (b'{"model":"sim/swift-mini","messages":[{"role":"robot","content":"x"}]}', None),
        (b'{"model":"sim/swift-mini","messages":[{"role":"user","content":"x"}],"n":0}', "n"),
        (b'{"model":"sim/swift-mini","messages":[{"role":"user","content":"x"}],"stream":"yes"}', "stream"),
        (b'{"model":"sim/swift-mini","messages":[{"role":"user","content":"x"}],"models":["a"]}', "models"),
        (b'{"model":"sim/swift-mini","messages":[{"role":"user","content":"\xff"}]}', None),
    ],
)
def test_a_request_that_makes_no_sense_is_a_400(port: int, body: bytes, param: str | None) -> None:
    seen = send(port, body)
    assert seen.status == 400
    error = error_of(seen)
    assert error["type"] == "invalid_request_error"
    if param is not None:
        assert error["param"] == param


def test_an_unknown_model_is_a_404(port: int) -> None:
    seen = ask(port, model="sim/nobody")
    assert seen.status == 404
    assert error_of(seen)["code"] == "model_not_found"


def test_another_providers_name_for_a_model_is_unknown_here(simulator: SimulatorProcess) -> None:
    assert ask(simulator.ports["sim-delta"], model="sim/swift-mini").status == 404
    assert ask(simulator.ports["sim-delta"], model="swift-mini").status == 200


@pytest.mark.parametrize(
    ("model", "fields", "param"),
    [
        ("frugal-7b", {"tools": [TOOL]}, "tools"),
        ("frugal-7b", {"messages": PICTURE}, "messages"),
        ("slow-river", {"response_format": SCHEMA}, "response_format"),
        ("classic-base", {"response_format": {"type": "json_object"}}, "response_format"),
        ("classic-base", {"logprobs": True}, "logprobs"),
        ("swift-mini", {"response_format": {"type": "json_schema"}}, "response_format"),
        ("swift-mini", {"max_tokens": 20000}, "max_tokens"),
        ("swift-mini", {"tool_choice": "required"}, "tool_choice"),
        (
            "swift-mini",
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}},
            "tool_choice",
        ),
    ],
)
def test_what_a_model_cannot_do_is_refused(
    simulator: SimulatorProcess, model: str, fields: dict[str, object], param: str
) -> None:
    seen = ask(simulator.ports["sim-delta"], model=model, **fields)  # type: ignore[arg-type]
    assert seen.status == 400
    assert error_of(seen)["param"] == param


def test_a_prompt_over_the_window_says_how_long_it_was(simulator: SimulatorProcess) -> None:
    seen = ask(simulator.ports["sim-delta"], model="classic-base", text="word " * 8000)
    assert seen.status == 400
    assert error_of(seen)["code"] == "context_length_exceeded"
    assert "8192" in str(error_of(seen)["message"])


@pytest.mark.parametrize(
    "wish", ["F99", "F53;after=many", "F53;before=1", "F53;after", "OK;tokens=0", "sim-alpha=F00", "F09;delay=-1"]
)
def test_a_wish_that_cannot_be_read_says_why(port: int, wish: str) -> None:
    seen = ask(port, wish)
    assert seen.status == 400
    assert error_of(seen)["code"] == "invalid_simulation"


def test_unknown_paths_and_methods(port: int) -> None:
    assert send(port, b"", "/v2/nothing").status == 404
    assert send(port, b"", "/v1/chat/completions", "GET").status == 405
    assert send(port, b"", "/v1/models", "POST").status == 405
    assert send(port, b"", "/healthz", "GET").status == 200


def test_what_is_not_http_is_answered_in_plain_text_and_closed(port: int) -> None:
    """As TLS meets it: F04."""
    with connect(port) as caller:
        caller.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64))
        seen = read_reply(caller, Seen())
    assert seen.raw.startswith(b"HTTP/1.1 400 ")
