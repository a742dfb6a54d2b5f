"""Single members of an answer: usage, citations, probabilities."""

import msgspec
from msgspec import Raw, Struct

from gateway.dialects.cohere.names import DIALECT
from gateway.dialects.cohere.schema import CITATION, CITATIONS, LogprobItem, UsageMember
from gateway.wire.conversation import Citation
from gateway.wire.delta import Usage

NOTHING = (b"", b"null", b"[]", b"{}")
OF_TEXT = (None, "TEXT_CONTENT")  # the others are of thoughts and plans


class Named(Struct, frozen=True, gc=False):
    """What a document or the output of a tool may say about itself, among all else."""

    url: str | None = None
    title: str | None = None


NAMED = msgspec.json.Decoder(Named)


class TokenOut(Struct, frozen=True):
    """One entry of OpenAI's `logprobs.content`."""

    token: str
    logprob: float
    bytes: list[int]
    top_logprobs: list[float]


def read_usage(told: UsageMember | None) -> Usage | None:
    """What is billed, where it says so: `tokens` also counts what Cohere itself adds to the prompt."""
    if told is None or (told.billed_units is None and told.tokens is None):
        return None
    counted = [units for units in (told.billed_units, told.tokens) if units is not None]
    inputs = next((units.input_tokens for units in counted if units.input_tokens is not None), 0.0)
    outputs = next((units.output_tokens for units in counted if units.output_tokens is not None), 0.0)
    return Usage(
        input_tokens=int(inputs),
        cached_tokens=min(int(told.cached_tokens or 0), int(inputs)),
        output_tokens=int(outputs),
    )


def read_citations(raw: Raw) -> list[Citation]:
    """One, or a list of them; those of thoughts are left out, and so are those that make no sense."""
    text = bytes(raw)
    if text in NOTHING:
        return []
    try:
        members = CITATIONS.decode(text) if text.startswith(b"[") else [raw]
        read = [read_citation(member) for member in members]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    return [citation for citation in read if citation is not None]


def read_citation(raw: Raw) -> Citation | None:
    told = CITATION.decode(raw)
    if told.type not in OF_TEXT:
        return None
    url = title = ""
    for source in told.sources or ():
        for described in (source.document, source.tool_output):
            named = name_in(described)
            url, title = url or named.url or "", title or named.title or ""
    return Citation(DIALECT, Raw(bytes(raw)), url, title, told.text or "", told.start, told.end)


def name_in(described: Raw) -> Named:
    try:
        return NAMED.decode(described)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Named()


def read_logprobs(items: list[LogprobItem] | None) -> Raw | None:
    """OpenAI's object: an item of several tokens becomes one, as probable as all of them together."""
    content = [
        TokenOut(item.text or "", sum(item.logprobs), list((item.text or "").encode()), [])
        for item in items or ()
        if item.logprobs
    ]
    return Raw(msgspec.json.encode({"content": content})) if content else None
