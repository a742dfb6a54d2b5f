"""What a provider says when it refuses or fails, before it is put into the words of a format."""

import msgspec
from msgspec import Struct


class Complaint(Struct, frozen=True):
    """`kind`, `code` and `param` are OpenAI's; other formats have words of their own, by status."""

    message: str
    kind: str = "invalid_request_error"
    code: str | int | None = None
    param: str | None = None
    body: bytes = b""  # the document of a compatible provider whose errors are not OpenAI's


class Refusal(Exception):
    """The request cannot be served."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.complaint = Complaint(message, code=code, param=param)


def openai_error(complaint: Complaint) -> dict[str, object]:
    """OpenAI's error object. Source: its API reference, "Error codes"."""
    return {
        "message": complaint.message,
        "type": complaint.kind,
        "param": complaint.param,
        "code": complaint.code,
    }


def openai_document(complaint: Complaint) -> bytes:
    """The error object in its document."""
    return complaint.body or msgspec.json.encode({"error": openai_error(complaint)})
