"""OpenAI Responses: what cases can't show, and streams at every cut."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core.scan import MAX_DEPTH
from gateway.dialects.contract import TargetManner
from gateway.dialects.formats import OUTBOUND
from gateway.dialects.responses import Responses
from gateway.dialects.responses.namespaces import MAX_NAME, flat_name
from gateway.dialects.responses.read_stream import StreamReader
from gateway.dialects.responses.thoughts import read_call_seal, read_seal, written_call_seal, written_seal
from gateway.errors import InvalidRequest, Overloaded, ProviderRefused
from gateway.wire.ability import Ability
from gateway.wire.conversation import Conversation
from gateway.wire.delta import Delta, Failure, TextDelta, ThoughtDelta
from tests.dialects.cases import load_cases

RESPONSES = Responses()
CLIENTS = Path(__file__).parents[1] / "fixtures" / "clients"
STREAMS = [case for case in load_cases() if (case.format, case.operation) == ("openai_responses", "read_stream")]
HELLO: dict[str, Any] = {"model": "auto", "input": "hi"}


def recorded() -> list[Path]:
    """Requests of real clients to this format."""
    return [path for path in sorted(CLIENTS.glob("*.json")) if json.loads(path.read_text())["path"] == "/v1/responses"]


def body(**members: Any) -> bytes:
    return json.dumps(HELLO | members).encode()


def joined(deltas: list[Delta]) -> list[Delta]:
    """Neighbouring pieces of one text as one: where they are cut means nothing."""
    whole: list[Delta] = []
    for delta in deltas:
        last = whole[-1] if whole else None
        if isinstance(delta, TextDelta) and isinstance(last, TextDelta) and not delta.logprobs:
            whole[-1] = TextDelta(last.text + delta.text, logprobs=last.logprobs)
        elif isinstance(delta, ThoughtDelta) and isinstance(last, ThoughtDelta):
            whole[-1] = ThoughtDelta(last.text + delta.text)
        elif not isinstance(delta, Failure):
            whole.append(delta)
    return whole


def read(*pieces: bytes) -> list[Delta]:
    reader = StreamReader()
    return [delta for piece in pieces for delta in reader.feed(piece)] + reader.end()


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_requests_of_real_clients_are_read_and_written_again_without_a_loss(path: Path) -> None:
    sent = json.loads(path.read_text())["body"]
    text = json.dumps(sent).encode()
    prompt = RESPONSES.parse(text, "")
    conversation = RESPONSES.read_request(text)
    outgoing = RESPONSES.write_request(conversation, TargetManner("gpt-x", is_reasoning=True))
    assert prompt.model == sent["model"]
    assert outgoing.losses == ()
    assert RESPONSES.read_request(outgoing.body).turns == conversation.turns
    written = json.loads(outgoing.body)
    assert written.get("tools", []) == [tool | {} for tool in sent.get("tools", [])]
    assert written.keys() | {"include"} >= sent.keys() - {"stream"}


@pytest.mark.parametrize("format_", ["openai_chat", "anthropic_messages", "gemini"])
def test_codex_is_understood_everywhere(format_: str) -> None:
    sent = json.loads((CLIENTS / "codex-tool.json").read_text())["body"]
    conversation = RESPONSES.read_request(json.dumps(sent).encode())
    outgoing = OUTBOUND[format_].write_request(conversation, TargetManner("m", max_output_tokens=8_000))
    assert {loss.field.partition(".")[0].partition("[")[0] for loss in outgoing.losses} <= {
        "client_metadata",
        "prompt_cache_key",
        "reasoning",
        "tools",
    }
    assert b"multi_agent_v1__spawn_agent" in outgoing.body
    assert b"exec_command" in outgoing.body


def test_codex_names_its_session_and_needs_tools() -> None:
    text = json.dumps(json.loads((CLIENTS / "codex-tool.json").read_text())["body"]).encode()
    prompt = RESPONSES.parse(text, "")
    assert prompt.session.startswith("00000000-0000-4000-8000-")
    assert (prompt.needs, prompt.last_role, prompt.tool_count, prompt.stream) == (Ability.TOOLS, "tool", 9, True)


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_a_stream_means_the_same_however_it_is_cut(case: Any) -> None:
    expected = joined(read(case.given.encode() + b"\n\n"))
    for text in variants(case.given.encode() + b"\n\n"):
        assert joined(read(text)) == expected
        assert joined(read(*(text[place : place + 1] for place in range(len(text))))) == expected
        for cut in range(0, len(text), 61):
            assert joined(read(text[:cut], text[cut:])) == expected


def variants(text: bytes) -> list[bytes]:
    """The same stream as other servers write it."""
    if not text.startswith(b"event:"):
        return [text, text.replace(b"\n", b"\r\n")]
    odd = b"\xef\xbb\xbf: hello\n\n" + text.replace(b"\n\n", b"\n\n: ping\n\n")
    split = text.replace(b'data: {"type"', b'data: {\ndata: "type"')
    return [text, text.replace(b"\n", b"\r\n"), odd, split]


def test_every_cut_of_one_stream_means_the_same() -> None:
    text = next(case.given for case in STREAMS if case.name == "calls_in_pieces").encode() + b"\n\n"
    whole = joined(read(text))
    assert all(joined(read(text[:cut], text[cut:])) == whole for cut in range(len(text)))


def test_events_that_make_no_sense_are_dropped() -> None:
    reader = StreamReader()
    deltas = reader.feed(
        b'event: response.output_text.delta\ndata: {"type":\n\n'
        b'data: {"type":"response.output_text.delta","delta":{"text":"x"}}\n\n'
        b'data: {"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":5}}\n\n'
        b'data: {"type":"response.new_thing","delta":{"text":"x"}}\n\n'
        b"data: 5\n\n"
        b"data: [DONE]\n\n"
    )
    assert reader.malformed
    assert len(deltas) <= 2


def test_an_endless_event_ends_the_reading() -> None:
    reader = StreamReader(max_event_bytes=100)
    assert reader.feed(b"event: response.output_text.delta\ndata: " + b"x" * 101) == []
    assert reader.oversized


@pytest.mark.parametrize(
    "members",
    [
        {"input": []},
        {"input": 5},
        {"input": None},
        {"input": [5]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": {"url": "x"}}]}]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "file:///etc/passwd"}]}]},
        {"input": [{"type": "message", "role": 5}]},
        {"input": [{"role": "user", "content": "x"}] * 10_001},
        {"max_output_tokens": 0},
        {"max_output_tokens": "many"},
        {"model": 5},
        {"model": "m" * 257},
        {"tools": [5]},
        {"tools": [{"type": "function"}] * 2_049},
    ],
)
def test_nonsense_is_refused_with_the_name_of_the_field(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        RESPONSES.parse(body(**members), "")
    assert (refused.value.param or "").partition("[")[0].partition(".")[0] == next(iter(members))


@pytest.mark.parametrize("text", [b"", b"[]", b"5", b"{", b"\xff", b'{"input":' + b"[" * (MAX_DEPTH + 1)])
def test_what_is_no_object_is_refused(text: bytes) -> None:
    for reading in (RESPONSES.read_request, lambda body: RESPONSES.parse(body, "")):
        with pytest.raises(InvalidRequest):
            reading(text)


def test_the_thin_view_sees_everything_that_routing_asks_for() -> None:
    image = {"type": "input_image", "image_url": "https://x.test/a.png"}
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "look"}, image]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "found"}, image]},
    ]
    tool = {"type": "function", "name": "f"}
    text = {"format": {"type": "json_schema", "name": "s", "schema": {}}}
    prompt = RESPONSES.parse(body(input=items, tools=[tool], text=text, top_logprobs=1, instructions="be"), "")
    assert prompt.needs == Ability.IMAGES | Ability.TOOLS | Ability.JSON_SCHEMA | Ability.LOGPROBS
    assert (prompt.image_count, prompt.message_count, prompt.last_role, prompt.wants_usage) == (2, 3, "tool", True)
    assert prompt.texts == (b'"be"', b'"look"', b'"{}"', b'"found"', json.dumps(tool).encode(), b"{}")
    assert RESPONSES.parse(body(tools=[{"type": "web_search"}]), "").needs == Ability(0)
    assert RESPONSES.parse(body(conversation="conv_1", user="u"), "").session == "conv_1"
    assert RESPONSES.parse(b'{"input":"hi","models":["a","b"]}', "").chain == ("a", "b")
    with pytest.raises(InvalidRequest, match="'model'"):
        RESPONSES.parse(b'{"input":"hi"}', "")


def test_a_body_of_pretty_printed_json_still_makes_events_of_one_line() -> None:
    tools = [{"type": "function", "name": "f", "parameters": {"type": "object"}}, {"type": "web_search"}]
    conversation = RESPONSES.read_request(json.dumps(HELLO | {"tools": tools}, indent=1).encode())
    out = RESPONSES.stream_writer(conversation, True).closing(b'{"a":\n1}', None)
    for one, other in pairwise(out.decode().split("\n")):
        assert not one or one.startswith(("event: ", "data: ")), other


def test_long_names_stay_within_what_providers_take() -> None:
    names = {flat_name("n" * 50, "f" * 20), flat_name("n" * 50, "f" * 21), flat_name("crm", "find"), flat_name("", "x")}
    assert len(names) == 4
    assert all(len(name) <= MAX_NAME for name in names)


@pytest.mark.parametrize(
    "thought", [("s", "", "anthropic"), ("", "h", "google"), ("", "h", "openai"), ("", "h", "xai"), ("s", "", "openai")]
)
def test_a_seal_is_read_as_it_was_written(thought: tuple[str, str, str]) -> None:
    assert read_seal(written_seal(*thought)) == thought
    assert read_call_seal(written_seal(*thought)) == ("", "")


def test_seals_of_calls_and_of_nobody() -> None:
    assert read_call_seal(written_call_seal("s", "google")) == ("s", "google")
    assert read_seal(written_seal("", "", "")) == ("", "", "")


def test_errors_are_openais() -> None:
    error = json.loads(RESPONSES.error_body(Overloaded("later"), "d1"))
    assert error["error"]["message"] == "later"
    assert error["steelyard"] == {"decision": "d1"}
    own = b'{"error":{"message":"m","type":"invalid_request_error","param":null,"code":null}}'
    assert RESPONSES.error_body(ProviderRefused("m", status=400, code=None, body=own), None) == own


def test_metadata_is_the_last_member_of_a_whole_answer() -> None:
    answer = RESPONSES.attach(b'{"id":"resp_1"}', b'{"decision":"d"}')
    assert answer == b'{"id":"resp_1","steelyard":{"decision":"d"}}'
    assert RESPONSES.path("m", stream=True) == "/responses"
    assert RESPONSES.stream_writer(Conversation("openai_responses", ()), False).response == b""
