"""Random requests and answers: what the splice leaves is what a parser says should be left, and nothing crashes."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.answer import answer_as_stream, read_answer
from gateway.dialects.contract import TargetManner
from gateway.dialects.edits import attach
from gateway.dialects.openai_chat import parse
from gateway.dialects.relay import StreamRelay
from gateway.dialects.splice import upstream_body
from gateway.errors import InvalidRequest
from tests.dialects.streams import NAMES, relayed, said, stream

texts = st.text(max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
unknown = st.dictionaries(st.sampled_from(["seed", "store", "x", "é", 'a"', "steelyard", "route"]), values)
messages = st.lists(st.fixed_dictionaries({"role": st.sampled_from(["user", "tool"]), "content": texts}), min_size=1)
requests = st.fixed_dictionaries(
    {"messages": messages},
    optional={
        "model": texts.filter(bool),
        "models": st.lists(texts.filter(bool), max_size=2),
        "stream": st.booleans() | st.none(),
        "stream_options": st.none() | st.dictionaries(st.sampled_from(["include_usage", "x"]), st.booleans()),
    },
)


@given(
    requests,
    unknown,
    st.permutations(range(12)),
    st.booleans(),
    st.sampled_from([(), ("seed",), ("seed", "store", "x")]),
)
def test_the_upstream_request_is_the_callers_with_our_edits(
    known: dict[str, Any], extra: dict[str, Any], places: list[int], stream_usage: bool, drop_fields: tuple[str, ...]
) -> None:
    members = [*known.items(), *extra.items()]
    request = dict(members[place] for place in places if place < len(members))
    body = json.dumps(request, ensure_ascii=False, indent=1).encode()
    expected = {key: value for key, value in request.items() if key not in ("models", "steelyard", *drop_fields)}
    expected["model"] = "up"
    if request.get("stream"):
        expected.pop("stream_options", None)
        if stream_usage:
            expected["stream_options"] = {**(request.get("stream_options") or {}), "include_usage": True}
    prompt = parse(body, default_model="auto")
    manner = TargetManner("up", stream_usage=stream_usage, drop_fields=drop_fields)
    assert json.loads(upstream_body(prompt, manner).body) == expected


@given(st.dictionaries(texts | st.just("steelyard"), values), values, st.sampled_from([None, 1]))
def test_attached_metadata_is_one_more_member(body: dict[str, Any], metadata: Any, indent: int | None) -> None:
    attached = attach(json.dumps(body, indent=indent).encode(), json.dumps(metadata).encode())
    assert json.loads(attached) == {**body, "steelyard": metadata}
    assert list(json.loads(attached))[-1] == "steelyard"


def refusal(body: bytes) -> InvalidRequest | None:
    try:
        parse(body)
    except InvalidRequest as error:
        return error
    return None


@given(st.binary(max_size=80) | values.map(lambda value: json.dumps(value).encode()))
def test_no_body_crashes_the_reader(body: bytes) -> None:
    error = refusal(body)
    assert error is not None
    assert error.message


@given(
    st.dictionaries(
        st.sampled_from(["messages", "model", "stream", "n", "tools", "max_tokens", "response_format"]), values
    )
)
def test_a_field_of_a_wrong_type_is_named(request: dict[str, Any]) -> None:
    error = refusal(json.dumps(request).encode())
    assert error is not None
    assert "at `$" not in error.message
    assert error.param


junk = st.sampled_from(
    [
        b"data: ",
        b"\n\n",
        b"\n",
        b"\r",
        b"event: error",
        b"[DONE]",
        b"{",
        b"}",
        b'{"error":{"code":1}}',
        b'"',
        b"\xff",
        b"[",
        b'{"choices":[{"delta":{"content":"x"}}]}',
        b'{"choices":[{"delta":{},"finish_reason":"stop"}]}',
        b'{"choices":[{}]}',
        b'{"choices":[{"finish_reason":7}]}',
        b'{"choices":{}}',
        b'{"choices":[],"usage":{"prompt_tokens":1}}',
        b'{"usage":7}',
    ]
)
streams = st.lists(junk | st.binary(max_size=6), max_size=30)


@given(streams, st.booleans(), st.integers(1, 2))
def test_no_stream_crashes_the_relay_and_only_whole_frames_leave_it(
    pieces: list[bytes], wants_usage: bool, choices: int
) -> None:
    relay = StreamRelay(wants_usage, max_event_bytes=200, choices=choices)
    out = b"".join([relay.feed(piece) for piece in pieces])
    relay.end()
    out += relay.closing(b"{}") if relay.complete else relay.cut("x", 502, "y", b"{}")
    for frame in out.split(b"\n\n")[:-1]:
        payload = frame.removeprefix(b"data: ")
        assert payload == b"[DONE]" or "choices" in json.loads(payload)
    assert out.endswith(b"\n\n")


@given(st.sampled_from(NAMES), st.lists(st.integers(0, 3000), max_size=8), st.booleans())
def test_a_stream_means_the_same_in_random_pieces(name: str, cuts: list[int], wants_usage: bool) -> None:
    text = stream(name)
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    pieces = [text[start:end] for start, end in pairwise(places)]
    assert relayed(pieces, wants_usage)[1] == relayed([text], wants_usage)[1]


answers = st.fixed_dictionaries(
    {
        "choices": st.lists(
            st.fixed_dictionaries({}, optional={"message": values, "finish_reason": texts | st.none()}), max_size=2
        )
    },
    optional={"usage": values, "error": values, "model": texts, "id": texts},
)


@given(answers | values)
def test_no_answer_crashes_the_reader_and_a_good_one_can_be_streamed(answer: Any) -> None:
    body = json.dumps(answer).encode()
    facts = read_answer(body)
    if facts.malformed or facts.error is not None:
        return
    relay, out = relayed([answer_as_stream(body)])
    assert relay.complete
    assert relay.usage == facts.usage
    content = (answer["choices"][0].get("message") or {}).get("content")
    if isinstance(content, str):
        assert said(out)["text"] == content


@given(st.binary(max_size=60))
def test_random_bytes_are_a_malformed_answer(body: bytes) -> None:
    assert read_answer(body).malformed
