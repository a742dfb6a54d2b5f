"""Arguments of a call for formats that take a JSON object and nothing else."""

import msgspec
from msgspec import Raw

OBJECT = msgspec.json.Decoder(dict[str, Raw])


def as_object(text: str) -> Raw | None:
    """The text as JSON, if it is an object."""
    if not text.lstrip().startswith("{"):
        return None
    raw = text.strip().encode("utf-8", "replace")
    try:
        OBJECT.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    return Raw(raw)


def as_arguments(text: str, is_custom: bool) -> tuple[Raw, bool]:
    """The arguments as an object, and whether they had to be wrapped to be one though they should have been."""
    if is_custom:
        return Raw(msgspec.json.encode({"input": text})), False
    if not text.strip():
        return Raw(b"{}"), False
    found = as_object(text)
    return (found, False) if found is not None else (Raw(msgspec.json.encode({"arguments": text})), True)


FREE_TEXT = Raw(b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}')
TAKES_NOTHING = Raw(b'{"type":"object","properties":{}}')
WRAPPED = "arguments that are no JSON object were wrapped in one"
WITHOUT_GRAMMAR = "free text is given as the member `input` of an object, without its grammar"
