"""Reading an answer as a client does, with a watch in the hand."""

from collections.abc import Callable

import msgspec
from msgspec import Raw, Struct

DONE = b"[DONE]"


class Sample(Struct, frozen=True):
    """What one request experienced. Milliseconds count from the time it was due, not from when it was sent."""

    number: int
    payload: str
    stream: bool
    is_warm: bool  # sent after the warm-up
    total_ms: float
    first_token_ms: float | None = None  # of a stream
    gaps_ms: list[float] = []  # between two chunks of a stream
    overhead_ms: float | None = None  # what the gateway says that it took itself
    error: str = ""  # "" when the answer was complete and good


class Reading(Struct, frozen=True):
    """An answer's times, on the clock that was given, and what was wrong with it."""

    first_token: float | None
    chunks: list[float]
    error: str


NULL = Raw(b"null")


class Delta(Struct, frozen=True):
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: Raw = NULL

    @property
    def says_something(self) -> bool:
        """Whether a reader would see it: the opening chunk carries only a role."""
        return bool(self.content or self.reasoning_content) or self.tool_calls != NULL


class Choice(Struct, frozen=True):
    delta: Delta = Delta()
    finish_reason: str | None = None


class Chunk(Struct, frozen=True):
    """A chunk of a stream, or a whole answer, as far as it matters here."""

    choices: list[Choice] = []
    error: Raw = NULL


DECODE = msgspec.json.Decoder(Chunk).decode


def read_stream(next_event: Callable[[], bytes], clock: Callable[[], float]) -> Reading:
    """Read a stream to its end. next_event: the next SSE event with its blank line, b"" at the end."""
    first_token: float | None = None
    chunks: list[float] = []
    finish, is_done = "", False
    while event := next_event():
        now = clock()
        if not event.startswith(b"data:"):
            continue  # a comment
        data = event[5:].strip()
        if data == DONE:
            is_done = True
            continue
        try:
            chunk = DECODE(data)
        except msgspec.MsgspecError as error:
            return Reading(first_token, chunks, f"a chunk cannot be read: {error}")
        if chunk.error != NULL:
            return Reading(first_token, chunks, f"error in the stream: {bytes(chunk.error)[:200]!r}")
        for choice in chunk.choices:
            finish = choice.finish_reason or finish
            if first_token is None and choice.delta.says_something:
                first_token = now
        chunks.append(now)
    return Reading(first_token, chunks, fault_of_stream(first_token, finish, is_done))


def fault_of_stream(first_token: float | None, finish: str, is_done: bool) -> str:
    if first_token is None:
        return "the stream says nothing"
    if not finish:
        return "the stream has no finish_reason"
    return "" if is_done else "the stream ends without [DONE]"


def fault_of_answer(body: bytes) -> str:
    """What is wrong with an answer that was not streamed, "" when nothing is."""
    try:
        answer = DECODE(body)
    except msgspec.MsgspecError as error:
        return f"the answer cannot be read: {error}"
    if not answer.choices or not all(choice.finish_reason for choice in answer.choices):
        return "the answer has no choices, or they have no finish_reason"
    return ""
