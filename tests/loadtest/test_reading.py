"""What the load test takes for a good answer, and when it looks at the watch."""

import itertools

import pytest

from loadtest.reading import fault_of_answer, read_stream

ROLE = b'data: {"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
HELLO = b'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\n'
TOOL = b'data: {"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}\n\n'
THOUGHT = b'data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}\n\n'
FINISH = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":3}}\n\n'
DONE = b"data: [DONE]\n\n"
PING = b": ping\n\n"


def read(*events: bytes) -> tuple[float | None, list[float], str]:
    """Read a stream whose events come one second apart, the first at 1 s."""
    source, ticks = iter([*events, b""]), itertools.count(1)
    reading = read_stream(lambda: next(source), lambda: float(next(ticks)))
    return reading.first_token, reading.chunks, reading.error


@pytest.mark.parametrize("token", [HELLO, TOOL, THOUGHT])
def test_the_first_token_is_the_first_that_a_reader_sees(token: bytes) -> None:
    assert read(PING, ROLE, token, FINISH, USAGE, DONE) == (3.0, [2.0, 3.0, 4.0, 5.0], "")


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([], "the stream says nothing"),
        ([ROLE, FINISH, DONE], "the stream says nothing"),
        ([HELLO, DONE], "the stream has no finish_reason"),
        ([HELLO, FINISH], "the stream ends without [DONE]"),
        ([HELLO, b'data: {"error":{"message":"gone"}}\n\n', DONE], 'error in the stream: b\'{"message":"gone"}\''),
        ([HELLO, b"data: {\n\n"], "a chunk cannot be read: Input data was truncated"),
    ],
)
def test_a_stream_that_is_not_whole_is_a_failure(events: list[bytes], error: str) -> None:
    assert read(*events)[2] == error


def test_a_whole_answer_is_good() -> None:
    assert fault_of_answer(b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}') == ""


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"choices":[]}', b'{"choices":[{"finish_reason":null}]}'])
def test_anything_else_is_a_failure(body: bytes) -> None:
    assert fault_of_answer(body)
