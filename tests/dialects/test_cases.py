"""Every translation that is written down as a case, see tests/fixtures/dialects/README.md."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.dialects.contract import TargetManner
from gateway.dialects.formats import INBOUND, OUTBOUND
from gateway.errors import InvalidRequest
from gateway.wire.conversation import Answer, Conversation
from gateway.wire.delta import Delta, Usage
from tests.dialects.cases import Case, load_cases
from tests.dialects.vocabulary import read

CALLER = Conversation(origin="test", turns=())


class WriteRequest(msgspec.Struct):
    """What write_request is given, beside the conversation."""

    manner: TargetManner
    conversation: Conversation


class WriteAnswer(msgspec.Struct):
    answer: Answer
    usage: Usage | None = None
    conversation: Conversation = CALLER


class WriteStream(msgspec.Struct):
    deltas: list[Delta]
    wants_usage: bool = True
    conversation: Conversation = CALLER
    cut: str = ""  # the stream breaks off with this message


def plain(value: object) -> Any:
    """As JSON shows it."""
    return json.loads(msgspec.json.encode(value))


def read_request(case: Case) -> object:
    try:
        return plain(INBOUND[case.format].read_request(case.given.encode()))
    except InvalidRequest as error:
        return {"error": error.message, "param": error.param}


def write_request(case: Case) -> object:
    given = read(case.given, WriteRequest)
    outgoing = OUTBOUND[case.format].write_request(given.conversation, given.manner)
    told: dict[str, object] = {"body": json.loads(outgoing.body)}
    if outgoing.losses:
        told["losses"] = plain(outgoing.losses)
    if outgoing.headers:
        told["headers"] = dict(outgoing.headers)
    return told


def read_answer(case: Case) -> object:
    return plain(OUTBOUND[case.format].read_answer(case.given.encode()))


def read_stream(case: Case) -> object:
    reader = OUTBOUND[case.format].stream_reader()
    return plain([*reader.feed(case.stream), *reader.end()])


def write_answer(case: Case) -> object:
    given = read(case.given, WriteAnswer)
    return json.loads(INBOUND[case.format].write_answer(given.answer, given.usage, given.conversation))


def write_stream(case: Case) -> object:
    given = read(case.given, WriteStream)
    writer = INBOUND[case.format].stream_writer(given.conversation, given.wants_usage)
    text = writer.write(given.deltas)
    text += writer.cut(given.cut, 502, "stream_cut", None) if given.cut else writer.closing(None, None)
    return text.decode().strip()


OPERATIONS: dict[str, Callable[[Case], object]] = {
    "read_request": read_request,
    "write_request": write_request,
    "read_answer": read_answer,
    "read_stream": read_stream,
    "write_answer": write_answer,
    "write_stream": write_stream,
}


@pytest.mark.parametrize("case", load_cases(), ids=str)
def test_translation(case: Case) -> None:
    found = OPERATIONS[case.operation](case)
    expected = case.expected.strip() if case.operation == "write_stream" else json.loads(case.expected)
    assert found == expected
