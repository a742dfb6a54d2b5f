"""A provider's whole answer to Deltas."""

import msgspec

from gateway.dialects.answer import is_something, stray_error
from gateway.dialects.responses.events import RESPONSE, Event, ResponseMember
from gateway.dialects.responses.names import FAMILY
from gateway.dialects.responses.read_output import AnswerReader
from gateway.wire.delta import Delta, Failure

FAILED = b'{"code":"server_error","message":"the provider ended its answer with the status failed"}'


def read_answer(body: bytes, family: str = FAMILY) -> list[Delta]:
    """The same as its stream would say; a Failure for an error, nothing for what is no answer of this format."""
    try:
        response = RESPONSE.decode(body)
        failure = failure_of(response)
        if failure is not None:
            return [Failure(failure)]
        if not is_answer(response):
            error = stray_error(body)
            return [] if error is None else [Failure(error)]
        status = "incomplete" if response.status == "incomplete" else "completed"
        return AnswerReader(family).read(Event(f"response.{status}", response=response))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        error = stray_error(body)
        return [] if error is None else [Failure(error)]


def is_answer(response: ResponseMember) -> bool:
    """One that is still being worked on is none."""
    return response.output is not None and response.status in (None, "completed", "incomplete")


def failure_of(response: ResponseMember) -> bytes | None:
    """The error object that it carries."""
    if is_something(response.error):
        return bytes(response.error)
    return FAILED if response.status in ("failed", "cancelled") else None
