"""Gemini at Vertex: what it signs holds there, and is told as its own; what Google's other API signed is not sent."""

import json

from gateway.dialects.contract import TargetManner
from gateway.dialects.formats import GEMINI, OUTBOUND
from gateway.wire.conversation import Conversation, Text, Thought, ToolCall, ToolResult, Turn
from gateway.wire.delta import CallBegan

VERTEX = OUTBOUND["gemini_vertex"]
MANNER = TargetManner("gemini-3-pro-preview", family="vertex", is_reasoning=True)
PLACEHOLDER = "skip_thought_signature_validator"
CALL = {
    "candidates": [{"content": {"parts": [{"functionCall": {"name": "now", "args": {}}, "thoughtSignature": "c2ln"}]}}]
}


def conversation(origin: str) -> Conversation:
    call = ToolCall("call_1", "now", signature="c2ln", origin=origin)
    return Conversation(
        "openai_chat",
        (
            Turn("user", (Text("What time is it?"),)),
            Turn("assistant", (Thought("hm", "dGhvdWdodA==", origin=origin), call)),
            Turn("tool", (ToolResult("call_1", (Text("noon"),)),)),
        ),
    )


def test_what_it_signs_is_vertexs() -> None:
    whole = VERTEX.read_answer(json.dumps(CALL).encode())
    reader = VERTEX.stream_reader()
    streamed = [*reader.feed(f"data: {json.dumps(CALL)}\n\n".encode()), *reader.end()]
    for deltas in (whole, streamed):
        assert [delta.origin for delta in deltas if isinstance(delta, CallBegan)] == ["vertex"]


def test_its_own_signatures_go_back_to_it() -> None:
    outgoing = VERTEX.write_request(conversation("vertex"), MANNER)
    assert b'"thoughtSignature":"c2ln"' in outgoing.body
    assert b'"thoughtSignature":"dGhvdWdodA=="' in outgoing.body
    assert outgoing.losses == ()


def test_those_of_googles_other_api_do_not() -> None:
    outgoing = VERTEX.write_request(conversation("google"), MANNER)
    assert b"c2ln" not in outgoing.body
    assert PLACEHOLDER.encode() in outgoing.body
    assert [loss.field for loss in outgoing.losses] == ["messages[1].reasoning"]


def test_nor_do_vertexs_to_googles_other_api() -> None:
    outgoing = GEMINI.write_request(conversation("vertex"), TargetManner("gemini-3-pro-preview", family="google"))
    assert b"c2ln" not in outgoing.body
    assert PLACEHOLDER.encode() in outgoing.body


def test_a_caller_of_google_gets_them_with_their_makers_name_and_brings_them_back() -> None:
    began = next(d for d in VERTEX.read_answer(json.dumps(CALL).encode()) if isinstance(d, CallBegan))
    writer = GEMINI.stream_writer(Conversation("gemini", ()), wants_usage=True)
    text = writer.write([began]) + writer.closing(None, None)
    part = json.loads(text.decode().split("data: ")[1])["candidates"][0]["content"]["parts"][0]
    assert part["thoughtSignature"] != "c2ln"
    contents = [{"role": "user", "parts": [{"text": "x"}]}, {"role": "model", "parts": [part]}]
    read = GEMINI.read_request(json.dumps({"contents": contents}).encode())
    call = next(p for turn in read.turns for p in turn.parts if isinstance(p, ToolCall))
    assert (call.signature, call.origin) == ("c2ln", "vertex")
