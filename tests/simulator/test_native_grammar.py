"""Cohere's and Ollama's chat APIs, against the grammar that their references give: nothing else may be said.

Both were also read by the vendors' own SDKs, cohere 7.3.1 and ollama-python 0.6.3, on 2026-11-23.
"""

import json
from typing import Literal

import msgspec
import pytest
from msgspec import Struct

from gateway.simulator.spawn import SimulatorProcess
from tests.simulator.wire import Seen, connect, post, read_reply


class Strict(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Unknown members fail."""


class Function(Strict):
    name: str
    arguments: str


class Call(Strict):
    id: str
    type: Literal["function"]
    function: Function


class Text(Strict, tag_field="type", tag="text"):
    text: str


class Thinking(Strict, tag_field="type", tag="thinking"):
    thinking: str


class Message(Strict):
    role: Literal["assistant"]
    content: list[Text | Thinking]
    tool_calls: list[Call] | None = None


class Tokens(Strict):
    input_tokens: int
    output_tokens: int


class Usage(Strict):
    billed_units: Tokens
    tokens: Tokens
    cached_tokens: int


class CohereAnswer(Strict):
    id: str
    finish_reason: Literal["COMPLETE", "STOP_SEQUENCE", "MAX_TOKENS", "TOOL_CALL"]
    message: Message
    usage: Usage


class OllamaFunction(Strict):
    index: int
    name: str
    arguments: dict[str, object]


class OllamaCall(Strict):
    id: str
    function: OllamaFunction


class OllamaMessage(Strict):
    role: Literal["assistant"]
    content: str
    thinking: str = ""
    tool_calls: list[OllamaCall] = []


class OllamaLine(Strict):
    model: str
    created_at: str
    message: OllamaMessage
    done: bool
    done_reason: Literal["", "stop", "length"] = ""
    total_duration: int = 0
    load_duration: int = 0
    prompt_eval_count: int = 0
    prompt_eval_duration: int = 0
    eval_count: int = 0
    eval_duration: int = 0


SCHEMA = {"type": "object", "properties": {"limit": {"type": "integer", "maximum": 5}}, "required": ["limit"]}
TOOL = {"type": "function", "function": {"name": "lookup", "parameters": SCHEMA}}


def send(simulator: SimulatorProcess, path: str, body: dict[str, object], wish: str = "") -> Seen:
    asked = {"model": "sim/coder-pro", "messages": [{"role": "user", "content": "hello"}], **body}
    headers = {"x-steelyard-simulate": wish} if wish else {}
    with connect(simulator.ports["sim-alpha"]) as caller:
        caller.sendall(post(path, json.dumps(asked).encode(), headers))
        return read_reply(caller, Seen())


def cohere_events(seen: Seen) -> list[dict[str, object]]:
    """Each event says its name twice."""
    told = []
    for event in seen.body.decode().rstrip("\n").split("\n\n"):
        name, data = event.split("\n")
        told.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {told[-1]['type']}"
    return told


def lines_of(seen: Seen) -> list[OllamaLine]:
    assert seen.header("content-type") == "application/x-ndjson"
    return [msgspec.json.decode(line, type=OllamaLine) for line in seen.body.splitlines()]


@pytest.mark.parametrize("model", ["sim/swift-mini", "sim/thinker"])
def test_a_streamed_answer_of_cohere_adds_up_to_the_whole_one(simulator: SimulatorProcess, model: str) -> None:
    whole = msgspec.json.decode(send(simulator, "/v2/chat", {"model": model, "stream": False}).body, type=CohereAnswer)
    events = cohere_events(send(simulator, "/v2/chat", {"model": model, "stream": True}))
    kinds = ["thinking", "text"] if model == "sim/thinker" else ["text"]
    assert [event["type"] for event in events if event["type"] != "content-delta"] == [
        "message-start",
        *["content-start", "content-end"] * len(kinds),
        "message-end",
    ]
    for index, kind in enumerate(kinds):
        deltas = [e for e in events if e["type"] == "content-delta" and e["index"] == index]
        said = "".join(msgspec.convert(event["delta"], dict)["message"]["content"][kind] for event in deltas)
        assert said == getattr(whole.message.content[index], kind)
    end = events[-1]["delta"]
    assert end == {"finish_reason": whole.finish_reason, "usage": msgspec.to_builtins(whole.usage)}


def test_a_forced_call_of_cohere_comes_in_pieces(simulator: SimulatorProcess) -> None:
    asked: dict[str, object] = {"tools": [TOOL], "tool_choice": "REQUIRED"}
    whole = msgspec.json.decode(send(simulator, "/v2/chat", asked | {"stream": False}).body, type=CohereAnswer)
    assert whole.finish_reason == "TOOL_CALL"
    told: list[dict[str, str]] = []
    for event in cohere_events(send(simulator, "/v2/chat", asked | {"stream": True})):
        if event["type"] == "tool-call-start":
            told.append(dict(event["delta"]["message"]["tool_calls"]["function"]))  # type: ignore[index]
        elif event["type"] == "tool-call-delta":
            told[-1]["arguments"] += event["delta"]["message"]["tool_calls"]["function"]["arguments"]  # type: ignore[index]
    assert told == [msgspec.to_builtins(call.function) for call in whole.message.tool_calls or ()]
    assert all(json.loads(call["arguments"])["limit"] <= 5 for call in told)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"max_completion_tokens": 5}, "max_completion_tokens"),
        ({"p": 1.0}, "0.99"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"messages": [{"role": "tool", "tool_call_id": "x", "content": "y"}]}, "answers no call"),
        ({"tools": [TOOL], "response_format": {"type": "json_object"}}, "with tools"),
    ],
)
def test_cohere_would_refuse_it_too(simulator: SimulatorProcess, wrong: dict[str, object], complaint: str) -> None:
    seen = send(simulator, "/v2/chat", {"stream": False, **wrong})
    assert seen.status == 400
    assert complaint in json.loads(seen.body)["message"]


def test_ollama_streams_unless_told_not_to(simulator: SimulatorProcess) -> None:
    whole = document_of(send(simulator, "/api/chat", {"model": "sim/thinker", "stream": False}))
    lines = lines_of(send(simulator, "/api/chat", {"model": "sim/thinker"}))
    assert [line.done for line in lines] == [False] * (len(lines) - 1) + [True]
    assert "".join(line.message.content for line in lines) == whole.message.content != ""
    assert "".join(line.message.thinking for line in lines) == whole.message.thinking != ""
    assert lines[-1].eval_count == whole.eval_count == len(lines) - 1
    assert (whole.done, whole.done_reason) == (True, "stop")


def document_of(seen: Seen) -> OllamaLine:
    assert seen.header("content-type") == "application/json"
    return msgspec.json.decode(seen.body, type=OllamaLine)


def test_ollama_calls_tools_whole_and_only_when_it_is_wished(simulator: SimulatorProcess) -> None:
    lines = lines_of(send(simulator, "/api/chat", {"tools": [TOOL]}, "OK;calls=2"))
    calls = [call.function for line in lines for call in line.message.tool_calls]
    assert [(call.index, call.name) for call in calls] == [(0, "lookup"), (1, "lookup")]
    assert not any(line.message.tool_calls for line in lines_of(send(simulator, "/api/chat", {"tools": [TOOL]})))


def test_ollama_thinks_unless_told_not_to_and_keeps_to_its_options(simulator: SimulatorProcess) -> None:
    asked: dict[str, object] = {"model": "sim/thinker", "think": False, "stream": False}
    limits = {"options": {"num_predict": 7, "stop": ["never"]}}
    answer = document_of(send(simulator, "/api/chat", asked | limits))
    assert (answer.message.thinking, answer.done_reason, answer.eval_count) == ("", "length", 7)
    shaped = document_of(send(simulator, "/api/chat", {"stream": False, "format": SCHEMA})).message.content
    assert json.loads(shaped)["limit"] <= 5
