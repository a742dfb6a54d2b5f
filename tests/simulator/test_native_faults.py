"""Faults in the native formats: the same misbehaviour as in Chat Completions, in the words of each."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Struct

from gateway.simulator.faults.table import FAULTS
from gateway.simulator.spawn import SimulatorProcess
from tests.simulator.wire import Seen, ask, connect, post, read_reply

SCHEMA = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
FUNCTION = {"name": "lookup", "parameters": SCHEMA}
MESSAGES = [{"role": "user", "content": "hello"}]


class Native(Struct, frozen=True):
    """How one format is asked, and where it says what."""

    name: str
    path: str
    body: dict[str, Any]
    tool: dict[str, Any]  # members that offer a tool
    ending: bytes  # in the last event of a stream
    usage: bytes  # the member that tells of it
    message: Callable[[Any], str]  # of an error document
    broken: Callable[[Any], str]  # the message of a stream's error event


NATIVES = [
    Native(
        "openai_responses",
        "/v1/responses",
        {"input": "hello"},
        {"tools": [{"type": "function", **FUNCTION}]},
        b"response.completed",
        b'"output_tokens"',
        lambda document: document["error"]["message"],
        lambda event: event["message"],
    ),
    Native(
        "anthropic_messages",
        "/v1/messages",
        {"messages": MESSAGES, "max_tokens": 900},
        {"tools": [{"name": "lookup", "input_schema": SCHEMA}]},
        b"message_stop",
        b'"output_tokens"',
        lambda document: document["error"]["message"],
        lambda event: event["error"]["message"],
    ),
    Native(
        "gemini",
        "/v1beta/models/sim/coder-pro:{method}",
        {"contents": [{"parts": [{"text": "hello"}]}]},
        {"tools": [{"functionDeclarations": [{"name": "lookup", "parametersJsonSchema": SCHEMA}]}]},
        b"",
        b'"usageMetadata"',
        lambda document: document["error"]["message"],
        lambda event: event["error"]["message"],
    ),
    Native(
        "cohere_v2",
        "/v2/chat",
        {"messages": MESSAGES},
        {"tools": [{"type": "function", "function": FUNCTION}]},
        b"message-end",
        b'"usage"',
        lambda document: document["message"],
        lambda event: event["delta"]["error"],
    ),
    Native(
        "ollama",
        "/api/chat",
        {"messages": MESSAGES},
        {"tools": [{"type": "function", "function": FUNCTION}]},
        b'"done":true',
        b'"eval_count"',
        lambda document: document["error"],
        lambda event: event["error"],
    ),
    Native(
        "openai_completions",
        "/v1/completions",
        {"prompt": "hello", "stream_options": {"include_usage": True}},
        {},
        b"[DONE]",
        b'"completion_tokens"',
        lambda document: document["error"]["message"],
        lambda event: event["error"]["message"],
    ),
]
# One spec for each fault that ends by itself, is not of the port and leaves nothing to chance; all small.
SMALL = {"F41": ";mb=1", "F42": ";mb=1", "F43": ";n=1", "F65": ";mb=1", "F72": ";n=70", "F09": ";delay=1"}
SMALL |= {"F10": ";gap=0", "F49": ";gap=0", "F73": ";gap=0", "F80": ";pr=1", "F83": ";gap=0", "F84": ";delay=1"}
SILENT = {"F01", "F03", "F08", "F56", "F57", "F58", "F66", "F74"}
SPECS = [f"{number};tokens=4{SMALL.get(number, '')}" for number in FAULTS if number not in SILENT]


@pytest.fixture(params=NATIVES, ids=lambda native: native.name)
def native(request: pytest.FixtureRequest) -> Native:
    found: Native = request.param
    return found


def send(simulator: SimulatorProcess, native: Native, fault: str, stream: bool = True, **more: object) -> Seen:
    body: dict[str, Any] = {**native.body, **more}
    if native.name != "gemini":
        body |= {"model": "sim/coder-pro", "stream": stream}
    path = native.path.format(method="streamGenerateContent?alt=sse" if stream else "generateContent")
    headers = {"x-steelyard-simulate": fault, "anthropic-version": "2023-06-01"}
    with connect(simulator.ports["sim-alpha"]) as caller:
        caller.sendall(post(path, json.dumps(body).encode(), headers))
        return read_reply(caller, Seen())


def payloads(body: bytes) -> list[bytes]:
    """Data of events by the book of SSE, or lines, whatever they end in."""
    text = body.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"data:" not in text:
        return [line for line in text.split(b"\n") if line]
    events = [event.split(b"\n") for event in text.split(b"\n\n")]
    data = [[line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")] for lines in events]
    return [b"\n".join(lines) for lines in data if lines]


def documents(seen: Seen) -> list[Any]:
    return [json.loads(payload) for payload in payloads(seen.body) if payload != b"[DONE]"]


def without_identity(text: bytes, seen: Seen) -> bytes:
    """The same for every reply to one request."""
    number = seen.header("x-request-id").encode().rpartition(b"-")[2]
    return text.replace(number, b"")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_every_fault_has_the_status_and_the_end_that_it_has_in_chat(simulator: SimulatorProcess, stream: bool) -> None:
    for spec in SPECS:
        chat = ask(simulator.ports["sim-alpha"], spec, model="sim/coder-pro", stream=stream)
        for native in NATIVES:
            seen = send(simulator, native, spec, stream)
            assert (native.name, spec, seen.status, seen.ending) == (native.name, spec, chat.status, chat.ending)


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ("F11", 429, "Please try again in 7s"),
        ("F17", 429, "exceeded your current quota"),
        ("F19", 402, "Insufficient credits"),
        ("F20", 400, "credit balance"),
        ("F21;v=quiet", 401, "API key"),
        ("F22", 403, "access"),
        ("F23", 404, "deprecated"),
        ("F25", 413, "maximum"),
        ("F26", 400, "does not like"),
        ("F29", 500, "error"),
        ("F31", 503, "unavailable"),
        ("F33", 529, "Overloaded"),
        ("F99", 400, "no fault 'F99'"),
    ],
)
def test_an_error_has_the_shape_of_the_format(
    simulator: SimulatorProcess, native: Native, fault: str, status: int, words: str
) -> None:
    seen = send(simulator, native, fault)
    assert seen.status == status
    assert words in native.message(json.loads(seen.body))


def test_errors_are_classed_in_the_words_of_the_format(simulator: SimulatorProcess) -> None:
    natives = {native.name: native for native in NATIVES}
    told = json.loads(send(simulator, natives["anthropic_messages"], "F33").body)
    assert (told["type"], told["error"]["type"]) == ("error", "overloaded_error")
    told = json.loads(send(simulator, natives["anthropic_messages"], "F27").body)
    assert "prompt is too long" in told["error"]["message"]
    told = json.loads(send(simulator, natives["gemini"], "F11").body)
    assert (told["error"]["code"], told["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    told = json.loads(send(simulator, natives["gemini"], "F27").body)
    assert "exceeds the maximum number of tokens" in told["error"]["message"]


@pytest.mark.parametrize("fault", ["F50", "F51;after=3"])
def test_a_stream_breaks_off_with_the_formats_own_error(
    simulator: SimulatorProcess, native: Native, fault: str
) -> None:
    seen = send(simulator, native, fault)
    assert native.broken(documents(seen)[-1]) == "The server had an error."


def test_a_cut_stream_lacks_its_ending(simulator: SimulatorProcess, native: Native) -> None:
    good, cut, lacking = (send(simulator, native, fault) for fault in ("OK", "F53;after=3", "F60"))
    assert native.ending in payloads(good.body)[-1]
    for seen in (cut, lacking):
        assert not native.ending or native.ending not in seen.body
    assert (cut.ending, lacking.ending) == ("fin", "whole")
    assert 0 < len(payloads(cut.body)) < len(payloads(good.body))


def test_a_legal_but_odd_spelling_means_the_same(simulator: SimulatorProcess, native: Native) -> None:
    good, odd = send(simulator, native, "OK"), send(simulator, native, "F64")
    assert odd.body != good.body

    def said(seen: Seen) -> list[Any]:
        told = [without_identity(payload, seen) for payload in payloads(seen.body)]
        return [json.loads(payload) for payload in told if payload != b"[DONE]"]

    assert said(odd) == said(good)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_nobody_says_what_was_used(simulator: SimulatorProcess, native: Native, stream: bool) -> None:
    assert native.usage in send(simulator, native, "OK", stream).body
    assert native.usage not in send(simulator, native, "F61", stream).body


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_false_bill_is_told(simulator: SimulatorProcess, native: Native, stream: bool) -> None:
    assert b":-" in send(simulator, native, "F76;v=neg", stream).body


@pytest.mark.parametrize("variant", ["nochoices", "null"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_answer_without_an_answer_is_json_all_the_same(
    simulator: SimulatorProcess, native: Native, variant: str, stream: bool
) -> None:
    seen = send(simulator, native, f"F39;v={variant}", stream)
    assert seen.status == 200
    assert b"simulator" not in seen.body
    assert all(isinstance(document, dict) for document in documents(seen))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_is_billed_is_what_is_told(simulator: SimulatorProcess, native: Native, stream: bool) -> None:
    """The log's figures, whatever the format calls them."""
    seen = send(simulator, native, "OK", stream, **native.tool)
    with connect(simulator.ports["sim-alpha"]) as caller:
        caller.sendall(post("/_sim/log", b"", {}, "GET"))
        entry = json.loads(read_reply(caller, Seen()).body)[-1]
    assert entry["output_tokens"] > 0
    told = documents(seen) if stream else json.loads(seen.body)
    numbers = {value for name, value in flattened(told) if name.endswith(("_tokens", "_count", "Count"))}
    assert {entry["output_tokens"], entry["prompt_tokens"]} <= numbers


def flattened(value: object, name: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in flattened(inner, key)]
    if isinstance(value, list):
        return [pair for inner in value for pair in flattened(inner, name)]
    return [(name, value)]
