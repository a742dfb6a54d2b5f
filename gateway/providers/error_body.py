"""Find the error in whatever a provider sends as one: OpenAI's object and the dozen shapes that are not quite it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

LONGEST_BODY = 262_144  # bytes; an error longer than this is judged by its status
LONGEST_TEXT = 4_096  # characters of the message in which a sign is looked for
MOST_LABELS = 64
DEEPEST = 6
HTTP_ERROR = re.compile(r"[45][0-9]{2}")

# Fields whose value names the error. Both a number and a word may stand in `code`.
LABEL_FIELDS = ("code", "type", "status", "error_type", "error_code", "reason", "object", "title", "status_code")
# Fields under which more labels, or the message, are found.
NESTED_FIELDS = ("error", "details", "metadata", "innererror", "inner_error", "base_resp", "message", "detail", "data")


class ErrorBody(Struct, frozen=True):
    """What an error says, whatever its shape."""

    message: str  # as written, "" when it has none
    text: str  # of the message and all details, lower case, bounded: where signs are looked for
    labels: frozenset[str]  # codes, types, statuses and reasons, lower case
    code: str  # the most precise label, as written
    status: int | None  # an HTTP status that the error names itself
    object: Mapping[str, Any]  # the error itself


def read_error(body: bytes | Mapping[str, Any], *, certain: bool = False) -> ErrorBody | None:
    """The error in a body, None when there is none in it.

    certain: the body is known to be an error, so that any object or text in JSON is taken for one.
    """
    document = _decoded(body) if isinstance(body, bytes) else body
    if isinstance(document, list) and document:
        document = document[0]  # Gemini's compatible endpoint puts its error into a list
    if isinstance(document, str) and certain:
        document = {"message": document}
    if not isinstance(document, Mapping):
        return None
    error = _error_of(document) or (document if certain else None)
    if error is None:
        return None
    labels = list(_labels(error, DEEPEST))[:MOST_LABELS]
    message = _message(error)
    return ErrorBody(
        message=message,
        text=" ".join(_texts(error, DEEPEST))[:LONGEST_TEXT].lower(),
        labels=frozenset(label.lower() for label in labels),
        code=_code(error),
        status=next((int(label) for label in labels if HTTP_ERROR.fullmatch(label)), None),
        object=error,
    )


def is_html(body: bytes) -> bool:
    """True of a body that a browser would show as a page."""
    return body[:512].lstrip().lower().startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<body"))


def _decoded(body: bytes) -> Any:
    if len(body) > LONGEST_BODY:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _error_of(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The error in a document; the document itself where the fields stand at its top (Mistral, NVIDIA, Cohere)."""
    error = document.get("error")
    if isinstance(error, Mapping):
        return error
    if isinstance(error, str) and error:  # Hugging Face, xAI: the message itself, with `code` beside it
        return {**document, "message": document.get("message") or error}
    if document.get("object") == "error" or document.get("type") == "error":
        return document
    reply = document.get("base_resp")
    if isinstance(reply, Mapping) and reply.get("status_code"):  # MiniMax: a 200 whose status is inside
        return reply
    if "choices" in document or not any(document.get(field) for field in ("message", "detail", "status_msg")):
        return None
    return document


def _message(error: Mapping[str, Any]) -> str:
    for field in ("message", "detail", "status_msg", "msg", "title"):
        value = error.get(field)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, Mapping | list) and value:  # Mistral, FastAPI: a list of what is wrong with which field
            return msgspec.json.encode(value).decode()
    return ""


def _code(error: Mapping[str, Any]) -> str:
    """The first of the error's own labels that is a word; a number only when there is no word."""
    labels = [_label(error.get(field)) for field in ("code", "type", "status", "error_type", "status_code")]
    stated = [label for label in labels if label]
    return next((label for label in stated if not label.isdecimal()), stated[0] if stated else "")


def _labels(node: Any, depth: int) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(node, Mapping):
        yield from (label for field in LABEL_FIELDS if (label := _label(node.get(field))))
        for field in NESTED_FIELDS:
            yield from _labels(node.get(field), depth - 1)
    elif isinstance(node, list):
        for item in node[:MOST_LABELS]:
            yield from _labels(item, depth - 1)


def _texts(node: Any, depth: int) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for field in ("message", "detail", "msg", "status_msg", "title", "raw", "details", "error", "metadata"):
            yield from _texts(node.get(field), depth - 1)
    elif isinstance(node, list):
        for item in node[:MOST_LABELS]:
            yield from _texts(item, depth - 1)


def _label(value: Any) -> str:
    if isinstance(value, str):
        return value if 0 < len(value) <= 64 else ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**6 else ""
